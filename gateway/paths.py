"""Paths: the one spelling of a path that the gateway routes by; every other is refused.

What is routed on one spelling and forwarded in another gets past every rule in between, so
nothing is normalised here: a path is canonical or it is not.
"""

from __future__ import annotations

import re

# RFC 3986's unreserved characters. No percent sign, so nothing can be hidden by encoding; no
# ";", which some servers cut off with all that follows; no segment of dots alone.
_SEGMENT = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]{1,128}"
_CANONICAL = re.compile(rf"(?:/{_SEGMENT}){{1,8}}\Z")


class NotCanonical(ValueError):
    """A path that could be read in two ways."""


def canonical(raw: bytes | str) -> str:
    """The path, if it is in its canonical spelling; NotCanonical otherwise.

    ``raw`` is the path as it stood in the request line, before any decoding, without the query.
    """
    try:
        path = raw if isinstance(raw, str) else raw.decode("ascii")
    except UnicodeDecodeError:
        raise NotCanonical("路径含非 ASCII 字符 / the path holds non-ASCII characters") from None
    if not _CANONICAL.match(path):
        raise NotCanonical(
            "路径只能由字母、数字和 . _ ~ - 组成，段间一个斜线 / a path holds letters, digits and "
            ". _ ~ - only, with single slashes between its parts"
        )
    return path
