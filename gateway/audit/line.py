"""One line of the audit trail: a JSON object whose last member, ``h``, chains it to the one before.

``h`` is the SHA-256, in hex, of the previous line's ``h`` followed by the line's own text without
``h``. ``n`` counts the lines of a stream from 0, over all its files. So a line that is changed,
missing, inserted or moved breaks the chain at that place, and everything after it must be computed
anew to hide that; the anchors (gateway/audit/anchors.py) are what tells then.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from gateway.json_line import json_object

#: the ``h`` before a stream's first line
GENESIS = "0" * 64

#: kinds of line that tell of who asked: a call, and connections refused before there was one
ASKED = ("call", "connection")

_HASH = b',"h":"'
_TAIL = len(_HASH) + 64 + len(b'"}\n')


class NotALine(ValueError):
    """Not a whole line of an audit trail. The text says why, in Chinese and in English."""


class Line(NamedTuple):
    """A line read back. ``follows``: whether its hash is right after the given previous one."""

    n: int
    kind: str
    fields: dict[str, Any]
    h: str
    follows: bool


def seal(previous: str, n: int, fields: dict[str, Any] | msgspec.Struct) -> tuple[bytes, str]:
    """The line number ``n`` after the line whose hash is ``previous``, and its own hash."""
    members = json_object(fields)[1:-1]
    text = b'{"n":%d,%b' % (n, members) if members else b'{"n":%d' % n
    digest = sha256(previous.encode() + text).hexdigest()
    return b'%b,"h":"%b"}\n' % (text, digest.encode()), digest


def read_line(raw: bytes, previous: str) -> Line:
    """NotALine where ``raw`` is torn, or no line of ours."""
    if not raw.endswith(b'"}\n') or raw[-_TAIL : -_TAIL + len(_HASH)] != _HASH:
        raise NotALine("不是完整的审计行 / not a whole audit line")
    text, digest = raw[:-_TAIL], raw[-67:-3].decode("latin-1")
    try:
        fields = json.loads(text + b"}")
    except (ValueError, RecursionError):  # the latter of brackets in brackets: not ours
        raise NotALine("不是 JSON / not JSON") from None
    if not isinstance(fields, dict) or type(fields.get("n")) is not int:
        raise NotALine("没有行号 n / without its number n")
    expected = sha256(previous.encode() + text).hexdigest()
    return Line(fields["n"], str(fields.get("k", "")), fields, digest, digest == expected)
