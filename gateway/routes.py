"""The routing table: path to binding, refreshed from the registry, kept when it is away.

A call to a known service never waits for the registry. The table is read again every
``refresh_seconds`` and when a path is not found; one look-up at a time, at most one every
``MIN_INTERVAL``. What was last known good is on disk and is used at a start without a registry.

A registry that lists nothing although it used to list something has most likely lost its data.
The known routes are then held for ``empty_grace_seconds`` while the nodes publish again; that
is said in the log and in /health. An entry that leaves a registry which still lists others is
dropped at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gateway import table_file
from gateway.binding import Binding, origin, route_of
from gateway.gates import Gates
from gateway.log import Log
from gateway.threads import in_daemon_thread
from gateway_config.model import Registry
from services.soap.version import SOAP_1_2

__all__ = ["Binding", "Routes"]

FindBindings = Callable[[], Iterable[Binding]]

#: seconds between two look-ups in the registry, whoever asks for them
MIN_INTERVAL = 0.5
#: how long a call to an unknown path, or the start, waits for the registry, seconds
MAX_WAIT = 1.5
#: how often a held table is complained about, seconds
COMPLAIN_EVERY = 60.0


class Routes:
    """``own_origins``: scheme, host and port under which this gateway itself is reached; a
    binding that leads there is refused, since its calls would go round in a circle. ``gates``:
    what each hospital's gate makes of a binding; where it makes nothing of it, it is refused."""

    def __init__(
        self,
        find_bindings: FindBindings,
        settings: Registry,
        log: Log,
        *,
        own_origins: Iterable[str] = (),
        gates: Gates | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find_bindings = find_bindings
        self._settings = settings
        self._log = log
        self._own = frozenset(own_origins)
        self._gates = gates or Gates({})
        self._clock = clock
        self._table: Mapping[str, Binding] = {}
        self._refused: dict[Binding, str] = {}
        self._running: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None
        self._asking = False
        self._started = float("-inf")  # when the last look-up began
        self._answered = float("-inf")  # when the last look-up that has ended began
        self._failure: str | None = "尚未读取 / not read yet"
        self._confirmed: datetime | None = None  # the registry's last good answer
        self._saved: datetime | None = None  # of the table that was read from disk
        self._on_disk: Mapping[str, Binding] | None = None
        self._file_error: str | None = None
        self._held: frozenset[str] = frozenset()
        self._hold_until: float | None = None
        self._complained = float("-inf")

    # --- reading ---------------------------------------------------------------------------

    @property
    def table(self) -> Mapping[str, Binding]:
        """Path to binding, as it stands now. Replaced as a whole, never changed."""
        return self._table

    @property
    def registry_trouble(self) -> str | None:
        """Why the registry cannot be asked at present; None when it answers."""
        waiting = self._clock() - self._started
        if self._asking and waiting > MAX_WAIT:
            return f"{waiting:.0f} 秒未答复 / no answer for {waiting:.0f} s"
        return self._failure

    async def find(self, path: str) -> Binding | None:
        """The binding behind a canonical path, which may be a service's SOAP 1.2 address. An
        unknown path waits for one fresh look-up, at most ``MAX_WAIT`` seconds."""
        if path.endswith(SOAP_1_2.path_suffix):
            known = await self.find(path.removesuffix(SOAP_1_2.path_suffix))
            return known and replace(known, access_point=known.access_point + SOAP_1_2.path_suffix)
        known = self._table.get(path)
        if known is None:
            asked = self._clock()
            await self._wait_until(lambda: self._answered > asked or path in self._table)
            known = self._table.get(path)
        return known

    def status(self) -> dict[str, Any]:
        """What /health says about routes and registry."""
        trouble = self.registry_trouble
        confirmed = self._confirmed
        age = (datetime.now(UTC) - confirmed).total_seconds() if confirmed else None
        return {
            "registry": {"reachable": trouble is None, "trouble": trouble},
            "table": {
                "routes": len(self._table),
                "confirmed": confirmed.isoformat() if confirmed else None,
                "age_seconds": round(age, 1) if age is not None else None,
                "read_from_file_of": self._saved.isoformat() if self._saved else None,
                "held_because_registry_is_empty": sorted(self._held),
                "file_usable": self._file_error is None,
                "refused": [
                    {"hospital": b.hospital, "service": b.service, "reason": reason}
                    for b, reason in self._refused.items()
                ],
            },
        }

    # --- life ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the table from disk, ask the registry, begin to refresh. Waits ``MAX_WAIT``
        seconds for the registry at most and starts without it."""
        await asyncio.to_thread(self._load)
        begun = self._clock()
        self._loop = asyncio.create_task(self._refresh_for_ever(), name="gateway routes")
        await self._wait_until(lambda: self._answered >= begun)

    async def stop(self) -> None:
        tasks = [task for task in (self._loop, self._running) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._loop = self._running = None

    async def refresh(self) -> None:
        """Ask the registry; who comes while it is being asked waits for the same answer."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._refresh(), name="gateway refresh")
        await asyncio.shield(self._running)

    async def _wait_until(self, asked: Callable[[], bool]) -> None:
        """Wait for look-ups to end until one has ended that ``asked`` is content with."""
        try:
            async with asyncio.timeout(MAX_WAIT):
                await self.refresh()
                while not asked():
                    await self.refresh()
        except TimeoutError:
            self._log.warning("registry_slow", waited_seconds=MAX_WAIT)

    async def _refresh_for_ever(self) -> None:
        while True:
            try:
                await self.refresh()
            except Exception as error:  # a defect of ours must not end the refreshing
                self._log.error("refresh_failed", exc_info=error)
            await asyncio.sleep(self._settings.refresh_seconds)

    async def _refresh(self) -> None:
        pause = self._started + MIN_INTERVAL - self._clock()
        if pause > 0:
            await asyncio.sleep(pause)
        self._asking, self._started = True, self._clock()
        try:
            listed = await in_daemon_thread(self._find_bindings)
            found = [Binding(b.hospital, b.service, b.access_point) for b in listed]
        except Exception as error:  # whatever the injected look-up raises: the registry is away
            self._failed(type(error).__name__, str(error))
        else:
            await self._found(found)
        finally:
            self._asking = False
            self._answered = self._started

    async def _found(self, found: list[Binding]) -> None:
        if self._failure is not None:
            self._log.info("registry_reached", bindings=len(found))
        self._failure = None
        self._confirmed = datetime.now(UTC)
        self._take(self._held_over(self._routed(found)))
        await self._save()

    def _failed(self, kind: str, text: str) -> None:
        """``text`` goes into the log only: /health is open to all and tells no addresses."""
        if kind != self._failure:
            self._log.error(
                "registry_unreachable", error=kind, reason=text, routes_kept=len(self._table)
            )
        self._failure = kind

    # --- the table -------------------------------------------------------------------------

    def _routed(self, found: Iterable[Binding]) -> dict[str, Binding]:
        """Path to binding for all that are fit; the others are refused, once loudly."""
        table: dict[str, Binding] = {}
        refused: dict[Binding, str] = {}
        for binding in sorted(found, key=lambda b: (b.hospital, b.service, b.access_point)):
            try:
                path = route_of(binding)
                if any(
                    origin(one.access_point) in self._own for one in self._gates.reached(binding)
                ):
                    raise ValueError("指向网关自身 / it leads back to this gateway")
                if table.setdefault(path, binding) != binding:
                    raise ValueError(f"{path} 已有另一地址 / {path} has another address already")
            except ValueError as error:
                refused[binding] = str(error)
        for binding in refused.keys() - self._refused.keys():
            self._log.error(
                "binding_refused",
                hospital=binding.hospital,
                service=binding.service,
                access_point=binding.access_point,
                reason=refused[binding],
            )
        self._refused = refused
        return table

    def _held_over(self, table: dict[str, Binding]) -> dict[str, Binding]:
        """The table, with what is held since the registry was found empty."""
        now = self._clock()
        missing = {path: b for path, b in self._table.items() if path not in table}
        if self._hold_until is None:
            if table or not missing:
                return table
            self._hold_until = now + self._settings.empty_grace_seconds
        if not missing:
            self._log.warning("registry_filled_again", routes=len(table))
            self._hold_until, self._complained = None, float("-inf")
        elif now >= self._hold_until:
            self._log.error("held_routes_dropped", routes=sorted(missing))
            self._hold_until, self._complained = None, float("-inf")
            missing = {}
        elif now >= self._complained + COMPLAIN_EVERY:
            self._complained = now
            self._log.error(
                "registry_empty_routes_held",
                routes=sorted(missing),
                seconds_left=round(self._hold_until - now),
            )
        self._held = frozenset(missing)
        return {**missing, **table}

    def _take(self, table: Mapping[str, Binding]) -> None:
        for path in table.keys() - self._table.keys():
            self._log.info("route_added", path=path, access_point=table[path].access_point)
        for path in self._table.keys() - table.keys():
            self._log.warning("route_dropped", path=path)
        for path in table.keys() & self._table.keys():
            if table[path] != self._table[path]:
                self._log.info("route_moved", path=path, access_point=table[path].access_point)
        self._table = table

    # --- the table on disk -----------------------------------------------------------------

    def _load(self) -> None:
        file = self._settings.table_file
        if file is None:
            return
        try:
            loaded = table_file.load(file)
        except table_file.TableFileError as error:
            self._complain_of_file(f"{error}")
            return
        if loaded is not None:
            bindings, self._saved = loaded
            self._take(self._routed(bindings))
            self._on_disk = dict(self._table)

    async def _save(self) -> None:
        file = self._settings.table_file
        if file is None or self._on_disk == self._table:
            return
        table = self._table
        try:
            await asyncio.to_thread(table_file.save, file, table.values())
        except table_file.TableFileError as error:
            self._complain_of_file(f"{error}")
            return
        self._on_disk, self._file_error = table, None

    def _complain_of_file(self, problem: str) -> None:
        """A gateway without its table file still serves; it only must not be a surprise."""
        if problem != self._file_error:
            self._log.error("table_file_unusable", reason=problem)
        self._file_error = problem
