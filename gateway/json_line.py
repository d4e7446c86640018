"""A JSON object on one line, and the moment that stands in it: for the log and for the audit."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(enc_hook=str).encode
#: for what is no text in UTF-8 (half of a character), which a line holds all the same
_lenient = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def json_object(fields: dict[str, Any] | msgspec.Struct) -> bytes:
    """In UTF-8, without spaces and without the end of the line."""
    try:
        return _encode(fields)
    except UnicodeEncodeError:
        plain = fields if isinstance(fields, dict) else msgspec.to_builtins(fields)
        return _lenient(plain).encode("utf-8", "surrogatepass")


@lru_cache(8)  # many calls fall into one second
def second_of(whole: int) -> str:
    """Seconds since 1970 as ISO 8601 in UTC: ``2026-11-22T03:05:09``."""
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
