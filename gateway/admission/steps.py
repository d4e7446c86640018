"""Admission as a whole: what one configuration's steps need, and the steps in their order.

``gateway/call.py`` calls them as a call comes along; each raises Refused, which says step and rule.
A reloaded configuration is a new Admission; calls under way end with the one that they began with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from lxml import etree

from gateway.admission import rate, replay
from gateway.admission.caller import Callers, Shown, Standing
from gateway.admission.contract import as_contracted
from gateway.admission.message import Message, inspect
from gateway.admission.origin import Origin, Proxies
from gateway.admission.policy import allowed, known_operation
from gateway.admission.rate import Rates, busy
from gateway.admission.replay import UsedOnce
from gateway.admission.share import Places
from gateway.admission.shared import SharedMemory, shared_name
from gateway.admission.username_token import UsernameTokens, must_understand
from gateway.head import Head, Refused
from gateway_config.files import SECRET_LENGTH, first_line
from gateway_config.limits import Limits as Configured
from gateway_config.model import GatewayConfig
from services.faults import Fault, MustUnderstand, Overloaded
from services.soap.bounds import Limits

P = ParamSpec("P")
T = TypeVar("T")

#: large bodies that are parsed at the same time, and that may wait for it
_THREADS, _WAITING = 2, 32
#: how many of those who may call an operation are remembered
_KEPT = 10_000


class Remembered:
    """What outlives a reload, and is the same for all workers: buckets, and nonces used. OSError
    where memory cannot be shared."""

    def __init__(self, config: GatewayConfig) -> None:
        listen, tls = config.listen, config.own_tls
        alone = listen.workers == 1
        address = f"{listen.host}:{listen.port}" if listen.plain else ""
        if tls is not None:
            address += f"|{tls.host}:{tls.port}"
        self.rates, self.tokens = (
            SharedMemory(None if alone else shared_name(kind, address), size)
            for kind, size in (("rates", rate.SIZE), ("tokens", replay.SIZE))
        )

    def close(self) -> None:
        self.rates.close()
        self.tokens.close()


class Admission:
    """The steps of one configuration. Unreadable where a password file cannot be used. ``close``
    when no call uses it any more."""

    def __init__(self, config: GatewayConfig, remembered: Remembered) -> None:
        #: no other Admission's
        self.identity = object()
        self._config = config
        self._limits = parse_limits(config.limits)
        self._callers = Callers(config.callers)
        self._rates = Rates(
            {name: caller.rate for name, caller in config.callers.items()},
            {code: hospital.rate for code, hospital in config.hospitals.items()},
            remembered.rates,
        )
        passwords = {
            caller.username_token.user: first_line(caller.username_token.password_file)
            for caller in config.callers.values()
            if caller.username_token is not None
        }
        self._tokens = UsernameTokens(passwords, UsedOnce(remembered.tokens))
        proxy = config.proxy
        self._proxies = (
            Proxies(proxy.trusted, first_line(proxy.secret_file, SECRET_LENGTH))
            if proxy
            else Proxies()
        )
        self._all = self._places("admission.calls", config.admission.calls)
        self._hospitals: dict[str, Places] = {}
        self._allowed: dict[tuple[str, str, str, str, str], str] = {}
        self._contracted = {code: one.check_contract for code, one in config.hospitals.items()}
        self._off_loop = config.limits.parse_off_loop_bytes
        self._threads: ThreadPoolExecutor | None = None
        self._trees = asyncio.Semaphore(_THREADS)
        self._large = 0

    def close(self) -> None:
        self._callers.close()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    # --- caller ----------------------------------------------------------------------------

    def origin(self, seen: Origin, head: Head) -> Origin:
        return self._proxies.origin(seen, head.identity)

    async def before_message(self, origin: Origin, head: Head) -> Standing:
        """What is known of the caller before the body is read."""
        authorization = head.authorization
        return await self._callers.before_message(
            Shown(
                origin.peer,
                origin.certificate,
                authorization.encode("utf-8") if authorization is not None else None,
            )
        )

    def caller(self, standing: Standing, message: Message | None, origin: Origin) -> str:
        """The name of the caller's entry."""
        user = None
        if message is not None and message.security is not None:
            user = self._token_user(message.security, origin)
        return self._callers.caller(standing, user)

    def _token_user(self, security: etree._Element, origin: Origin) -> str | None:
        try:
            if self._callers.token_wanted:
                return self._tokens.user(security, tls=origin.tls)
            if must_understand(security):
                raise MustUnderstand(
                    "没有调用方凭 WS-Security 认证，不支持必须理解的 wsse:Security 头",
                    "no caller is known by WS-Security here, so the header wsse:Security, which "
                    "must be understood, is not",
                    rule="username_token",
                )
        except Fault as fault:
            raise self._callers.refused(fault) from None
        return None

    # --- message, policy, contract -----------------------------------------------------------

    def message(self, body: bytes, head: Head) -> Message:
        """The one parse."""
        try:
            return inspect(body, head.content_type, head.soap_action, self._limits)
        except Fault as fault:
            raise Refused(0, fault, step="message") from None

    def policy(self, caller: str, hospital: str, service: str, message: Message | None) -> str:
        """The name of the policy that lets it pass. Without a message: the WSDL is asked for."""
        if message is None:
            return allowed(self._config, caller, hospital, service, None).rule
        asked = caller, hospital, service, message.namespace, message.operation
        if not message.others:
            rule = self._allowed.get(asked)
            if rule is not None:
                return rule
        known_operation(service, message)
        rule = allowed(self._config, caller, hospital, service, message.operation).rule
        if len(self._allowed) >= _KEPT:
            self._allowed.clear()
        self._allowed[asked] = rule
        return rule

    def contract(self, hospital: str, service: str, message: Message) -> None:
        """Only where the configuration wants it."""
        wanted = self._contracted.get(hospital)
        if self._config.admission.check_contract if wanted is None else wanted:
            as_contracted(hospital, service, message)

    # --- rate ------------------------------------------------------------------------------

    def rate(self, caller: str, hospital: str) -> None:
        self._rates.take(caller, hospital)

    def entered(self, caller: str, hospital: str) -> bool:
        """A place among the calls that are under way, if there is one at once. Then ``leave``,
        however the call ends; otherwise ``wait``."""
        of_hospital = self._of(hospital)
        if not of_hospital.enter(caller):
            return False
        if self._all.enter(caller):
            return True
        of_hospital.leave(caller)
        return False

    async def wait(self, caller: str, hospital: str) -> None:
        """A place in its turn, then ``leave``; or Refused."""
        of_hospital = self._of(hospital)
        await of_hospital.wait(caller)
        try:
            await self._all.wait(caller)
        except BaseException:
            of_hospital.leave(caller)
            raise

    def leave(self, caller: str, hospital: str) -> None:
        self._all.leave(caller)
        self._of(hospital).leave(caller)

    def _of(self, hospital: str) -> Places:
        places = self._hospitals.get(hospital)
        if places is None:
            settings = self._config.hospitals.get(hospital)
            own = settings.calls if settings is not None else None
            places = self._hospitals[hospital] = (
                self._places(f"hospitals.{hospital}.calls", own)
                if own is not None
                else self._places(
                    "admission.calls_per_hospital", self._config.admission.calls_per_hospital
                )
            )
        return places

    def _places(self, rule: str, places: int) -> Places:
        """The worker's part of what is configured for all."""
        admission, workers = self._config.admission, self._config.listen.workers
        return Places(
            rule,
            -(-places // workers),
            -(-admission.queue // workers),
            admission.queue_seconds,
            several=len(self._config.callers) > 1,
        )

    # --- off the loop ----------------------------------------------------------------------

    def is_large(self, body: bytes) -> bool:
        """Whether what looks at the whole of it would hold up the others, and is for a thread."""
        return len(body) > self._off_loop

    async def large_begins(self) -> None:
        """Room for a large body's tree; then ``large_ends`` once it is dropped. Refused where too
        many wait for it. All that come at once would have a tree each, many times their size."""
        if self._large >= _THREADS + _WAITING:
            raise busy(
                Overloaded(
                    "正在检查的大报文过多，请稍后重试",
                    "too many large messages are being checked; try again after a moment",
                    rule="limits.parse_off_loop_bytes",
                ),
                1,
            )
        self._large += 1
        try:
            await self._trees.acquire()
        except BaseException:
            self._large -= 1
            raise

    def large_ends(self) -> None:
        self._large -= 1
        self._trees.release()

    async def in_thread(self, step: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """A step of a large body."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "parse")
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, partial(step, *arguments, **named)
        )


def parse_limits(configured: Configured) -> Limits:
    """[limits] as the parser takes them."""
    return Limits(
        size=configured.max_body_bytes,
        depth=configured.depth,
        elements=configured.elements,
        attributes=configured.elements,  # each costs as much as an element
        attributes_each=configured.attributes,
        name_length=configured.name_length,
        text_bytes=configured.text_bytes,
        namespaces=configured.namespaces,
        instructions=False,
    )


def without_security(message: Message) -> bytes:
    """The message as UTF-8 without its wsse:Security header: passwords stay at the gateway, and
    a node behind it, which cannot check them, is not told that it must understand them."""
    security = message.security
    if security is not None:
        header = security.getparent()
        if header is not None:
            header.remove(security)
    return etree.tostring(message.root, encoding="utf-8", xml_declaration=True)
