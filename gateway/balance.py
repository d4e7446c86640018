"""Which of a route's bindings a call goes to, and whether it goes to another one after that.

- To the one with the fewest calls under way, among those whose breaker lets calls through.
- Not delivered (no connection): to the next one, whatever the call is; nobody has seen it.
- Delivered and not answered, or answered with what is no SOAP: once more elsewhere, if the call
  may be repeated (a read, or a write that carries its RequestId). Silence for ``try_share`` of the
  time is enough for that: gateway/attempts.py.
- Never beyond the call's deadline, which all attempts share.

A binding's breaker opens after so many failures in a row. It is probed while it is open, and all
are probed where a route has several: ``GET /health`` at its address, through the gate like any
call; whatever HTTP answer below 500 comes shows that it is reached.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from gateway.answers import why_not_soap
from gateway.attempts import Attempt, first_answer
from gateway.binding import Binding, Route
from gateway.breaker import Breaker
from gateway.forward import (
    BadAnswer,
    BrokenOff,
    Busy,
    Coming,
    Forwarder,
    GateClosed,
    NoAnswer,
    NodeAnswer,
    NodeRequest,
    NotReached,
    TimedOut,
)
from gateway.log import Log
from gateway_config.model import Forward
from services.soap.version import SOAP_1_2

#: how many bindings' conditions are remembered
_REMEMBERED = 4096
#: for how long after a call a binding is probed, seconds
_PROBED_FOR = 60.0


class Paused(NotReached):
    """Every binding of the route has failed lately; the call was not sent to any."""


class Balance:
    """A Forwarder over another one, which takes Routes where that one takes their bindings. Made
    inside a running event loop. ``unprobed``: hospitals that no probe can reach by itself."""

    def __init__(
        self,
        forwarder: Forwarder,
        settings: Forward,
        log: Log,
        *,
        unprobed: frozenset[str] = frozenset(),
    ) -> None:
        self._forwarder = forwarder
        self._settings = settings
        self._log = log
        self._unprobed = unprobed
        self._loop = asyncio.get_running_loop()
        self._breakers: dict[str, Breaker] = {}
        self._watched: dict[str, tuple[Binding, float]] = {}  # until when
        self._turn = 0
        self._probing = self._loop.create_task(self._probe_for_ever(), name="gateway probes")

    async def stop(self) -> None:
        """End the probes; what is behind it stays open."""
        self._probing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._probing

    async def close(self) -> None:
        await self.stop()
        await self._forwarder.close()

    def send(self, binding: Binding, request: NodeRequest) -> Coming:
        bindings = binding.bindings if isinstance(binding, Route) else (binding,)
        deadline = self._loop.time() + self._settings.timeout_seconds
        request.deadline = min(request.deadline, deadline)
        if len(bindings) == 1:
            return self._once(bindings[0], self._breaker(bindings[0]), request)
        return self._to_one_of(bindings, request)

    def status(self, route: Route) -> list[dict[str, Any]]:
        """For /health: the condition of each binding, without addresses."""
        breakers = [self._breaker(one) for one in route.bindings]
        return [
            {"state": one.state, "under_way": one.under_way, "failures_in_a_row": one.failures}
            for one in breakers
        ]

    # --- one call -----------------------------------------------------------------------------

    async def _to_one_of(self, bindings: Sequence[Binding], request: NodeRequest) -> NodeAnswer:
        left = list(bindings)
        for one in bindings:
            self._watch(one)
        if request.repeatable:
            return await self._repeatable(bindings, left, request)
        error: NotReached | None = None
        while True:
            chosen = self._next(bindings, left, request, error)
            if chosen is None:
                assert error is not None
                raise error
            try:
                return await self._once(chosen, self._breaker(chosen), request)
            except NotReached as failure:
                error = failure

    async def _repeatable(
        self, bindings: Sequence[Binding], left: list[Binding], request: NodeRequest
    ) -> NodeAnswer:
        """What one of them answers, though another one hangs."""
        settings = self._settings
        # What nodes dial and what is carried as files has one way, however many are published.
        share = 1.0 if bindings[0].hospital in self._unprobed else settings.try_share
        due = share * settings.timeout_seconds

        def begin(error: NoAnswer | None) -> Attempt | None:
            chosen = self._next(bindings, left, request, error)
            if chosen is None:
                return None
            return self._once(chosen, self._breaker(chosen), request, due)

        patience = share * (request.deadline - self._loop.time()) if share < 1 else None
        return await first_answer(begin, patience)

    def _next(
        self,
        bindings: Sequence[Binding],
        left: list[Binding],
        request: NodeRequest,
        error: NoAnswer | None,
    ) -> Binding | None:
        """The one to try now, taken out of those that are left; None where there is none, or no
        time. Paused where there was none from the beginning."""
        if error is None and len(left) == len(bindings):
            self._turn += 1
        chosen = self._choose(left)
        if chosen is None:
            if len(left) == len(bindings):
                raise self._paused(bindings)
            return None
        if error is not None and self._loop.time() >= request.deadline:
            return None
        left.remove(chosen)
        return chosen

    def _choose(self, left: Sequence[Binding]) -> Binding | None:
        """The one with the fewest calls under way; among equals each in its turn."""
        best, fewest = None, 0
        for at in range(len(left)):
            binding = left[(at + self._turn) % len(left)]
            breaker = self._breaker(binding)
            if breaker.lets_through() and (best is None or breaker.under_way < fewest):
                best, fewest = binding, breaker.under_way
        return best

    async def _once(
        self,
        binding: Binding,
        breaker: Breaker,
        request: NodeRequest,
        due: float | None = None,
    ) -> NodeAnswer:
        """``due``: the silence that counts against the binding, seconds; without it, all that a
        call may take."""
        if not breaker.lets_through():
            self._watch(binding)
            raise self._paused([binding])
        breaker.begun()
        begun = self._loop.time()
        try:
            answer = await self._forwarder.send(binding, request)
            if request.method == "POST":
                problem = why_not_soap(answer)
                if problem is not None:
                    raise BadAnswer(f"{binding.access_point}: {problem}")
        except (GateClosed, Busy):
            breaker.undecided()
            raise
        except (TimedOut, asyncio.CancelledError):  # cancelled: another one has answered
            # Who gives his call less time than it is due says nothing about the node.
            silent = self._loop.time() - begun
            if silent < 0.9 * (due or self._settings.timeout_seconds):
                breaker.undecided()
            else:
                if due is not None:
                    self._log.info("binding_silent", **_told(binding), seconds=round(silent, 1))
                self._failed(binding, breaker)
            raise
        except (NotReached, BrokenOff, BadAnswer):
            self._failed(binding, breaker)
            raise
        except BaseException:
            breaker.undecided()
            raise
        if breaker.succeeded():
            self._log.info("binding_back", **_told(binding))
        answer.node = binding.access_point
        return answer

    def _failed(self, binding: Binding, breaker: Breaker) -> None:
        if breaker.failed():
            self._opened(binding, breaker)

    def _opened(self, binding: Binding, breaker: Breaker) -> None:
        self._watch(binding)
        self._log.error(
            "binding_paused",
            **_told(binding),
            failures=breaker.failures,
            seconds=round(breaker.seconds_left(), 1),
        )

    def _watch(self, binding: Binding) -> None:
        self._watched[_key(binding)] = binding, self._loop.time() + _PROBED_FOR

    def _paused(self, bindings: Sequence[Binding]) -> Paused:
        seconds = min(self._breaker(one).seconds_left() for one in bindings)
        return Paused(
            f"{bindings[0].access_point}: {len(bindings)} of {len(bindings)} addresses have failed "
            f"{self._settings.break_after} times or more; tried again in {seconds:.1f} s"
        )

    def _breaker(self, binding: Binding) -> Breaker:
        key = _key(binding)
        breaker = self._breakers.get(key)
        if breaker is None:
            if len(self._breakers) >= _REMEMBERED:
                self._forget()
            settings = self._settings
            breaker = Breaker(settings.break_after, settings.break_seconds, self._loop.time)
            self._breakers[key] = breaker
        return breaker

    def _forget(self) -> None:
        idle = [key for key, one in self._breakers.items() if not one.under_way]
        for key in idle:
            del self._breakers[key]
            self._watched.pop(key, None)

    # --- probes ---------------------------------------------------------------------------------

    async def _probe_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._settings.probe_seconds)
            now = self._loop.time()
            self._watched = {key: one for key, one in self._watched.items() if one[1] > now}
            try:
                await asyncio.gather(*[self._probe(one) for one, _ in self._watched.values()])
            except Exception as error:  # a defect of ours must not end the probing
                self._log.error("probe_failed", exc_info=error)

    async def _probe(self, binding: Binding) -> None:
        if binding.hospital in self._unprobed:
            return
        breaker = self._breaker(binding)
        url = urlsplit(binding.access_point)
        health = Binding(binding.hospital, binding.service, f"{url.scheme}://{url.netloc}/health")
        seconds = max(self._settings.probe_seconds, self._settings.connect_timeout_seconds)
        request = NodeRequest("GET", (), deadline=self._loop.time() + seconds)
        try:
            answer = await self._forwarder.send(health, request)
        except (GateClosed, Busy):
            return
        except NotReached:
            if breaker.probed(up=False):
                self._opened(binding, breaker)
        except NoAnswer:
            return  # it is reached; whether it works, calls will show
        else:
            if answer.status < 500:
                breaker.probed(up=True)


def _key(binding: Binding) -> str:
    """A service's two addresses, of SOAP 1.1 and 1.2, are one binding."""
    return binding.access_point.removesuffix(SOAP_1_2.path_suffix)


def _told(binding: Binding) -> dict[str, str]:
    return {
        "hospital": binding.hospital,
        "service": binding.service,
        "access_point": binding.access_point,
    }
