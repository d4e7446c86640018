"""Names in capitals or not: a HIS whose tables were created without quotes.

Vendors write CLINIC_MASTER, and so do the adapters. A PostgreSQL that was given that name without
quotes has clinic_master, and knows no CLINIC_MASTER; so has a MariaDB on Linux whose tables were
made in lower case. Which of the two a database is, its tables tell; nobody has to configure it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.sql.compiler import IdentifierPreparer
from sqlalchemy.sql.visitors import iterate

from adapters.columns import Statement

#: where names differ by their case
_PARTICULAR = ("postgresql", "mysql", "mariadb")


def tables_of(statements: Iterable[Statement]) -> set[str]:
    """The names of the tables that these ask for."""
    found: set[str] = set()
    for statement in statements:
        for part in statement.get_final_froms():
            for one in iterate(part):
                if isinstance(one, Table) or one.__visit_name__ == "table":
                    found.add(str(getattr(one, "name", "")))
    return found


def only_in_lower_case(connection: Connection, names: Iterable[str]) -> bool:
    """Whether this database has such tables in lower case and none of them as it is written."""
    dialect = connection.dialect
    written = sorted(name for name in names if name != name.lower())
    if dialect.name not in _PARTICULAR or any(dialect.has_table(connection, n) for n in written):
        return False
    return any(dialect.has_table(connection, name.lower()) for name in written)


def write_in_lower_case(engine: Engine) -> None:
    """From now on every name of table, column and index goes to this engine in lower case. It has
    been connected before: with the first connection a dialect finds out how it quotes."""
    preparer: IdentifierPreparer = engine.dialect.identifier_preparer
    kind: Any = type(preparer)
    if not issubclass(kind, _InLowerCase):
        lowering = type(f"LowerCase{kind.__name__}", (_InLowerCase, kind), {})
        engine.dialect.identifier_preparer = lowering(engine.dialect)
        engine.clear_compiled_cache()


def spelled(connection: Connection, name: str) -> str:
    """The name as it stands in this connection's database."""
    preparer = connection.dialect.identifier_preparer
    return name.lower() if isinstance(preparer, _InLowerCase) else name


class _InLowerCase(IdentifierPreparer):
    def quote(self, ident: str) -> str:
        return super().quote(ident.lower())

    def quote_identifier(self, value: str) -> str:
        return super().quote_identifier(value.lower())
