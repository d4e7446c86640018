"""What differs between databases when one connects, bounds a query or stops one: a file each."""

from __future__ import annotations

from sqlalchemy import URL

from adapters.drivers import (
    mariadb,
    mariadb_odbc,
    mssql,
    oracle,
    postgresql,
    postgresql_odbc,
    sqlite,
)
from adapters.drivers.driver import Driver

#: by database and driver, as a URL begins
DRIVERS: dict[str, Driver] = {
    "sqlite+pysqlite": sqlite.DRIVER,
    "postgresql+psycopg": postgresql.DRIVER,
    "postgresql+pyodbc": postgresql_odbc.DRIVER,
    "mariadb+pymysql": mariadb.DRIVER,
    "mysql+pymysql": mariadb.DRIVER,
    "mariadb+pyodbc": mariadb_odbc.DRIVER,
    "mysql+pyodbc": mariadb_odbc.DRIVER,
    "oracle+oracledb": oracle.DRIVER,
    "mssql+pyodbc": mssql.DRIVER,
}


def with_driver(url: URL) -> URL:
    """The URL with its driver: the first one of its database where none was named."""
    if "+" in url.drivername:
        return url
    for name in DRIVERS:
        if name.startswith(f"{url.drivername}+"):
            return url.set(drivername=name)
    return url
