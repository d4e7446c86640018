"""What HAProxy itself answers: SOAP Faults that a SOAP client can read, with the id in its log."""

from __future__ import annotations

from collections.abc import Iterator

#: status, the Fault's code as services.faults has it, and what to say
_ERRORS = (
    (400, "MalformedMessage", "HTTP 请求不合规范", "the HTTP request is not well-formed"),
    (408, "MalformedMessage", "请求没有及时收完", "the request did not arrive in time"),
    (429, "Overloaded", "请求过于频繁，请稍后重试", "too many requests; try again in a moment"),
    (500, "InternalError", "网关前置代理出错", "the proxy in front of the gateway failed"),
    (502, "SourceUnavailable",
     "网关没有给出可用的应答，操作可能已执行，重试写操作时请使用同一 RequestId",
     "the gateway gave no usable answer; the call may have been carried out: repeat a write with "
     "the same RequestId"),
    (503, "SourceUnavailable", "目前没有可用的网关，本次调用未送达，请稍后重试",
     "no gateway is available; the call was not delivered, try again later"),
    (504, "SourceTimeout", "网关没有及时应答，操作可能已执行，重试写操作时请使用同一 RequestId",
     "the gateway did not answer in time; the call may have been carried out: repeat a write with "
     "the same RequestId"),
)  # fmt: skip


def error_lines() -> Iterator[str]:
    """``http-error`` directives of a frontend whose ``unique-id-format`` is set."""
    for status, code, zh, en in _ERRORS:
        yield (
            f'    http-error status {status} content-type "text/xml; charset=utf-8" '
            f"lf-string '{_fault(code, zh, en)}' hdr X-Request-Id %[unique-id]"
        )


def _fault(code: str, zh: str, en: str) -> str:
    """A SOAP 1.1 Fault, with no quote of its own in it."""
    side = "Client" if code == "MalformedMessage" else "Server"
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f"<soap:Fault><faultcode>soap:{side}</faultcode><faultstring>{zh} / {en}</faultstring>"
        f'<detail><Fault xmlns="urn:yilian:fault:1"><Code>{code}</Code><Message>{zh}</Message>'
        f"<MessageEn>{en}</MessageEn><RequestId>%[unique-id]</RequestId></Fault></detail>"
        "</soap:Fault></soap:Body></soap:Envelope>"
    )
