"""The gateway's log: one JSON object a line. Never a body, a patient's name or number."""

from __future__ import annotations

import re
import sys
from typing import Any, Protocol, TextIO

import structlog

_OPERATION = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}\Z")


class Log(Protocol):
    """What the gateway needs of a logger; structlog's bound loggers are such."""

    def info(self, event: str, **fields: Any) -> Any: ...
    def warning(self, event: str, **fields: Any) -> Any: ...
    def error(self, event: str, **fields: Any) -> Any: ...


def json_log(stream: TextIO | None = None) -> Log:
    """A log to a stream, standard output by default, whatever structlog is configured to."""
    log: Log = structlog.wrap_logger(
        structlog.WriteLogger(stream or sys.stdout),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.BoundLogger,
    )
    return log


def operation_of(soap_action: str | None) -> str | None:
    """The operation's name out of a SOAPAction header, for the log; None where it names none.

    The last part of the URI, if it looks like a name: what a caller writes there must not carry
    anything else into the log.
    """
    last = re.split(r"[/:#]", (soap_action or "").strip().strip('"'))[-1]
    return last if _OPERATION.match(last) else None
