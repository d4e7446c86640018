"""The gateway's log: one JSON object a line. Never a body, a patient's name or number."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

#: how long the line of a call may wait in memory, seconds
FLUSH_SECONDS = 0.1
_SEPARATOR = re.compile(r"[/:#]")
_OPERATION = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}\Z")
#: what a terminal or an editor acts upon and does not show: DEL and C1 controls, zero-width and
#: directional marks, line separators, byte order marks
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


class Log(Protocol):
    """What the gateway needs of a logger. ``exc_info``: an exception, told with its traceback."""

    def info(self, event: str, **fields: Any) -> Any: ...
    def warning(self, event: str, **fields: Any) -> Any: ...
    def error(self, event: str, **fields: Any) -> Any: ...


class JsonLog:
    """A Log to a stream. Warnings and errors are flushed at once; the many lines of calls within
    ``FLUSH_SECONDS``, because a system call for each would cost more than the line does."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
        self._flushing = False

    def info(self, event: str, **fields: Any) -> None:
        self._write("info", event, fields)
        if not self._flushing:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                self._stream.flush()
                return
            self._flushing = True
            loop.call_later(FLUSH_SECONDS, self._flush)

    def warning(self, event: str, **fields: Any) -> None:
        self._write("warning", event, fields)
        self._stream.flush()

    def error(self, event: str, **fields: Any) -> None:
        self._write("error", event, fields)
        self._stream.flush()

    def _write(self, level: str, event: str, fields: dict[str, Any]) -> None:
        error = fields.pop("exc_info", None)
        if isinstance(error, BaseException):
            fields["exception"] = "".join(traceback.format_exception(error))
        fields["event"] = event
        fields["level"] = level
        fields["time"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = self._encode(fields)
        if not line.isascii() or "\x7f" in line:
            line = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
        self._stream.write(line + "\n")

    def _flush(self) -> None:
        self._flushing = False
        if not self._stream.closed:
            self._stream.flush()


def json_log(stream: TextIO | None = None) -> Log:
    """A log to a stream, standard output by default."""
    return JsonLog(stream or sys.stdout)


def operation_of(soap_action: str | None) -> str | None:
    """The operation's name out of a SOAPAction header, for the log; None where it names none.

    The last part of the URI, if it looks like a name: what a caller writes there must not carry
    anything else into the log.
    """
    last = _SEPARATOR.split((soap_action or "").strip().strip('"'))[-1]
    return last if _OPERATION.match(last) else None
