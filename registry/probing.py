"""The prober: asks every binding for its health, off the threads that answer requests.

A thread with an event loop of its own. Probes are spread over the interval, never more than
``probes_per_second``, never more than ``at_once`` at one time; with many bindings the interval
grows, and nothing else does. Results are written once a second, in one transaction.
"""

from __future__ import annotations

import asyncio
import base64
import heapq
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

import aiohttp
import structlog
from sqlalchemy.exc import SQLAlchemyError

from registry.config import HealthSettings, origin
from registry.failures import described
from registry.health import HealthBook, Result
from registry.health_rules import UNKNOWN, Rules, Standing, judged
from registry.probe_answer import Judged, answered, not_answered
from registry.probe_targets import Target, every_target, targets_of
from registry.store import Store

log = structlog.get_logger("registry")

#: bytes of an answer that are read; a harmless call's is far shorter
_LONGEST_ANSWER = 1024 * 1024
#: an inside address that never answered is asked that much less often
_SELDOM = 10
#: and one that has just failed, or just recovered, that much sooner
_UNCLEAR = 0.2
#: results that may wait for a database that is away; the oldest are dropped
_MOST_WAITING = 20_000
_WRITE_SECONDS = 1.0


class Prober:
    """``clock``: seconds since 1970."""

    def __init__(
        self,
        store: Store,
        book: HealthBook,
        settings: HealthSettings,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._book = book
        self._settings = settings
        self._clock = clock
        self._rules = Rules(settings.fall, settings.rise, settings.slow_ms)
        self._targets: dict[str, Target] = {}
        self._standings: dict[str, Standing] = {}
        self._due: list[tuple[float, str]] = []
        self._asking: set[str] = set()
        self._results: list[Result] = []
        self._forgotten: set[str] = set()
        self._seen = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._auth = _basic(settings) if settings.user else ""
        self._gateways = {origin(url) for url in settings.gateways}
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="registry-prober", daemon=True)
        self._stopping = False
        self.probes = 0

    @property
    def interval(self) -> float:
        """Seconds between two probes of a binding, as many as there are."""
        at_most = len(self._targets) / self._settings.probes_per_second
        return max(self._settings.interval_seconds, at_most)

    def counts(self) -> Counter[str]:
        """How many of the bindings that are probed stand in each state."""
        standings = dict(self._standings)
        return Counter(standings.get(key, UNKNOWN).state for key in list(self._targets))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End; what was found is written."""
        self._stopping = True
        loop, main = self._loop, self._main
        if loop is not None and main is not None and not loop.is_closed():
            loop.call_soon_threadsafe(main.cancel)
        if self._thread.is_alive():
            self._thread.join(10)
        self._write()

    # --- the loop ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            try:
                asyncio.run(self._live())
            except asyncio.CancelledError:
                return
            except Exception:
                log.exception("registry prober failed")
                time.sleep(5)

    async def _live(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        if self._stopping:
            return
        loop = self._loop

        def told(_last: int) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._changed.set)

        end = self._store.subscribe(told)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(limit=0, ssl=self._tls()),
                    timeout=aiohttp.ClientTimeout(total=self._settings.timeout_seconds),
                    auto_decompress=False,
                    trust_env=False,
                ) as http,
                asyncio.TaskGroup() as group,
            ):
                group.create_task(self._follow())
                group.create_task(self._keep_writing())
                group.create_task(self._ask(http, group))
        finally:
            end()

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._settings.ca_file is not None:
            context.load_verify_locations(self._settings.ca_file)
        return context

    def _auth_for(self, url: str) -> dict[str, str]:
        """What the gateways know the prober by. An address is what somebody published: none but
        the configured gateways' own is told a password."""
        known = self._auth and origin(url) in self._gateways
        return {"Authorization": self._auth} if known else {}

    # --- what is to be asked -----------------------------------------------------------------

    async def _follow(self) -> None:
        """Keep the targets as the catalogue has them."""
        read = False
        while True:
            self._changed.clear()
            try:
                if not read:
                    await asyncio.to_thread(self._read_all)
                    read = True
                else:
                    await asyncio.to_thread(self._read_changes)
            except SQLAlchemyError as error:
                log.warning("registry prober cannot read", error=described(error))
                await asyncio.sleep(5)
                continue
            self._arrange()
            await self._changed.wait()
            await asyncio.sleep(0.1)  # a publication is several changes

    def _read_all(self) -> None:
        self._seen = self._store.last_index()
        with self._store.engine.connect() as connection:
            self._targets = self._chosen(every_target(connection).values())
        self._standings = self._book.standings()
        self._forgotten = set(self._standings) - set(self._targets)
        self._due = []
        self._asking = set()

    def _read_changes(self) -> None:
        while changes := self._store.changes(self._seen, 500):
            touched = {one.key for one in changes if one.kind in ("service", "binding")}
            with self._store.engine.connect() as connection:
                now = self._chosen(targets_of(connection, touched).values())
            for key, target in list(self._targets.items()):
                if key not in now and (key in touched or target.pair in touched):
                    del self._targets[key]
                    self._forgotten.add(key)
            self._targets |= now
            self._forgotten -= set(now)
            self._seen = changes[-1].index

    def _chosen(self, targets: Iterable[Target]) -> dict[str, Target]:
        inside = self._settings.inside
        return {one.key: one for one in targets if inside or one.face == "outside"}

    def _arrange(self) -> None:
        """Give what is new its first time: what was never probed soon, the rest spread out."""
        planned = {key for _, key in self._due} | self._asking
        now = time.monotonic()
        for key in self._targets.keys() - planned:
            wait = random.uniform(0, self.interval if key in self._standings else 1.0)
            heapq.heappush(self._due, (now + wait, key))
        self._book.stale_seconds = max(900.0, 3 * self.interval * _SELDOM)

    # --- asking ------------------------------------------------------------------------------

    async def _ask(self, http: aiohttp.ClientSession, group: asyncio.TaskGroup) -> None:
        room = asyncio.Semaphore(self._settings.at_once)
        pause = 1 / self._settings.probes_per_second
        while True:
            while not self._due or self._due[0][0] > time.monotonic():
                ahead = self._due[0][0] - time.monotonic() if self._due else 0.2
                await asyncio.sleep(min(max(ahead, 0.001), 0.2))
            _, key = heapq.heappop(self._due)
            target = self._targets.get(key)
            if target is None:
                continue  # it is gone
            await room.acquire()
            self._asking.add(key)
            task = group.create_task(self._probe(http, target))
            task.add_done_callback(lambda _: room.release())
            await asyncio.sleep(pause)

    async def _probe(self, http: aiohttp.ClientSession, target: Target) -> None:
        before = self._standings.get(target.key, UNKNOWN)
        try:
            found = await self._answer(http, target, before)
        except Exception as error:  # a defect of ours must not end the probing
            log.exception("probe failed", binding=target.key)
            found = not_answered(type(error).__name__, target.face, 0, timeout=False, ever=True)
        finally:
            self._asking.discard(target.key)
        self._note(target, before, found)
        wait = self._wait(target, found) * random.uniform(0.9, 1.1)
        heapq.heappush(self._due, (time.monotonic() + wait, target.key))

    async def _answer(
        self, http: aiohttp.ClientSession, target: Target, before: Standing
    ) -> Judged:
        begun = time.monotonic()
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{target.call.soap_action}"',
            "User-Agent": "yilian-registry-probe",
            **self._auth_for(target.url),
        }
        try:
            async with http.post(
                target.url,
                data=target.call.envelope(),
                headers=headers,
                allow_redirects=False,
            ) as response:
                body = await response.content.read(_LONGEST_ANSWER)
                while not response.content.at_eof() and len(body) < _LONGEST_ANSWER:
                    body += await response.content.read(_LONGEST_ANSWER - len(body))
                kind = response.headers.get("Content-Type", "")
                ms = (time.monotonic() - begun) * 1000
                return answered(response.status, kind, body, target.call, ms)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            ms = (time.monotonic() - begun) * 1000
            return not_answered(
                type(error).__name__,
                target.face,
                ms,
                timeout=isinstance(error, TimeoutError),
                ever=before.answered,
            )

    def _wait(self, target: Target, found: Judged) -> float:
        """Seconds until this binding is asked again: sooner while it is not yet clear whether it
        is up or down, seldom where there is nothing to be learnt."""
        if not found.finding.told and target.face == "inside":
            return self.interval * _SELDOM
        now = self._standings.get(target.key, UNKNOWN)
        rules = self._rules
        unclear = 0 < now.failures < rules.fall or 0 < now.successes < rules.rise
        return self.interval * _UNCLEAR if unclear and now.state == "warning" else self.interval

    def _note(self, target: Target, before: Standing, found: Judged) -> None:
        if target.key not in self._targets:
            return  # it went away meanwhile
        moment = int(self._clock() * 1000)
        finding = found.finding
        other = self._standings.get(f"{target.pair}:inside")
        answers_inside = other is not None and other.answered_now
        if target.face == "outside" and not finding.ok and answers_inside:
            finding = replace(
                finding,
                zh=f"{finding.zh}；院内地址应答正常",
                en=f"{finding.en}; the inside address answers",
            )
        self.probes += 1
        standing = judged(before, finding, moment, self._rules)
        self._standings[target.key] = standing
        if standing.state != before.state:
            tell = log.warning if standing.state == "critical" else log.info
            tell("health", binding=target.key, state=standing.state, fault=found.fault)
        fault = found.fault
        self._results.append(
            Result(target.key, target.pair, moment, finding.ok, finding.latency_ms, fault, standing)
        )

    # --- writing -----------------------------------------------------------------------------

    async def _keep_writing(self) -> None:
        while True:
            await asyncio.sleep(_WRITE_SECONDS)
            await asyncio.to_thread(self._write)

    def _write(self) -> None:
        results, self._results = self._results, []
        forgotten, self._forgotten = self._forgotten, set()
        try:
            self._book.record(results)
            # What is only hidden, or not to be probed now, keeps its history.
            for key in self._book.forget_gone(sorted(forgotten)):
                self._standings.pop(key, None)
        except SQLAlchemyError as error:
            self._results = (results + self._results)[-_MOST_WAITING:]
            self._forgotten |= forgotten
            log.warning("health not written", error=described(error))


def _basic(settings: HealthSettings) -> str:
    pair = f"{settings.user}:{settings.password()}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
