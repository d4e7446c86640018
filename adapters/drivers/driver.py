"""What a driver is: how one connects, bounds a query, stops one, and reads the errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import URL, Engine, PoolProxiedConnection

from adapters.drivers.limits import Limits
from services.faults import ServerFault


@dataclass(frozen=True)
class Driver:
    """``engine`` makes an engine whose statements end at the limit; ``interrupt`` stops what a
    connection is doing, from another thread; ``fault`` says which fault a DBAPI error is, and
    ``detail`` puts it in words that hold no value of any row. ``undone`` tells of an error that
    undid the transaction for another one's sake (a deadlock), so that it may be done again, and
    ``full`` of one that says that the server has no room left on its disk.
    ``check`` raises ValueError("中文", "English") for a URL that cannot work."""

    engine: Callable[[Limits], Engine]
    interrupt: Callable[[PoolProxiedConnection], None]
    fault: Callable[[BaseException], type[ServerFault]]
    detail: Callable[[BaseException], str]
    undone: Callable[[BaseException], bool] = lambda error: False
    full: Callable[[BaseException], bool] = lambda error: False
    check: Callable[[URL], None] = lambda url: None
    #: whether the source key text_encoding means anything
    takes_encoding: bool = False
