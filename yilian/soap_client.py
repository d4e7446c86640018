"""A SOAP client from a WSDL alone: what it offers, arguments typed by its schema, its answers.

What ``yilian call`` and the demo use, through zeep: nothing here knows our contracts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
import zeep
import zeep.exceptions
import zeep.helpers
from lxml import etree
from zeep.transports import Transport

from yilian.refused import Refused


@dataclass(frozen=True)
class Argument:
    """One argument of an operation. ``kind``: its schema type's local name, such as ``date``."""

    name: str
    kind: str
    required: bool

    def __str__(self) -> str:
        return f"{self.name}{'' if self.required else '?'}: {self.kind}"


class SoapFault(Exception):
    """The service answered with a Fault: ``code`` is the detail's code, else the faultcode."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SoapClient:
    """One service, bound from its WSDL. Refused if that cannot be had."""

    def __init__(self, wsdl_url: str, *, timeout: float = 30.0) -> None:
        self.wsdl_url = wsdl_url if "?" in wsdl_url else f"{wsdl_url}?wsdl"
        session = requests.Session()
        session.trust_env = False  # hospitals' own addresses are not for a web proxy
        transport = Transport(session=session, timeout=timeout, operation_timeout=timeout)
        try:
            self._client = zeep.Client(self.wsdl_url, transport=transport)
        except (requests.RequestException, zeep.exceptions.Error, etree.XMLSyntaxError) as error:
            raise Refused(
                f"无法取得 WSDL {self.wsdl_url}：{error}。请检查地址，以及服务是否在运行。",
                f"No WSDL at {self.wsdl_url}: {error}. Check the address and that it is running.",
                exit_code=1,
            ) from error
        services = list(self._client.wsdl.services.values())
        if not services:
            raise Refused(
                f"{self.wsdl_url} 中没有 service 元素。",
                f"The WSDL {self.wsdl_url} holds no service.",
                exit_code=1,
            )
        self.name = str(services[0].name)
        port = next(iter(services[0].ports.values()))
        self.address = str(port.binding_options["address"])
        self._operations = port.binding._operations
        self.namespace = str(port.binding.name.namespace)

    @property
    def operations(self) -> dict[str, tuple[Argument, ...]]:
        """Every operation with its arguments, in the WSDL's order."""
        return {name: self._arguments(name) for name in self._operations}

    def _arguments(self, operation: str) -> tuple[Argument, ...]:
        return tuple(
            Argument(name, str(element.type.name or "?"), not element.is_optional)
            for name, element in self._elements(operation).items()
        )

    def _elements(self, operation: str) -> dict[str, Any]:
        return dict(self._operations[operation].input.body.type.elements)

    def typed(self, operation: str, texts: Mapping[str, str]) -> dict[str, Any]:
        """Arguments given as text, as the types of the schema. Refused says what exists."""
        if operation not in self._operations:
            known = "、".join(self._operations)
            raise Refused(
                f"{self.name} 没有操作 {operation}；它有：{known}。",
                f"{self.name} has no operation {operation}; it has: {known}.",
            )
        elements = self._elements(operation)
        takes = ", ".join(map(str, self._arguments(operation))) or "—"
        for name in texts:
            if name not in elements:
                raise Refused(
                    f"{operation} 没有参数 {name}；它的参数：{takes}。",
                    f"{operation} has no argument {name}; it takes: {takes}.",
                )
        for argument in self._arguments(operation):
            if argument.required and argument.name not in texts:
                raise Refused(
                    f"{operation} 缺少参数 {argument.name}；它的参数：{takes}。",
                    f"{operation} lacks the argument {argument.name}; it takes: {takes}.",
                )
        return {name: _value(name, elements[name].type, text) for name, text in texts.items()}

    def call(self, operation: str, **arguments: Any) -> Any:
        """The answer as plain dicts, lists and values. SoapFault, or Refused if none came."""
        try:
            answer = self._client.service[operation](**arguments)
        except zeep.exceptions.Fault as fault:
            raise _fault(fault) from fault
        except (requests.RequestException, zeep.exceptions.Error) as error:
            raise Refused(
                f"调用 {self.address} 的 {operation} 没有得到应答：{error}。",
                f"{operation} at {self.address} was not answered: {error}.",
                exit_code=1,
            ) from error
        return zeep.helpers.serialize_object(answer, dict)


_EXAMPLES = {
    "date": "2026-11-21",
    "dateTime": "2026-11-21T08:30:00",
    "int": "12",
    "decimal": "12.50",
    "boolean": "true",
}


def _value(name: str, kind: Any, text: str) -> Any:
    try:
        value = kind.pythonvalue(text)
        if kind.name == "boolean" and text not in ("true", "false", "0", "1"):
            raise ValueError(text)
    except (ValueError, ArithmeticError) as error:
        example = _EXAMPLES.get(kind.name, "")
        raise Refused(
            f"参数 {name} 应为 {kind.name}，例如 {name}={example}；收到的是“{text}”。",
            f"{name} must be {kind.name}, such as {name}={example}; it is {text!r}.",
        ) from error
    return value


def _fault(fault: zeep.exceptions.Fault) -> SoapFault:
    code = str(fault.code or "")
    if fault.detail is not None:
        found = fault.detail.xpath(".//*[local-name() = 'code' or local-name() = 'Code']/text()")
        code = str(found[0]) if found else code
    return SoapFault(code, str(fault.message))
