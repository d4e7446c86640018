"""Tables of ours in a hospital's own database: made at start where they are missing."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable

from adapters.database import Source
from adapters.spelling import spelled
from services.faults import SourceError


class OwnTables:
    """The YILIAN_ tables that one adapter needs. Only a source that may be written to has them."""

    def __init__(self, source: Source, tables: Sequence[Table]) -> None:
        self._source = source
        self._tables = tables
        self._there = False
        self._lock = threading.Lock()

    def make(self) -> None:
        """Make what is missing; afterwards it costs nothing. SourceError: the account may not,
        with the statements that the database's administrator has to run."""
        if self._there:
            return
        with self._lock:
            if not self._there:
                self._create()
            self._there = True

    def ddl(self) -> str:
        """The statements that make all of them, in this database's own SQL."""
        with self._source.connect() as connection:
            return _ddl(connection, self._tables)

    def _missing(self) -> list[Table]:
        with self._source.connect() as connection:
            inspector = inspect(connection)
            return [
                table
                for table in self._tables
                if not inspector.has_table(spelled(connection, table.name))
            ]

    def _create(self) -> None:
        for table in self._missing():
            try:
                with self._source.transaction() as connection:
                    _create(connection, table)
            except SourceError as refused:
                missing = self._missing()
                if table not in missing:
                    continue  # another node made it at the same moment
                with self._source.connect() as connection:
                    statements = _ddl(connection, missing)
                name = self._source.name
                raise self._source.fault(
                    SourceError,
                    f"数据源 {name} 缺少本系统的表，且现用账号无权建表（{refused.zh}）。"
                    f"请由数据库管理员执行：\n{statements}",
                    f"Source {name} lacks tables of ours, and the account may not create them. "
                    f"Have the database's administrator run:\n{statements}",
                ) from refused


def _create(connection: Connection, table: Table) -> None:
    """The table with its indexes: whoever sees it may already use it."""
    if connection.dialect.name not in ("mysql", "mariadb"):
        table.create(connection)
        return
    # There an index is a statement of its own that commits, and waits for those who use the table
    # meanwhile while they wait for each other. So it is made under another name, by one at a time.
    making = f"{table.name}_MAKING"
    connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), {"name": making, "seconds": 5})
    try:
        if inspect(connection).has_table(spelled(connection, table.name)):
            return
        new = table.to_metadata(MetaData(), name=making)
        new.drop(connection, checkfirst=True)  # of one who was killed in the middle
        new.create(connection)
        quote = connection.dialect.identifier_preparer.quote
        connection.exec_driver_sql(f"RENAME TABLE {quote(making)} TO {quote(table.name)}")
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": making})


def _ddl(connection: Connection, tables: Sequence[Table]) -> str:
    made = []
    for table in tables:
        made.append(str(CreateTable(table).compile(connection)).strip())
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        made += [str(CreateIndex(index).compile(connection)).strip() for index in indexes]
    return ";\n".join(made) + ";"
