"""A SOAP client from a WSDL alone: what it offers, arguments typed by its schema, its answers.

What ``yilian call`` and the demo use, through zeep: nothing here knows our contracts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
import zeep
import zeep.exceptions
import zeep.helpers
from lxml import etree
from zeep.transports import Transport

from services.soap.parser import NotXml, parsed
from yilian import soap_arguments
from yilian.http_session import straight
from yilian.refused import Refused
from yilian.soap_arguments import Argument, Lengths


class SoapFault(Exception):
    """The service answered with a Fault: ``code`` is the detail's code, else the faultcode."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Keeping(Transport):
    """Keeps the first document that it loads, which is the WSDL."""

    document: bytes = b""

    def load(self, url: str) -> bytes:
        content = bytes(super().load(url))  # type: ignore[no-untyped-call]
        self.document = self.document or content
        return content


class SoapClient:
    """One service, bound from its WSDL: an http(s) address, or a file. Refused if that cannot be
    had."""

    def __init__(self, wsdl_url: str, *, timeout: float = 30.0) -> None:
        self.wsdl_url = _location(wsdl_url)
        transport = _Keeping(  # type: ignore[no-untyped-call]
            session=straight(), timeout=timeout, operation_timeout=timeout
        )
        try:
            self._client = zeep.Client(self.wsdl_url, transport=transport)
            self._lengths = Lengths(transport.document)
        except (
            *(requests.RequestException, zeep.exceptions.Error, etree.XMLSyntaxError),
            # what zeep makes of a file that is no file, an odd address, or XML that is no WSDL
            *(OSError, ValueError, AttributeError, KeyError),
        ) as error:
            zh, en = _reason(error)
            raise Refused(
                f"无法取得 WSDL {self.wsdl_url}：{zh}。请检查地址，以及服务是否在运行。",
                f"No WSDL at {self.wsdl_url}: {en}. Check the address and that it is running.",
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
        """Every operation with its arguments, nested ones dotted, in the WSDL's order."""
        return {name: self._arguments(name) for name in self._operations}

    def _arguments(self, operation: str) -> tuple[Argument, ...]:
        message = self._lengths.message(str(self._operations[operation].input.body.qname))
        elements = self._elements(operation)
        return tuple(soap_arguments.leaves(message, elements, self._lengths))

    def _elements(self, operation: str) -> dict[str, Any]:
        return dict(self._operations[operation].input.body.type.elements)

    def typed(self, operation: str, texts: Mapping[str, str]) -> dict[str, Any]:
        """Arguments given as text, as the types of the schema; a dot goes into a nested one, as
        soap_arguments has it. Refused says what exists."""
        if operation not in self._operations:
            known = "、".join(self._operations)
            raise Refused(
                f"{self.name} 没有操作 {operation}；它有：{known}。",
                f"{self.name} has no operation {operation}; it has: {known}.",
            )
        takes = ", ".join(map(str, self._arguments(operation))) or "—"
        return soap_arguments.typed(operation, self._elements(operation), texts, takes)

    def call(self, operation: str, **arguments: Any) -> Any:
        """The answer as plain dicts, lists and values. SoapFault, or Refused if none came."""
        try:
            answer = self._client.service[operation](**arguments)
        except zeep.exceptions.Fault as fault:
            raise _fault(fault) from fault
        except (requests.RequestException, zeep.exceptions.Error) as error:
            zh, en = _reason(error)
            raise Refused(
                f"调用 {self.address} 的 {operation} 没有得到应答：{zh}。",
                f"{operation} at {self.address} was not answered: {en}.",
                exit_code=1,
            ) from error
        return zeep.helpers.serialize_object(answer, dict)


def _location(wsdl_url: str) -> str:
    """Where to load the WSDL. Refused where it is neither an http(s) address nor a file."""
    if wsdl_url.lower().startswith(("http://", "https://")):
        return wsdl_url if "?" in wsdl_url else f"{wsdl_url}?wsdl"
    if Path(wsdl_url).is_file():
        return wsdl_url
    raise Refused(
        f"“{wsdl_url}”既不是 http(s) 地址，也不是已有的文件。"
        "请写完整的地址，如 http://127.0.0.1:8080/hx/LabResults?wsdl。",
        f"{wsdl_url!r} is neither an http(s) address nor a file that exists. "
        "Write the whole address, such as http://127.0.0.1:8080/hx/LabResults?wsdl.",
    )


def _reason(error: Exception) -> tuple[str, str]:
    """Why nothing came, in Chinese and in English; a Fault's own words, once."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = f"HTTP {error.response.status_code}"
        said = _fault_text(error.response.content)
        return (f"{status}，{said.rstrip('。.')}" if said else status, status)
    if isinstance(error, requests.Timeout):
        return "对方未及时应答", "it did not answer in time"
    if isinstance(error, requests.ConnectionError):
        return "连接不上", "it cannot be connected to"
    if isinstance(error, etree.XMLSyntaxError | zeep.exceptions.XMLSyntaxError):
        return "内容不是 XML", "what is there is not XML"
    if isinstance(error, AttributeError | KeyError | TypeError):
        return "内容不是 WSDL", "what is there is not a WSDL"
    if isinstance(error, ValueError):  # requests' and urllib's for an address, InvalidURL too
        return "地址写得不对", "the address is not written as one"
    return str(error), type(error).__name__


def _fault_text(content: bytes) -> str:
    """The message of a SOAP 1.1 or 1.2 Fault, or nothing where it is none."""
    try:
        root = parsed(content)
    except NotXml:
        return ""
    found = root.xpath(
        "string(//*[local-name() = 'Fault']/*[local-name() = 'faultstring'"
        " or local-name() = 'Reason'])"
    )
    return " ".join(str(found).split())


def _fault(fault: zeep.exceptions.Fault) -> SoapFault:
    code = str(fault.code or "")
    if fault.detail is not None:
        found = fault.detail.xpath(".//*[local-name() = 'code' or local-name() = 'Code']/text()")
        code = str(found[0]) if found else code
    return SoapFault(code, str(fault.message))
