"""One configuration at work: from when it was taken until the last call that began by it ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from gateway.admission.steps import Admission
from gateway.balance import Balance
from gateway.call import Answer, Call, CallPath
from gateway.ways import Ways
from gateway_config.model import GatewayConfig


class Generation:
    """What ``Plane.path`` is: calls go through here, and are counted so that nothing is taken
    away from under one. ``needs_restart``: what of its file counts only after a restart."""

    def __init__(
        self,
        config: GatewayConfig,
        path: CallPath,
        ways: Ways,
        balance: Balance,
        admission: Admission,
        needs_restart: tuple[str, ...] = (),
    ) -> None:
        self.config = config
        self.ways = ways
        self.balance = balance
        self.since = datetime.now(UTC)
        self.needs_restart = needs_restart
        self._path = path
        self._admission = admission
        self._under_way = 0
        self._last_has_ended: asyncio.Event | None = None

    async def __call__(self, call: Call) -> Answer:
        self._under_way += 1
        try:
            return await self._path(call)
        finally:
            self._under_way -= 1
            if self._last_has_ended is not None and not self._under_way:
                self._last_has_ended.set()

    async def ended(self) -> None:
        """Wait until none of its calls is under way."""
        if self._under_way:
            self._last_has_ended = asyncio.Event()
            await self._last_has_ended.wait()

    async def close(self) -> None:
        """Close what belongs to this configuration alone."""
        self._admission.close()
        await self.balance.stop()
        await self.ways.close_straight()
