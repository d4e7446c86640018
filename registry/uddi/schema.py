"""Checks requests against uddi_v3.xsd: structure, order and lengths, before anything is read."""

from __future__ import annotations

import threading
from pathlib import Path

from lxml import etree

from registry.errors import UddiError

SCHEMA_FILE = Path(__file__).with_name("uddi_v3.xsd")

_schema = etree.XMLSchema(file=str(SCHEMA_FILE))
# lxml keeps the errors of a validation on the schema, which all threads share.
_lock = threading.Lock()


def check(element: etree._Element) -> None:
    """E_fatalError where the element is not as the schema says, with line and reason."""
    with _lock:
        if _schema.validate(element):
            return
        first = _schema.error_log[0]
        line, reason = first.line, first.message
    raise UddiError(
        "fatalError",
        f"消息不符合 UDDI 3 的结构（第 {line} 行） / the message is not as UDDI 3's schema says "
        f"(line {line}): {reason}",
    )
