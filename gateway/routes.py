"""The routing table: path to binding, refreshed from the registry, kept when it is away.

A call to a known service never waits for the registry. The table is read again when the registry
says that something changed (a long poll), every ``refresh_seconds`` where it cannot say so, and
when a path is not found; one look-up at a time, at most one every ``MIN_INTERVAL``. What was last
known good is on disk and is used at a start without a registry.

A registry that lists nothing although it used to list something has most likely lost its data; one
that started anew and lists less may have been put back to an older state. The known routes are
then held for ``empty_grace_seconds`` while the nodes publish again; that is said in the log and
in /health. An entry that leaves a registry which still lists others is otherwise dropped at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

from gateway import table_file
from gateway.binding import Binding, Listed, Route, origin, route_of
from gateway.gates import Gates
from gateway.log import Log
from gateway.threads import in_daemon_thread
from gateway_config.model import Registry
from services.soap.version import SOAP_1_2

__all__ = ["Binding", "Routes"]

FindBindings = Callable[[], Iterable[Binding]]


class CannotWatch(Exception):
    """This registry cannot say when something changes; it has to be asked."""


@runtime_checkable
class Watching(Protocol):
    """A FindBindings that can also wait for news. ``wait`` blocks until something has changed
    since the last look-up, or for so many seconds; CannotWatch."""

    def __call__(self) -> Iterable[Binding]: ...
    def wait(self, seconds: float) -> None: ...


#: how long one long poll waits for news, seconds; the table is confirmed as often at least
WATCH_SECONDS = 30.0

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
        self._table: Mapping[str, Route] = {}
        self._refused: dict[Binding, str] = {}
        self._running: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None
        self._asking = False
        self._started = float("-inf")  # when the last look-up began
        self._answered = float("-inf")  # when the last look-up that has ended began
        self._failure: str | None = "尚未读取 / not read yet"
        self._confirmed: datetime | None = None  # the registry's last good answer
        self._saved: datetime | None = None  # of the table that was read from disk
        self._on_disk: Mapping[str, Route] | None = None
        self._file_error: str | None = None
        self._held: frozenset[str] = frozenset()
        self._hold_until: float | None = None
        self._complained = float("-inf")
        self._epoch = ""  # of the registry's last answer
        self._watched = False  # by a long poll, which works

    # --- reading ---------------------------------------------------------------------------

    @property
    def table(self) -> Mapping[str, Route]:
        """Path to route, as it stands now. Replaced as a whole, never changed."""
        return self._table

    @property
    def registry_trouble(self) -> str | None:
        """Why the registry cannot be asked at present; None when it answers."""
        waiting = self._clock() - self._started
        if self._asking and waiting > MAX_WAIT:
            return f"{waiting:.0f} 秒未答复 / no answer for {waiting:.0f} s"
        return self._failure

    async def find(self, path: str) -> Route | None:
        """The route of a canonical path, which may be a service's SOAP 1.2 address. An unknown
        path waits for one fresh look-up, at most ``MAX_WAIT`` seconds."""
        if path.endswith(SOAP_1_2.path_suffix):
            service = path.removesuffix(SOAP_1_2.path_suffix)
            if service.endswith(SOAP_1_2.path_suffix):
                return None  # which a node does not have
            known = await self.find(service)
            return known and known.with_suffix(SOAP_1_2.path_suffix)
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
            "registry": {
                "reachable": trouble is None,
                "trouble": trouble,
                "watched": self._watched and trouble is None,
            },
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

    def reconfigure(
        self,
        find_bindings: FindBindings,
        settings: Registry,
        *,
        own_origins: Iterable[str],
        gates: Gates,
    ) -> None:
        """Go on by another configuration: what is known is routed anew at once. Another registry
        is asked at once, by ``find_bindings``; the same one is asked as before."""
        published = [one for route in self._table.values() for one in route.published]
        known = [*published, *self._refused]
        another = settings.url != self._settings.url
        self._settings, self._own, self._gates = settings, frozenset(own_origins), gates
        if another:
            self._find_bindings, self._epoch, self._watched = find_bindings, "", False
            if self._loop is not None:  # it may be waiting for news of the former one
                self._loop.cancel()
                self._loop = asyncio.create_task(self._refresh_for_ever(), name="gateway routes")
        self._take(self._routed(known))

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
            if not await self._news():
                await asyncio.sleep(self._settings.refresh_seconds)

    async def _news(self) -> bool:
        """Wait until the registry says that something changed, or for ``WATCH_SECONDS``. False
        where it cannot, is away, or a held table has to be looked after."""
        source = self._find_bindings
        if not isinstance(source, Watching) or self._failure or self._hold_until is not None:
            return False
        try:
            await in_daemon_thread(lambda: source.wait(WATCH_SECONDS))
        except Exception as error:  # whatever the injected wait raises: ask as often as before
            if self._watched or isinstance(error, CannotWatch):
                self._log.info("registry_polled", reason=str(error))
            self._watched = False
            return False
        if not self._watched:
            self._log.info("registry_watched")
            self._watched = True
        return True

    async def _refresh(self) -> None:
        pause = self._started + MIN_INTERVAL - self._clock()
        if pause > 0:
            await asyncio.sleep(pause)
        self._asking, self._started = True, self._clock()
        try:
            listed = await in_daemon_thread(self._find_bindings)
            found = [Binding(b.hospital, b.service, b.access_point) for b in listed]
            epoch = listed.epoch if isinstance(listed, Listed) else ""
        except Exception as error:  # whatever the injected look-up raises: the registry is away
            self._failed(type(error).__name__, str(error))
        else:
            await self._found(found, epoch)
        finally:
            self._asking = False
            self._answered = self._started

    async def _found(self, found: list[Binding], epoch: str) -> None:
        anew = bool(self._epoch) and epoch != self._epoch
        self._epoch = epoch
        if self._failure is not None:
            self._log.info("registry_reached", bindings=len(found))
        self._failure = None
        self._confirmed = datetime.now(UTC)
        self._take(self._held_over(self._routed(found), anew))
        await self._save()

    def _failed(self, kind: str, text: str) -> None:
        """``text`` goes into the log only: /health is open to all and tells no addresses."""
        if kind != self._failure:
            self._log.error(
                "registry_unreachable", error=kind, reason=text, routes_kept=len(self._table)
            )
        self._failure = kind

    # --- the table -------------------------------------------------------------------------

    def _routed(self, found: Iterable[Binding]) -> dict[str, Route]:
        """Path to route for all that are fit; the others are refused, once loudly. Bindings of
        one service at several addresses are one route, whose calls are balanced."""
        fit: dict[str, tuple[list[Binding], list[Binding]]] = {}
        refused: dict[Binding, str] = {}
        for binding in sorted(set(found), key=lambda b: (b.hospital, b.service, b.access_point)):
            try:
                path = route_of(binding)
                reached = self._gates.reached(binding)
                if any(origin(one.access_point) in self._own for one in reached):
                    raise ValueError("指向网关自身 / it leads back to this gateway")
                published, bindings = fit.setdefault(path, ([], []))
                if published and published[0].service != binding.service:
                    raise ValueError(f"{path} 已属另一服务 / {path} is another service's already")
                published.append(binding)
                bindings += [one for one in reached if one not in bindings]
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
        return {path: Route.to(*both) for path, both in fit.items()}

    def _held_over(self, table: dict[str, Route], anew: bool) -> dict[str, Route]:
        """The table, with what is held since the registry was found empty, or to have started
        anew with less."""
        now = self._clock()
        missing = {path: b for path, b in self._table.items() if path not in table}
        if self._hold_until is None:
            if not missing or (table and not anew):
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

    def _take(self, table: Mapping[str, Route]) -> None:
        for path in table.keys() - self._table.keys():
            self._log.info("route_added", path=path, access_points=_told(table[path]))
        for path in self._table.keys() - table.keys():
            self._log.warning("route_dropped", path=path)
        for path in table.keys() & self._table.keys():
            if table[path] != self._table[path]:
                self._log.info("route_moved", path=path, access_points=_told(table[path]))
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
            bindings = [one for route in table.values() for one in route.published]
            await asyncio.to_thread(table_file.save, file, bindings)
        except table_file.TableFileError as error:
            self._complain_of_file(f"{error}")
            return
        self._on_disk, self._file_error = table, None

    def _complain_of_file(self, problem: str) -> None:
        """A gateway without its table file still serves; it only must not be a surprise."""
        if problem != self._file_error:
            self._log.error("table_file_unusable", reason=problem)
        self._file_error = problem


def _told(route: Route) -> list[str]:
    return [one.access_point for one in route.published]
