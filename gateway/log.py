"""The gateway's log: one JSON object a line. Never a body, a patient's name or number."""

from __future__ import annotations

import asyncio
import re
import sys
import time
import traceback
from typing import Any, Protocol, TextIO

from gateway.json_line import json_object, second_of

#: how long the line of a call may wait in memory, seconds
FLUSH_SECONDS = 0.1
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
        now = time.time()
        whole = int(now)
        fields["time"] = f"{second_of(whole)}.{int((now - whole) * 1e6):06}Z"
        line = json_object(fields).decode("utf-8", "replace")
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
