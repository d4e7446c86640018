"""UDDI 2 and 1: which operations they have, their namespaces, and checking their requests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from registry.errors import UddiError
from registry.uddi.schema import Checker


@dataclass(frozen=True, slots=True)
class Older:
    """``ports``: what is served at which /uddi/<port>; security stands beside publication here,
    because clients of version 2 know two addresses only."""

    number: int
    namespace: str
    generic: str
    checker: Checker
    ports: dict[str, frozenset[str]]

    def q(self, name: str) -> str:
        return f"{{{self.namespace}}}{name}"

    def check(self, request: etree._Element) -> None:
        """E_unrecognizedVersion for another generic than this version's, E_fatalError where the
        request is not as the schema says."""
        if request.get("generic", "").strip() != self.generic:
            raise UddiError(
                "unrecognizedVersion",
                f"{self.namespace} 的消息应有 generic={self.generic!r} / a message of "
                f"{self.namespace} must have generic={self.generic!r}",
            )
        self.checker.check(request)

    def has(self, name: str, port: str) -> bool:
        """E_unsupported, naming the right address, where the operation is served elsewhere."""
        if name in self.ports.get(port, ()):
            return True
        for other, operations in self.ports.items():
            if name in operations:
                raise UddiError(
                    "unsupported",
                    f"{name} 不在这里，请发往 /uddi/{other} / {name} is not served here but "
                    f"at /uddi/{other}",
                )
        return False


_INQUIRY = frozenset(
    {
        "find_business",
        "find_service",
        "find_binding",
        "find_tModel",
        "get_businessDetail",
        "get_businessDetailExt",
        "get_serviceDetail",
        "get_bindingDetail",
        "get_tModelDetail",
    }
)
_SECURITY = frozenset({"get_authToken", "discard_authToken"})
_PUBLICATION = frozenset(
    {
        "save_business",
        "save_service",
        "save_binding",
        "save_tModel",
        "delete_business",
        "delete_service",
        "delete_binding",
        "delete_tModel",
        "get_registeredInfo",
        "add_publisherAssertions",
        "set_publisherAssertions",
        "delete_publisherAssertions",
        "get_publisherAssertions",
        "get_assertionStatusReport",
    }
)

_HERE = Path(__file__)

V2 = Older(
    2,
    "urn:uddi-org:api_v2",
    "2.0",
    Checker(_HERE.with_name("uddi_v2.xsd"), "UDDI 2"),
    {
        "inquiry": _INQUIRY | {"find_relatedBusinesses"},
        "publish": _PUBLICATION | _SECURITY,
        "security": _SECURITY,
    },
)

V1 = Older(
    1,
    "urn:uddi-org:api",
    "1.0",
    Checker(_HERE.with_name("uddi_v1.xsd"), "UDDI 1"),
    {"inquiry": _INQUIRY},
)

OLDER = {version.namespace: version for version in (V2, V1)}
