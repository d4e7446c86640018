"""A document at an http(s) address, such as a WSDL, bounded in length and time."""

from __future__ import annotations

from yilian.http_session import straight

#: A WSDL is never longer; what is longer is something else.
_MOST_BYTES = 8 * 1024 * 1024


def fetched(url: str, timeout: float = 20.0) -> bytes:
    """What is there. ``timeout``: seconds to connect, and between any two pieces of the answer.
    ValueError for an address that is no http(s) one, OSError if it cannot be had."""
    if not url.lower().startswith(("http://", "https://")):
        raise ValueError("应是 http(s) 地址 / an http(s) address is expected")
    with straight().get(url, timeout=timeout, stream=True) as answer:
        if answer.status_code != 200:
            raise OSError(f"HTTP {answer.status_code}")
        body = b""
        for part in answer.iter_content(65536):
            body += part
            if len(body) > _MOST_BYTES:
                raise OSError(f"超过 {_MOST_BYTES} 字节 / longer than {_MOST_BYTES} bytes")
    return body
