"""A call that may be repeated, at several addresses: one that says nothing does not cost the call.

An address that has taken the call and is silent for its share of the time is not cut off: the call
is made at another one beside it, and the first answer counts. So a service that is only slow loses
nothing by it, and one that hangs costs its share and no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.forward import BadAnswer, BrokenOff, NoAnswer, NodeAnswer, NotReached, TimedOut

#: how many nodes may have seen one call
_MOST_DELIVERED = 2

Attempt = Coroutine[Any, Any, NodeAnswer]


async def first_answer(
    begin: Callable[[NoAnswer | None], Attempt | None], patience: float | None
) -> NodeAnswer:
    """The first answer that comes. ``begin(error)`` makes an attempt at a further address, after
    those so far ended by ``error``; None where there is none to try, and at the first time it
    raises why. ``patience``: seconds after which the first attempt gets one beside it; None:
    never. Attempts end by themselves at the call's deadline. Raises the NoAnswer that tells most:
    one of an address that may have seen the call before one of an address that has not."""
    running: set[asyncio.Task[NodeAnswer]] = set()
    loop = asyncio.get_running_loop()
    delivered, overdue = 0, False
    error: NoAnswer | None = None
    try:
        while True:
            if delivered < _MOST_DELIVERED and (overdue or not running):
                attempt = begin(error)
                if attempt is not None:
                    task = loop.create_task(attempt)
                    task.add_done_callback(_heard)
                    running.add(task)
                    delivered += 1
            if not running:
                assert error is not None
                raise error
            first = delivered == 1 and not overdue
            done, _ = await asyncio.wait(
                running,
                timeout=patience if first else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            overdue = overdue or not done
            for task in done:
                running.discard(task)
                try:
                    return task.result()
                except NotReached as failure:
                    delivered -= 1
                    if error is None or isinstance(error, NotReached):
                        error = failure
                except (BrokenOff, BadAnswer, TimedOut) as failure:
                    error = failure
    finally:
        for task in running:
            task.cancel()


def _heard(task: asyncio.Task[NodeAnswer]) -> None:
    """How an attempt ended that nobody waits for any more is told by its address's breaker."""
    if not task.cancelled():
        task.exception()
