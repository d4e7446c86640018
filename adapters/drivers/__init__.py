"""What differs between databases when one connects, bounds a query or stops one: a file each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from adapters.drivers import sqlite
from adapters.drivers.limits import Limits
from services.faults import ServerFault


@dataclass(frozen=True)
class Driver:
    """``engine`` makes an engine whose statements end at the limit; ``interrupt`` stops what a
    DBAPI connection is doing, from another thread; ``fault`` says which fault a DBAPI error is,
    and ``detail`` puts it in words that hold no value of any row."""

    engine: Callable[[Limits], Engine]
    interrupt: Callable[[Any], None]
    fault: Callable[[BaseException], type[ServerFault]]
    detail: Callable[[BaseException], str]


#: by the dialect's name in the URL
DRIVERS: dict[str, Driver] = {
    "sqlite": Driver(sqlite.engine, sqlite.interrupt, sqlite.fault, sqlite.detail),
}
