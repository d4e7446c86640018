"""The two SOAP versions: what differs between them, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SoapVersion:
    """``client`` and ``server`` are the fault codes for the sender's and for our side;
    ``path_suffix`` is what the address of this version has behind the service's own."""

    name: str
    envelope: str
    content_type: str
    wsdl_binding: str
    binding_suffix: str
    path_suffix: str
    client: str
    server: str


SOAP_1_1 = SoapVersion(
    name="1.1",
    envelope="http://schemas.xmlsoap.org/soap/envelope/",
    content_type="text/xml; charset=utf-8",
    wsdl_binding="http://schemas.xmlsoap.org/wsdl/soap/",
    binding_suffix="Soap",
    path_suffix="",
    client="Client",
    server="Server",
)
SOAP_1_2 = SoapVersion(
    name="1.2",
    envelope="http://www.w3.org/2003/05/soap-envelope",
    content_type="application/soap+xml; charset=utf-8",
    wsdl_binding="http://schemas.xmlsoap.org/wsdl/soap12/",
    binding_suffix="Soap12",
    path_suffix="/soap12",
    client="Sender",
    server="Receiver",
)
BY_ENVELOPE = {version.envelope: version for version in (SOAP_1_1, SOAP_1_2)}
