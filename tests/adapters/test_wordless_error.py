"""An error for which MariaDB's ODBC driver has no words is taken for a lost connection."""

from __future__ import annotations

import pyodbc

from adapters.drivers import mariadb_odbc
from services.faults import SourceError, SourceUnavailable


def test_an_error_without_words_is_a_lost_connection() -> None:
    wordless = pyodbc.Error("HY000", "The driver did not supply an error!")
    assert mariadb_odbc.fault(wordless) is SourceUnavailable
    no_memory = pyodbc.Error("HY001", "[HY001] [MySQL][ODBC] memory allocation error")
    assert mariadb_odbc.fault(no_memory) is SourceUnavailable
    assert mariadb_odbc.fault(pyodbc.Error("HY000", "[HY000] something else")) is SourceError
    assert mariadb_odbc.detail(wordless)
