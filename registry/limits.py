"""How much one publisher may have here. Without a bound, one publisher's mistake in a loop would
fill the registry for everybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection

from registry import assertions, subscriptions
from registry.config import PublisherLimits
from registry.errors import UddiError
from registry.reading import chunks
from registry.tables import entity


def _limit(what: str, zh: str, count: int, most: int) -> None:
    if count > most:
        raise UddiError(
            "accountLimitExceeded",
            f"{zh}最多 {most} 个，现为 {count} 个；可在注册中心配置的 [limits] 中调整 / at most "
            f"{most} {what}, this would make {count}; the registry's [limits] can be changed",
        )


def count_owned(connection: Connection, publisher: str, kind: str) -> int:
    query = select(func.count()).where(entity.c.publisher == publisher, entity.c.kind == kind)
    return int(connection.execute(query).scalar_one())


def saved_within(
    limits: PublisherLimits, publisher: str, kind: str
) -> Callable[[Connection, Sequence[str]], None]:
    """The check of what was saved in a transaction, by the keys of the saved entities of this
    kind: E_accountLimitExceeded, and the transaction is rolled back."""

    def check(connection: Connection, keys: Sequence[str]) -> None:
        if kind == "business":
            count = count_owned(connection, publisher, "business")
            _limit("businesses for a publisher", "每个发布者的机构", count, limits.businesses)
        if kind == "tmodel":
            count = count_owned(connection, publisher, "tmodel")
            _limit("tModels for a publisher", "每个发布者的 tModel", count, limits.tmodels)
        services, bindings = _touched(connection, kind, keys)
        _limit("services in a business", "每个机构的服务", services, limits.services)
        _limit("bindings in a service", "每个服务的绑定", bindings, limits.bindings)

    return check


def _touched(connection: Connection, kind: str, keys: Sequence[str]) -> tuple[int, int]:
    """The most services of any business, and bindings of any service, among what was saved."""
    businesses, services = list(keys), list(keys)
    if kind == "business":
        services = _children(connection, keys)
    elif kind == "service":
        businesses = _parents(connection, keys)
    elif kind == "binding":
        businesses, services = [], _parents(connection, keys)
    else:
        return 0, 0
    return _most_children(connection, businesses), _most_children(connection, services)


def _children(connection: Connection, keys: Sequence[str]) -> list[str]:
    return _keys(connection, keys, lambda part: select(entity.c.key).where(
        entity.c.parent_key.in_(part)))  # fmt: skip


def _parents(connection: Connection, keys: Sequence[str]) -> list[str]:
    return _keys(connection, keys, lambda part: select(entity.c.parent_key).where(
        entity.c.key.in_(part)).distinct())  # fmt: skip


def _keys(
    connection: Connection,
    keys: Sequence[str],
    query: Callable[[Sequence[str]], Select[Any]],
) -> list[str]:
    return [key for part in chunks(list(keys)) for key in connection.execute(query(part)).scalars()]


def _most_children(connection: Connection, keys: Sequence[str]) -> int:
    most = 0
    for part in chunks(list(keys)):
        count = func.count().label("children")
        query = select(count).where(entity.c.parent_key.in_(part)).group_by(entity.c.parent_key)
        most = max([most, *connection.execute(query).scalars()])
    return most


def check_assertions(connection: Connection, limits: PublisherLimits, publisher: str) -> None:
    """After adding: E_accountLimitExceeded."""
    count = assertions.count_made_by(connection, publisher)
    _limit("assertions for a publisher", "每个发布者的断言", count, limits.assertions)


def check_subscriptions(
    connection: Connection, limits: PublisherLimits, publisher: str, now: int
) -> None:
    """After saving: E_accountLimitExceeded."""
    count = len(subscriptions.of_publisher(connection, publisher, now))
    _limit("subscriptions for a publisher", "每个发布者的订阅", count, limits.subscriptions)
