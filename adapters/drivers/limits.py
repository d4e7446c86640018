"""What bounds a source's use of its database."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import URL


@dataclass(frozen=True)
class Limits:
    """Seconds are wall-clock time; ``connections`` is the most that are open at once."""

    url: URL
    connections: int
    statement_seconds: float
    login_seconds: float
    read_only: bool
