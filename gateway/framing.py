"""What the transport refuses of a request's head: where it ends must be beyond doubt, and whom it
is for.

Most of it httptools (llhttp, strict) refuses by itself: Content-Length with Transfer-Encoding, two
lengths, folded lines, bare CR or LF, NUL, bad chunk sizes. What it lets through is here.
"""

from __future__ import annotations

from gateway.head import Refused
from services.faults import MalformedMessage

Headers = list[tuple[bytes, bytes]]


def check_framing(version: str, headers: Headers) -> bool:
    """Whether a 100 Continue is waited for. Refused where two readers could find two ends of the
    body, or it is another protocol."""
    if version not in ("1.1", "1.0"):
        raise refused(
            505,
            "http-version",
            f"不支持 HTTP/{version}，请用 HTTP/1.1",
            f"HTTP/{version} is not spoken here; use HTTP/1.1",
        )
    codings = expected = 0
    for name, value in headers:
        if name == b"transfer-encoding":
            codings += 1
            if codings > 1 or value.strip().lower() != b"chunked" or version == "1.0":
                raise _coding()
        elif name == b"expect":
            expected = 1
            if value.strip().lower() == b"100-continue":
                continue
            raise refused(
                417,
                "expect",
                "HTTP 头 Expect 只能是 100-continue",
                "the HTTP header Expect can only be 100-continue",
            )
    return expected == 1 and version == "1.1"


def split_target(url: bytes, headers: Headers) -> tuple[bytes, bytes]:
    """Path and query of a request's target. One in absolute form must name the host that the
    header Host names: a target that leads elsewhere is for a proxy, which this is not."""
    if not url.startswith(b"/"):
        scheme, _, rest = url.partition(b"://")
        authority, slash, path = rest.partition(b"/")
        hosts = [value.strip() for name, value in headers if name == b"host"]
        if scheme.lower() not in (b"http", b"https") or not slash or [authority] != hosts:
            raise refused(
                400,
                "request-target",
                "请求行的地址须以 / 开头，本网关不是正向代理",
                "the address in the request line must begin with /; this is no forward proxy",
            )
        url = slash + path
    path, _, query = url.partition(b"?")
    return path, query


def malformed(problem: str) -> Refused:
    """What is no proper HTTP, by the parser's own words."""
    return refused(
        400,
        "http-syntax",
        f"不是规范的 HTTP 请求（{problem}）",
        f"not a proper HTTP request: {problem}",
    )


def head_too_large(limit: int) -> Refused:
    return refused(
        431,
        "max_head_bytes",
        f"请求头超过 {limit} 字节的上限",
        f"the request's head is larger than {limit} bytes",
    )


def too_many_headers(limit: int) -> Refused:
    return refused(
        431,
        "max_headers",
        f"请求头超过 {limit} 行的上限",
        f"the request has more than {limit} header lines",
    )


def head_too_slow(seconds: float) -> Refused:
    return refused(
        408,
        "head_seconds",
        f"请求头在 {seconds:g} 秒内没有收完",
        f"the request's head took longer than {seconds:g} s",
    )


def refused(status: int, rule: str, zh: str, en: str) -> Refused:
    """A refusal of the step "connection"."""
    return Refused(status, MalformedMessage(zh, en), step="connection", rule=rule)


def _coding() -> Refused:
    return refused(
        400,
        "transfer-encoding",
        "Transfer-Encoding 只能出现一次，且只能是 chunked（HTTP/1.1）",
        "Transfer-Encoding may stand once and only say chunked, with HTTP/1.1",
    )
