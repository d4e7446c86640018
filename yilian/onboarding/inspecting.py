"""A database that nobody here has seen: its tables, what is in them, what they may be."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import ValidationError
from sqlalchemy import Connection, column, func, select, table
from sqlalchemy import inspect as inspector_of

from adapters.config import SourceConfig
from adapters.database import Source
from services.faults import Fault, ServerFault
from yilian.onboarding.content import Content, content
from yilian.onboarding.words import KINDS, TELLING, WORDS, TableKind, fields_of
from yilian.refused import Refused

#: rows of a table that are looked at
_SAMPLE = 200


@dataclass(frozen=True)
class SeenColumn:
    name: str
    type: str
    content: Content


@dataclass(frozen=True)
class SeenTable:
    """``rows`` is None where they could not be counted in time. ``fields``: the column of each
    of its kind's fields; ``score``: how sure its kind is."""

    name: str
    rows: int | None
    columns: tuple[SeenColumn, ...]
    key: tuple[str, ...]
    kind: TableKind | None
    fields: dict[str, str]
    score: int
    unreadable: str = ""


@dataclass(frozen=True)
class Seen:
    """``quoted``: each table's and column's name as SQL needs it in this database."""

    dialect: str
    schema: str | None
    tables: tuple[SeenTable, ...]
    quoted: dict[str, str] = field(default_factory=dict)

    def best(self, kind: TableKind) -> SeenTable | None:
        """The table that is most like that kind."""
        found = [one for one in self.tables if one.kind == kind]
        return max(found, key=lambda one: (one.score, one.rows or 0), default=None)


def look(url: str, schema: str | None = None) -> Seen:
    """Everything that can be seen by reading. Refused: no such database."""
    try:
        # Nothing is asked of the adapter: a source must only have one.
        config = SourceConfig.model_validate(
            {"adapter": "bsoft_lis", "url": url, "offers": ["LabResults"]}
        )
    except ValidationError as error:
        cause = error.errors()[0].get("ctx", {}).get("error")
        zh, _, en = str(cause or error).partition(" / ")
        # Without the URL, which may hold a password.
        raise Refused(f"数据库地址有误：{zh}。", f"The database's URL: {en or zh}.") from None
    source = Source("inspect", "-", config)
    try:
        with source.connect() as connection:
            inspector = inspector_of(connection)
            names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
            prepare = connection.dialect.identifier_preparer.quote
            dialect = connection.dialect.name
        tables = [_table(source, schema, name) for name in names if not _ours(name)]
    except Fault as fault:
        raise Refused(fault.zh, fault.en, exit_code=1) from None
    finally:
        source.close()
    spelled = [one.name for one in tables]
    spelled += [column_.name for one in tables for column_ in one.columns]
    quoted = {name: str(prepare(name)) for name in spelled}
    tables.sort(key=lambda one: (one.kind is None, -one.score, one.name))
    return Seen(dialect, schema, tuple(tables), quoted)


def kind_of(columns: list[str]) -> tuple[TableKind | None, dict[str, str], int]:
    """What a table with these columns may be, its fields' columns, and how sure that is."""
    best: tuple[TableKind | None, dict[str, str], int] = (None, {}, 0)
    for kind in KINDS:
        needed, telling, least = TELLING[kind]
        fields = fields_of(columns, WORDS[kind])
        together = len(telling & set(fields))
        # What a kind does not know tells against it: a slot's table knows no specimen.
        score = 10 * together + 5 * len(fields) - max(0, len(columns) - len(fields))
        if needed <= set(fields) and together >= least and score > best[2]:
            best = (kind, fields, score)
    return best


def _ours(name: str) -> bool:
    return name.upper().startswith("YILIAN_")


def _table(source: Source, schema: str | None, name: str) -> SeenTable:
    try:
        with source.connect() as connection:
            inspector = inspector_of(connection)
            described = inspector.get_columns(name, schema)
            key = inspector.get_pk_constraint(name, schema).get("constrained_columns") or []
            names = [str(one["name"]) for one in described]
            rows = _sampled(connection, schema, name, names)
        number = _count(source, schema, name)
    except ServerFault as fault:
        return SeenTable(name, None, (), (), None, {}, 0, fault.zh)
    columns = [
        SeenColumn(column_, str(one["type"]), content([row[index] for row in rows]))
        for index, (column_, one) in enumerate(zip(names, described, strict=True))
    ]
    kind, fields, score = kind_of(names)
    by_name = {one.name: one for one in columns}
    # The name says that it is a date, and what stands in it that it is none: then it is not.
    for field_, column_ in list(fields.items()):
        if field_.endswith("Date") and by_name[column_].content.shape in ("names", "phone"):
            del fields[field_]
    fields |= _by_content(kind, columns, fields)
    return SeenTable(name, number, tuple(columns), tuple(key), kind, fields, score)


def _by_content(
    kind: TableKind | None, columns: list[SeenColumn], fields: dict[str, str]
) -> dict[str, str]:
    """Fields of a patient that a column's name does not tell and its content does."""
    found: dict[str, str] = {}
    if kind != "patients":
        return found
    for shape, field_ in (("identity number", "IdentityNo"), ("phone", "Phone")):
        for one in columns:
            free = one.name not in fields.values()
            if field_ not in fields and free and one.content.shape == shape:
                found.setdefault(field_, one.name)
    return found


def _sampled(
    connection: Connection, schema: str | None, name: str, names: list[str]
) -> list[tuple[object, ...]]:
    if not names:
        return []
    wanted: list[object] = [column(one) for one in names]
    statement = select(*wanted).select_from(table(name, schema=schema))  # type: ignore[call-overload]
    return [tuple(row) for row in connection.execute(statement.limit(_SAMPLE))]


def _count(source: Source, schema: str | None, name: str) -> int | None:
    counted = select(func.count()).select_from(table(name, schema=schema))
    try:
        with source.connect() as connection:
            return int(connection.scalar(counted) or 0)
    except ServerFault:
        return None  # a table too big to be counted in time is shown with a question mark
