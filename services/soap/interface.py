"""What a service looks like on the wire: its namespace and its operations' two messages.

Typed contracts and the delimited face meet here; the WSDL and the codec know nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from services import his_service
from services.contract import Contract, Description, Field, Operation, Scalar, describe
from services.contract import Doc as _Doc
from services.delimited import DelimitedOperation


@dataclass(frozen=True)
class WireOperation:
    """``request`` and ``response`` are the children of the two wrapper elements, in order."""

    name: str
    zh: str
    doc: str
    request: tuple[Field, ...]
    response: tuple[Field, ...]
    soap_action: str


@dataclass(frozen=True)
class Interface:
    """A portType. ``lenient``: arguments are read as facts for legacy clients allow (any order,
    unqualified, rpc/encoded); otherwise exactly as the schema says."""

    name: str
    zh: str
    doc: str
    namespace: str
    lenient: bool
    operations: tuple[WireOperation, ...]

    @property
    def path(self) -> str:
        """The last part of the service's address."""
        return f"{self.name}.asmx" if self.lenient else self.name


def typed_interface(contract: type[Contract] | Description) -> Interface:
    """The interface of a typed contract."""
    description = contract if isinstance(contract, Description) else describe(contract)
    return Interface(
        name=description.name,
        zh=description.zh,
        doc=description.doc,
        namespace=description.namespace,
        lenient=False,
        operations=tuple(_typed(description.namespace, op) for op in description.operations),
    )


def _typed(namespace: str, operation: Operation) -> WireOperation:
    result = Field(f"{operation.name}Result", operation.result, True, _Doc("结果", "result"))
    return WireOperation(
        operation.name,
        operation.zh,
        operation.doc,
        operation.parameters,
        (result,),
        soap_action(namespace, operation.name),
    )


def his_service_interface(
    operations: tuple[DelimitedOperation, ...] = his_service.OPERATIONS,
) -> Interface:
    """The interface of HisService. The ref parameter ``str`` stands in both messages."""
    return Interface(
        name=his_service.NAME,
        zh=his_service.ZH,
        doc=his_service.DOC,
        namespace=his_service.NAMESPACE,
        lenient=True,
        operations=tuple(_delimited(op) for op in operations),
    )


def _delimited(operation: DelimitedOperation) -> WireOperation:
    ref = Field(
        "str", Scalar(str), False, _Doc("返回的记录或错误信息", "rows, or an error message")
    )
    count = Field(
        f"{operation.name}Result", Scalar(int), True, _Doc("行数，负数为错误", "rows, or negative")
    )
    return WireOperation(
        operation.name,
        operation.zh,
        operation.doc,
        (*operation.parameters, ref),
        (count, ref),
        soap_action(his_service.NAMESPACE, operation.name),
    )


def soap_action(namespace: str, operation: str) -> str:
    """namespace + operation, with a slash between where the namespace does not end in one."""
    return f"{namespace}{operation}" if namespace.endswith("/") else f"{namespace}/{operation}"
