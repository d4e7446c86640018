"""Faults that the HTTP head or the size of the body decide, before a message is looked at."""

from __future__ import annotations

from services.faults import MalformedMessage
from services.soap.exchange import Endpoint, Reply, fault_reply, version_of


def compressed(encoding: str, endpoint: Endpoint, content_type: str | None) -> Reply | None:
    """The refusal of a Content-Encoding, or None where it is none. A body that has to be unpacked
    hides from every limit."""
    encoding = encoding.lower()
    if encoding == "identity":
        return None
    fault = MalformedMessage(
        f"不接受压缩的报文（Content-Encoding: {encoding[:40]}），请直接发送 XML",
        f"a body with Content-Encoding {encoding[:40]} is not accepted; send plain XML",
        hospital=endpoint.hospital,
    )
    return _refused(fault, endpoint, content_type, 415)


def too_large(endpoint: Endpoint, content_type: str | None) -> Reply:
    """The refusal of a body that exceeds the endpoint's limit."""
    limit = endpoint.limits.size
    fault = MalformedMessage(
        f"报文超过 {limit} 字节", f"the message exceeds {limit} bytes", hospital=endpoint.hospital
    )
    return _refused(fault, endpoint, content_type, 413)


def _refused(
    fault: MalformedMessage, endpoint: Endpoint, content_type: str | None, status: int
) -> Reply:
    endpoint.calls["", fault.code] += 1
    return fault_reply(fault, version_of(content_type), status=status)
