"""A blocking call that the end of the process need not wait for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(function: Callable[[], T]) -> T:
    """What ``function`` returns or raises. Unlike ``asyncio.to_thread``, a call that hangs holds
    up neither the shutdown of the event loop nor the process: its result is thrown away."""
    loop = asyncio.get_running_loop()
    settled: asyncio.Future[tuple[T | None, Exception | None]] = loop.create_future()

    def settle(value: T | None, error: Exception | None) -> None:
        if not settled.done():
            settled.set_result((value, error))

    def run() -> None:
        outcome: tuple[T | None, Exception | None]
        try:
            outcome = function(), None
        except Exception as error:
            outcome = None, error
        if not loop.is_closed():
            try:
                loop.call_soon_threadsafe(settle, *outcome)
            except RuntimeError:
                return  # the loop closed between the two lines: nobody waits any more

    threading.Thread(target=run, name="gateway look-up", daemon=True).start()
    value, error = await settled
    if error is not None:
        raise error
    return value  # type: ignore[return-value]
