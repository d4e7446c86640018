"""Another configuration without a stop: read at SIGHUP, checked, taken as a whole or refused.

A configuration that is wrong changes nothing: what was in force stays, the log says loudly what is
wrong, and /health is degraded until a good one has been read.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import TracebackType
from typing import Any

from gateway.binding import origin
from gateway.generation import Generation
from gateway.log import Log
from gateway.routes import FindBindings
from gateway_config.model import GatewayConfig, Hospital

#: reads and checks the file, in a thread; raises what is wrong with it, in words
Reread = Callable[[], tuple[GatewayConfig, FindBindings]]
Take = Callable[[GatewayConfig, FindBindings], tuple[str, ...]]

#: keys that a running process cannot change: its sockets, its processes, its open audit files
_FIXED = (
    ("listen", "host"),
    ("listen", "port"),
    ("listen", "plain"),
    ("listen", "workers"),
    ("listen", "drain_seconds"),
    ("tls", "host"),
    ("tls", "port"),
    ("tls", "at"),
    ("dialled",),
    ("audit",),
)


class OnSignal:
    """A context, on the event loop of the main thread: within it SIGHUP means to reread.
    Without ``reread`` the signal is left alone."""

    def __init__(self, reread: Reread | None, take: Take, log: Log) -> None:
        self._reread = reread
        self._take = take
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._again = False
        #: whether the last one that was read is not in force
        self.refused = False

    def __enter__(self) -> None:
        if self._reread is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.asked)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reread is not None:
            loop = asyncio.get_running_loop()
            loop.remove_signal_handler(signal.SIGHUP)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # not the end of calls under way
        if self._task is not None:
            self._task.cancel()

    def asked(self) -> None:
        """Reread; asked while that is being done, do it once more afterwards."""
        if self._task is not None and not self._task.done():
            self._again = True
            return
        self._task = asyncio.get_running_loop().create_task(self._run(), name="gateway reload")

    async def _run(self) -> None:
        again = True
        while again:
            self._again = False
            await self._once()
            again = self._again

    async def _once(self) -> None:
        assert self._reread is not None
        try:
            config, find_bindings = await asyncio.to_thread(self._reread)
            restart = self._take(config, find_bindings)
        except Exception as error:  # whatever it is: the calls go on by what was in force
            self.refused = True
            self._log.error(
                "configuration_refused",
                reason=str(error),
                in_force="原配置继续有效 / the former one stays in force",
            )
            return
        self.refused = False
        self._log.info("configuration_taken")
        if restart:
            self._log.warning(
                "configuration_needs_restart",
                keys=list(restart),
                reason="这些键重启后才生效 / these keys count after a restart only",
            )

    def status(self, generation: Generation | None) -> dict[str, Any]:
        """What /health tells: since when which configuration is in force. No content of it."""
        return {
            "since": generation.since.isoformat() if generation else None,
            "last_reload_refused": self.refused,
            "needs_restart": list(generation.needs_restart) if generation else [],
        }


def needs_restart(running: GatewayConfig, new: GatewayConfig) -> tuple[str, ...]:
    """The keys that differ and that ``running``, with which the process began, keeps."""
    keys = [".".join(key) for key in _FIXED if _value(running, key) != _value(new, key)]
    for code in dict.fromkeys((*running.hospitals, *new.hospitals)):
        before, after = (_opened(config.hospitals.get(code)) for config in (running, new))
        if before != after:
            keys.append(f"hospitals.{code}")
    return tuple(keys)


def _opened(hospital: Hospital | None) -> object:
    """What was opened at the start for a hospital: a line for those who dial, or folders."""
    if hospital is None or hospital.mode not in ("reverse", "ferry"):
        return None
    return hospital.mode, hospital.ferry


def _value(config: GatewayConfig, key: tuple[str, ...]) -> object:
    value: object = config
    for name in key:
        value = getattr(value, name, None)
    return value


def own_origins(config: GatewayConfig) -> list[str]:
    """Under which schemes, hosts and ports this gateway itself is reached."""
    listen = config.listen
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    own = [f"http://{host}:{listen.port}", listen.public_url]
    own += [side.base_url for side in config.sides.values()]
    own += [config.tls.public_url] if config.tls is not None else []
    return [origin(url) for url in own if url]
