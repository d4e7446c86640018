"""The ledger: a table of ours in the HIS's own database that makes a write happen once.

The first thing that a write does in its transaction is to insert its RequestId; the last is to
keep its answer beside it. So a repeated request finds either nothing (the first one left nothing
behind and this one runs) or the answer (the first one is done, also where the caller never heard
of it). Two at once: the second waits at the primary key and then finds the answer.

A Fault undoes everything, the RequestId included: the same request may be sent again later.

The order in which a write takes rows is the same everywhere, so that no two wait for each other:
the ledger's row, the session's counters, our own rows, the HIS's rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Column, Connection, MetaData, Table, Text, insert, select, update
from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.exc import IntegrityError

from adapters.columns import table
from adapters.database import Source
from adapters.own_tables import OwnTables
from services.faults import Conflict, Overloaded, SourceTimeout

T = TypeVar("T")

METADATA = MetaData()

REQUEST = table(
    METADATA,
    "YILIAN_REQUEST",
    """
    *REQUEST_ID C64, OPERATION C64, DIGEST C64, CREATED_AT D
    """,
)
# As long as it gets, and ASCII alone: the database's character set has no say in it.
REQUEST.append_column(Column("ANSWER", Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")))

#: times that a write is begun again because another one changed what it had read, or because the
#: database undid it to end a deadlock
_ATTEMPTS = 20


class Changed(Exception):
    """Raised in ``work``: a row is no longer as this transaction read it. All is undone, and the
    work is done again on what is there now."""


class Ledger:
    """The ledger of one source. ``clock`` gives local time without a zone; ``tables`` are those
    of ours that the writes need beside it."""

    def __init__(
        self,
        source: Source,
        clock: Callable[[], datetime] = datetime.now,
        tables: Sequence[Table] = (),
    ) -> None:
        self._source = source
        self._clock = clock
        self._tables = OwnTables(source, (REQUEST, *tables))

    def prepare(self) -> None:
        """Make the tables of ours that are missing; done before the first write anyway. A
        source that is only read from is left alone."""
        if not self._source.config.read_only:
            self._tables.make()

    def once(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        answer: type[T],
        work: Callable[[Connection], T],
    ) -> T:
        """What ``work`` answers, in a transaction that also keeps the answer; or what it answered
        when this request came before. ``arguments`` are the operation's, RequestId among them.

        ``work`` may raise Changed, and is then called again in a new transaction.
        Conflict: the RequestId was used for something else, or the source is only read from.
        """
        if self._source.config.read_only:
            raise self._only_read(operation)
        self.prepare()
        request_id = str(arguments["RequestId"])
        digest = _digest(operation, arguments)
        for _ in range(_ATTEMPTS):
            try:
                return self._first(operation, request_id, digest, answer, work)
            except _Seen:
                found = self._answered(request_id)
                # None: the one that we waited for was undone, so this one is the first.
                if found is not None:
                    return self._again(found, operation, digest, answer)
            except Changed:
                continue
            except SourceTimeout as fault:
                if not self._source.undone(fault):
                    raise
        raise self._source.fault(
            Overloaded,
            "同一登记正被其他请求反复修改，请稍后用同一请求号再试。",
            "Others keep changing the same rows. Try again in a moment with the same RequestId.",
        )

    def _first(
        self,
        operation: str,
        request_id: str,
        digest: str,
        answer: type[T],
        work: Callable[[Connection], T],
    ) -> T:
        with self._source.transaction() as connection:
            row = {
                "REQUEST_ID": request_id,
                "OPERATION": operation,
                "DIGEST": digest,
                "CREATED_AT": self._clock().replace(microsecond=0),
            }
            try:
                connection.execute(insert(REQUEST).values(row))
            except IntegrityError:
                raise _Seen from None
            result = work(connection)
            kept = TypeAdapter(answer).dump_json(result, ensure_ascii=True).decode()
            connection.execute(
                update(REQUEST).where(REQUEST.c.REQUEST_ID == request_id).values(ANSWER=kept)
            )
        return result

    def _answered(self, request_id: str) -> tuple[str, str, str] | None:
        chosen = select(REQUEST.c.OPERATION, REQUEST.c.DIGEST, REQUEST.c.ANSWER)
        with self._source.connect() as connection:
            row = connection.execute(chosen.where(REQUEST.c.REQUEST_ID == request_id)).first()
        return None if row is None else (row[0].rstrip(), row[1].rstrip(), row[2])

    def _again(
        self, found: tuple[str, str, str], operation: str, digest: str, answer: type[T]
    ) -> T:
        first_operation, first_digest, kept = found
        if (first_operation, first_digest) != (operation, digest):
            raise self._source.fault(
                Conflict,
                f"请求号已用于另一内容的 {first_operation}；重试须原样发送，新请求须用新的请求号。",
                f"This RequestId was used by a different {first_operation}. Send a retry "
                "unchanged, and a new request under a new RequestId.",
                field="RequestId",
            )
        return TypeAdapter(answer).validate_json(kept)

    def _only_read(self, operation: str) -> Conflict:
        name = self._source.name
        return self._source.fault(
            Conflict,
            f"本院的数据源 {name} 只供读取，不能执行 {operation}。"
            "需要时请运维设 read_only = false。",
            f"Source {name} is only read from, so {operation} is not possible here. If it should "
            "be, the operator sets read_only = false.",
        )


class _Seen(Exception):
    """The RequestId stands in the ledger, or another request is just writing it."""


def _digest(operation: str, arguments: Mapping[str, Any]) -> str:
    """What the request asks for, as 64 hexadecimal digits, without any of it in clear."""
    asked = {name: _plain(value) for name, value in arguments.items() if name != "RequestId"}
    text = json.dumps([operation, asked], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")  # 25.0 and 25.00 ask for the same
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
