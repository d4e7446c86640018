"""The ledger: a table of ours in the HIS's own database that makes a write happen once.

The first thing that a write does in its transaction is to insert its RequestId; the last is to
keep its answer beside it. So a repeated request finds either nothing (the first one left nothing
behind and this one runs) or the answer (the first one is done, also where the caller never heard
of it). Two at once: the second waits at the primary key and then finds the answer.

A Fault undoes everything, the RequestId included: the same request may be sent again later.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Connection, MetaData, insert, select, update
from sqlalchemy.exc import IntegrityError

from adapters.columns import table
from adapters.database import Source
from services.faults import Conflict

T = TypeVar("T")

METADATA = MetaData()

REQUEST = table(
    METADATA,
    "YILIAN_REQUEST",
    """
    *REQUEST_ID C64, OPERATION C64, DIGEST C64, ANSWER C4000, CREATED_AT D
    """,
)


class Ledger:
    """The ledger of one source. ``clock`` gives local time without a zone."""

    def __init__(self, source: Source, clock: Callable[[], datetime] = datetime.now) -> None:
        self._source = source
        self._clock = clock

    def once(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        answer: type[T],
        work: Callable[[Connection], T],
    ) -> T:
        """What ``work`` answers, in a transaction that also keeps the answer; or what it answered
        when this request came before. ``arguments`` are the operation's, RequestId among them.

        Conflict: the RequestId was used for something else.
        """
        request_id = str(arguments["RequestId"])
        digest = _digest(operation, arguments)
        while True:
            try:
                return self._first(operation, request_id, digest, answer, work)
            except _Seen:
                found = self._answered(request_id)
                # None: the one that we waited for was undone, so this one is the first.
                if found is not None:
                    return self._again(found, operation, digest, answer)

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
            kept = TypeAdapter(answer).dump_json(result).decode()
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
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
