"""What of a WSDL is compared: each SOAP port with what it is bound to."""

from __future__ import annotations

from dataclasses import dataclass

from services.soap.wsdl_reading import Binding, NotWsdl, Operation, Wsdl, read

_SPOKEN = {"soap": "SOAP 1.1", "soap12": "SOAP 1.2"}


def whole(document: bytes) -> Wsdl:
    """A WSDL that says everything itself: what it imports could change without it."""
    wsdl = read(document)
    if wsdl.elsewhere:
        raise NotWsdl(
            "WSDL 引用了别的文件，请先合为一个 / the WSDL imports another document; "
            "make it one document first"
        )
    return wsdl


@dataclass(frozen=True, slots=True)
class SoapPort:
    """A port of SOAP's with what it is bound to."""

    service: str
    protocol: str
    name: str
    binding: Binding
    operations: dict[str, Operation]


def soap_ports(wsdl: Wsdl) -> dict[tuple[str, str], SoapPort]:
    """By service and protocol. NotWsdl where there is none."""
    found = {}
    for service in wsdl.services:
        for port in service.ports:
            binding = wsdl.binding(port)
            if binding.protocol in _SPOKEN:
                operations = {one.name: one for one in wsdl.operations(binding)}
                for operation in operations.values():
                    for message in operation.messages.values():
                        wsdl.parts(message)  # one that dangles is refused, also where it is new
                one = SoapPort(
                    service.name, _SPOKEN[binding.protocol], port.name, binding, operations
                )
                found[one.service, one.protocol] = one
    if not found:
        raise NotWsdl("WSDL 中没有 SOAP 端口 / there is no SOAP port in the WSDL")
    return found
