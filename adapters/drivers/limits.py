"""What bounds a source's use of its database."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import URL

#: seconds that a server is given to end a statement itself before the connection is cut
GRACE = 1.0


@dataclass(frozen=True)
class Limits:
    """Seconds are wall-clock time; ``connections`` is the most that are open at once.
    ``text_encoding``: the Python codec of text that the database itself does not know the
    encoding of; empty: it knows."""

    url: URL
    connections: int
    statement_seconds: float
    login_seconds: float
    read_only: bool
    text_encoding: str = ""
