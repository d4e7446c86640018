"""One configuration at work: from when it was taken until the last call that began by it ends."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.admission.steps import Admission
from gateway.balance import Balance
from gateway.call import CallPath
from gateway.ways import Ways
from gateway_config.model import GatewayConfig


class Generation:
    """``path`` is what ``Plane.path`` is. ``needs_restart``: what of its file counts only after a
    restart."""

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
        self.path = path
        self._admission = admission

    async def close(self) -> None:
        """Close what belongs to this configuration alone. Nothing may be taken away from under a
        call: wait for ``path.ended`` first."""
        self._admission.close()
        await self.balance.stop()
        await self.ways.close_straight()
