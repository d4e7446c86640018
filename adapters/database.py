"""A hospital's database as a Source: engine, timeouts; its failures become Faults.

A HIS is fragile: a bulkhead (adapters/bulkhead.py) bounds how many calls run in it and wait, and
every statement ends by ``statement_timeout_seconds``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, exc
from sqlalchemy.pool import QueuePool

from adapters.bulkhead import Bulkhead, Unwanted
from adapters.columns import Statement
from adapters.drivers import DRIVERS
from adapters.drivers.limits import Limits
from adapters.spelling import only_in_lower_case, tables_of, write_in_lower_case
from adapters.values import Unreadable
from services.faults import Overloaded, ServerFault, SourceError, SourceTimeout, SourceUnavailable

if TYPE_CHECKING:
    from adapters.config import SourceConfig


class Source(Bulkhead):
    """One database of one hospital. ``name`` is the configuration's, ``hospital`` the code."""

    def __init__(self, name: str, hospital: str, config: SourceConfig) -> None:
        super().__init__(name, hospital, config)
        self._driver = DRIVERS[config.url.drivername]
        self._engine = self._driver.engine(
            Limits(
                url=config.url,
                connections=config.pool_size,
                statement_seconds=config.statement_timeout_seconds,
                login_seconds=config.login_timeout_seconds,
                read_only=config.read_only,
                text_encoding=config.text_encoding,
            )
        )

        self._statements: Callable[[], Iterable[Statement]] = tuple
        self._spelled = False  # whether it is known how the database spells their tables' names

    # --- for the host -------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Of the bulkhead, which database it is, and the connections that are open now."""
        return {
            **super().state(),
            "database": self.config.url.get_backend_name(),
            "connections": self.connections(),
        }

    def connections(self) -> int:
        """How many are open to the database, at work or idle in the pool."""
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)  # every driver's is
        return pool.checkedout() + pool.checkedin()

    # --- for adapters ---------------------------------------------------------------------------

    def will_ask(self, statements: Callable[[], Iterable[Statement]]) -> None:
        """What the adapter will ask for. With the first connection the database is asked whether
        it has these tables' names in lower case (adapters/spelling.py)."""
        self._statements = statements

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection for the body of the ``with``. Whatever the database does wrong in it is
        raised as SourceUnavailable, SourceTimeout or SourceError, without SQL parameters."""
        try:
            with self._engine.connect() as connection, self._holding(connection.connection):
                if not self._spelled:
                    self._learn_spelling(connection)
                yield connection
        except exc.SQLAlchemyError as error:
            raise self._database_fault(error) from error
        except Unreadable as unreadable:
            raise self.broken_row(unreadable.table, unreadable.key, unreadable) from None
        except Unwanted:
            raise self._closed_fault() from None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """As ``connect``, in a transaction: committed at the end, undone by any exception."""
        with self.connect() as connection, connection.begin():
            yield connection

    def undone(self, fault: ServerFault) -> bool:
        """Whether a transaction ended in this fault only because the database undid it for the
        sake of another one, so that it may be done again."""
        error = fault.__cause__
        if not isinstance(error, exc.DBAPIError) or error.orig is None:
            return False
        return self._driver.undone(error.orig)

    def broken_row(self, table: str, key: str, unreadable: Unreadable) -> SourceError:
        """The SourceError for a row that breaks the contract. ``key`` as ``TEST_NO=2611210001``."""
        column = unreadable.column
        return self.fault(
            SourceError,
            f"{self._where_zh}的表 {table} 中 {key} 一行的 {column} {unreadable.zh}。请更正该行。",
            f"{self._where_en}, table {table}, row {key}: {column} {unreadable.en}. "
            "Correct that row.",
            field=column,
        )

    # --- inside -----------------------------------------------------------------------------------

    def _learn_spelling(self, connection: Connection) -> None:
        if only_in_lower_case(connection, tables_of(self._statements())):
            write_in_lower_case(self._engine)
        connection.rollback()
        self._spelled = True

    def _interrupt(self, connection: Any) -> None:
        self._driver.interrupt(connection)

    def _release(self) -> None:
        self._engine.dispose()

    def _database_fault(self, error: exc.SQLAlchemyError) -> ServerFault:
        if isinstance(error, exc.TimeoutError):
            return self._overloaded("pool")
        full = False
        if not isinstance(error, exc.DBAPIError) or error.orig is None:
            kind: type[ServerFault] = SourceError
            detail = type(error).__name__
        else:
            kind = self._driver.fault(error.orig)
            detail = self._driver.detail(error.orig)
            full = self._driver.full(error.orig)
        if kind is Overloaded:
            return self.fault(
                kind,
                f"{self._where_zh}的数据库已满，不再接受连接。请稍后再试。（{detail}）",
                f"The database of source {self.name} of hospital {self.hospital} is full and "
                f"takes no more connections. Try again in a moment. ({detail})",
            )
        if kind is SourceTimeout:
            seconds = self.config.statement_timeout_seconds
            return self.fault(
                kind,
                f"{self._where_zh}在 {seconds:g} 秒内没有答复。请稍后再试；若总是如此，"
                f"请检查数据库的负载、锁和索引。（{detail}）",
                f"{self._where_en} did not answer within {seconds:g} s. Try again later; if it "
                f"goes on, look at the database's load, locks and indexes. ({detail})",
            )
        if kind is SourceUnavailable:
            return self.fault(
                kind,
                f"{self._where_zh}无法连接。请检查数据库是否在运行、url 是否正确。（{detail}）",
                f"{self._where_en} cannot be reached. Check that the database is up and that "
                f"the url is right. ({detail})",
            )
        if full:
            return self.fault(
                kind,
                f"{self._where_zh}的数据库磁盘已满，本次未写入任何内容。请立即清理或扩容；"
                f"有了空间即自动恢复，届时用同一请求重试。（{detail}）",
                f"The disk of the database of source {self.name} of hospital {self.hospital} is "
                "full; nothing was written. Make room: service then returns by itself, and the "
                f"same request may be sent again. ({detail})",
            )
        return self.fault(
            kind,
            f"{self._where_zh}答以错误：{detail}。请检查表结构与适配器设置是否相符。",
            f"{self._where_en} answered with an error: {detail}. Check that its tables are as "
            "the adapter's settings say.",
        )
