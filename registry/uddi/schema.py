"""Checks requests against our XSDs: structure, order and lengths, before anything is read."""

from __future__ import annotations

import threading
from pathlib import Path

from lxml import etree

from registry.errors import UddiError

SCHEMA_FILE = Path(__file__).with_name("uddi_v3.xsd")
SUBSCRIPTION_SCHEMA_FILE = Path(__file__).with_name("uddi_sub_v3.xsd")


class Checker:
    """One schema; ``what`` names it in refusals."""

    def __init__(self, file: Path, what: str) -> None:
        self._schema = etree.XMLSchema(file=str(file))
        self._what = what
        # lxml keeps the errors of a validation on the schema, which all threads share.
        self._lock = threading.Lock()

    def check(self, element: etree._Element) -> None:
        """E_fatalError where the element is not as the schema says, with line and reason."""
        with self._lock:
            if self._schema.validate(element):
                return
            first = self._schema.error_log[0]
            line, reason = first.line, first.message
        raise UddiError(
            "fatalError",
            f"消息不符合 {self._what} 的结构（第 {line} 行） / the message is not as the schema of "
            f"{self._what} says (line {line}): {reason}",
        )


#: Version 3's by their namespaces.
_CHECKERS = {
    "urn:uddi-org:api_v3": Checker(SCHEMA_FILE, "UDDI 3"),
    "urn:uddi-org:sub_v3": Checker(SUBSCRIPTION_SCHEMA_FILE, "UDDI 3 subscription"),
}


def check(element: etree._Element) -> None:
    """A version 3 request. E_fatalError where it is not as the schema says."""
    _CHECKERS[etree.QName(element).namespace or ""].check(element)
