"""Several gateways' trails in one database, for whoever asks across all of them.

The files beside each gateway stay the record, since they are written before a call is answered.
``collect`` copies their lines, whole and in order, and may be run as often as one likes; a line
is there once, by stream and number. ``verify`` reads the copies like files, ``search_in`` finds
the calls of all gateways together.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.audit.files import TrailFile, files_in
from gateway.audit.line import ASKED, GENESIS, Line, NotALine, read_line
from gateway.audit.search import Wanted

__all__ = ["collect", "search_in", "streams_in", "trail"]

#: lines copied in one transaction
_GROUP = 2000

metadata = MetaData()

trail = Table(
    "yilian_audit",
    metadata,
    Column("stream", String(80), primary_key=True),
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("time", DateTime(timezone=True)),
    Column("request_id", String(64)),
    Column("caller", String(255)),
    Column("hospital", String(64)),
    Column("service", String(255)),
    Column("operation", String(255)),
    Column("patient", String(255)),
    Column("outcome", String(16)),
    Column("fault", String(64)),
    Column("step", String(16)),
    Column("ms", Double),
    Column("node", Text),
    # exactly the bytes of the file, which is what the chain is computed over
    Column("line", Text, nullable=False),
    Index("yilian_audit_by_time", "time"),
    Index("yilian_audit_by_request", "request_id"),
    Index("yilian_audit_by_patient", "patient", "time"),
    Index("yilian_audit_by_hospital", "hospital", "time"),
)


def collect(folder: Path, engine: Engine) -> dict[str, int]:
    """Copy what is new; how many lines of each stream. Several may run at the same time, also for
    one stream. OSError; SQLAlchemyError; what was copied in whole groups before stays."""
    _make_table(engine)
    copied: dict[str, int] = {}
    ends: dict[str, int] = {}
    files = files_in(folder)
    for file, following in zip_longest(files, files[1:]):
        if file.stream not in ends:
            ends[file.stream] = _last_copied(engine, file.stream)
            copied[file.stream] = 0
        if following is not None and following.stream == file.stream:
            first = _first_number(following)
            if first is not None and first <= ends[file.stream] + 1:
                continue  # it was copied in an earlier run, to its end
        for group in _groups(file, ends[file.stream]):
            copied[file.stream] += _insert_new(engine, file.stream, group)
            ends[file.stream] = group[-1][1].n
    return copied


def streams_in(engine: Engine) -> dict[str, list[CollectedLines]]:
    """What ``gateway.audit.verify`` reads in place of files."""
    with engine.connect() as connection:
        names = connection.execute(select(trail.c.stream).distinct()).scalars()
        return {name: [CollectedLines(engine, name)] for name in names}


def search_in(engine: Engine, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The calls' lines as JSON objects, with ``stream`` added, in the order of their time.
    SQLAlchemyError."""
    query = select(trail.c.stream, trail.c.line).where(trail.c.kind.in_(ASKED))
    for name in ("request_id", "caller", "hospital", "service", "operation", "outcome", "fault"):
        if getattr(wanted, name):
            query = query.where(trail.c[name] == getattr(wanted, name))
    if wanted.patients:
        query = query.where(trail.c.patient.in_(wanted.patients))
    if wanted.since is not None:
        query = query.where(trail.c.time >= wanted.since)
    if wanted.until is not None:
        query = query.where(trail.c.time < wanted.until)
    query = query.order_by(trail.c.time, trail.c.stream, trail.c.n)
    with engine.connect() as connection:
        for stream, text in connection.execution_options(yield_per=_GROUP).execute(query):
            yield {"stream": stream, **read_line(_raw(text), GENESIS).fields}


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass") + b"\n"


class CollectedLines:
    """One stream's lines out of the database, like those of one file."""

    number = 1

    def __init__(self, engine: Engine, stream: str) -> None:
        self._engine = engine
        self.stream = stream
        self.name = f"{trail.name}/{stream}"

    def lines(self) -> Iterator[bytes]:
        query = select(trail.c.line).where(trail.c.stream == self.stream).order_by(trail.c.n)
        with self._engine.connect() as connection:
            for text in connection.execution_options(yield_per=_GROUP).execute(query).scalars():
                yield _raw(text)


def _last_copied(engine: Engine, stream: str) -> int:
    query = select(func.max(trail.c.n)).where(trail.c.stream == stream)
    with engine.connect() as connection:
        last = connection.execute(query).scalar()
    return -1 if last is None else int(last)


def _first_number(file: TrailFile) -> int | None:
    """Of its first line; None where that cannot be told."""
    for raw in file.lines():
        try:
            return read_line(raw, GENESIS).n
        except NotALine:
            break
    return None


def _groups(file: TrailFile, after: int) -> Iterator[list[tuple[bytes, Line]]]:
    group: list[tuple[bytes, Line]] = []
    for raw in file.lines():
        try:
            line = read_line(raw, GENESIS)
        except NotALine:
            continue  # torn, or being written at this moment: the next run sees it whole
        if line.n > after:
            group.append((raw, line))
        if len(group) == _GROUP:
            yield group
            group = []
    if group:
        yield group


def _make_table(engine: Engine) -> None:
    try:
        metadata.create_all(engine)
    except DBAPIError:
        if not inspect(engine).has_table(trail.name):  # else another run has made it meanwhile
            raise


def _insert_new(engine: Engine, stream: str, group: list[tuple[bytes, Line]]) -> int:
    """How many of the lines were not there; another run may be copying the same ones."""
    while group:
        try:
            with engine.begin() as connection:
                _insert(connection, stream, group)
            return len(group)
        except IntegrityError:
            last = _last_copied(engine, stream)
            rest = [one for one in group if one[1].n > last]
            if len(rest) == len(group):
                raise
            group = rest
    return 0


def _insert(connection: Connection, stream: str, group: list[tuple[bytes, Line]]) -> None:
    connection.execute(insert(trail), [_row(stream, raw, line) for raw, line in group])


def _row(stream: str, raw: bytes, line: Line) -> dict[str, Any]:
    fields = line.fields
    # What is too long for its column is cut there: the line itself has it whole.
    row: dict[str, Any] = {name: _cut(fields.get(name), length) for name, length in _SAME.items()}
    time = fields.get("t")
    row.update(
        stream=stream,
        n=line.n,
        kind=line.kind,
        time=datetime.fromisoformat(str(time)).astimezone(UTC) if time else None,
        request_id=fields.get("id"),
        line=raw[:-1].decode("utf-8", "surrogatepass"),
    )
    return row


def _cut(value: Any, length: int | None) -> Any:
    return value[:length] if isinstance(value, str) else value


_SAME = {
    name: getattr(trail.c[name].type, "length", None)
    for name in (
        *("caller", "hospital", "service", "operation", "patient", "outcome", "fault", "step"),
        *("ms", "node"),
    )
}
