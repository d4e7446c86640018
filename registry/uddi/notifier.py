"""Tells subscriptions' listeners what has changed, in threads of its own.

Each subscription is told at most once an interval, from where it was told last. What cannot be
delivered is tried again, later and later, and loses nothing: the next attempt covers the time of
the failed ones too.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog
from lxml import etree
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from registry import subscriptions
from registry.changed import Period
from registry.errors import UddiError
from registry.failures import described
from registry.keys import fold
from registry.subscriptions import Subscription
from registry.uddi.context import Context
from registry.uddi.listeners import Listener, NotTold, listener_url
from registry.uddi.soap import envelope
from registry.uddi.subscription_results import now, results, sq
from registry.uddi.times import seconds
from registry.uddi.v3 import q

log = structlog.get_logger("registry")

NAMESPACE: Final = "urn:uddi-org:subr_v3"

#: Notifications under way at one time, and messages of one notification.
AT_ONCE, CHUNKS = 4, 50

#: How often the table is looked at, and how long a failed one waits at first and at most, seconds.
_LOOK, _FIRST_RETRY, _LAST_RETRY = 1.0, 5.0, 3600.0

#: How long a claimed subscription is nobody else's, in milliseconds: longer than telling takes.
_CLAIMED_MS = 10 * 60_000


class Notifier:
    """``first_retry``: seconds until a failed notification is tried again; twice that next."""

    def __init__(self, context: Context, first_retry: float = _FIRST_RETRY) -> None:
        self._context = context
        self._first_retry = first_retry
        self._ended = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="registry-notifier", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(self._context.subscriptions.timeout_seconds + 5)

    def wake(self) -> None:
        """Look at the table at once: something in it is new."""
        self._woken.set()

    def _run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="registry-tell") as pool:
            while not self._ended.is_set():
                self._woken.clear()
                try:
                    due = self._due()
                except SQLAlchemyError as error:
                    log.warning("subscriptions not read", error=described(error))
                    due = []
                for done in [pool.submit(self._tell, one) for one in due]:
                    done.result()
                if not due:
                    self._woken.wait(_LOOK)

    def _due(self) -> list[Subscription]:
        store = self._context.store
        moment = now()
        with store.engine.connect() as connection:
            first = subscriptions.next_due(connection)
        if first is None or first > moment:
            return []

        def claim(connection: Connection) -> list[Subscription]:
            return subscriptions.claim_due(connection, moment, moment + _CLAIMED_MS, AT_ONCE)

        return store.write(claim)

    def _tell(self, subscription: Subscription) -> None:
        """Never raises: one subscription's trouble is not another's."""
        interval = self._interval(subscription)
        try:
            told = self._deliver(subscription)
            self._put_off(subscription.key, told, now() + int(interval * 1000), 0)
            return
        except (NotTold, UddiError) as error:
            reason = str(error)
        except SQLAlchemyError as error:
            reason = described(error)
        except Exception:
            log.exception("subscription failed", subscription=subscription.key)
            reason = "an error inside the registry"
        failures = subscription.failures + 1
        wait = min(self._first_retry * 2 ** (failures - 1), _LAST_RETRY)
        log.warning(
            "listener not told",
            subscription=subscription.key,
            reason=reason,
            failures=failures,
            again_in_seconds=wait,
        )
        self._put_off(subscription.key, None, now() + int(wait * 1000), failures)

    def _put_off(self, key: str, told: tuple[int, int] | None, due: int, failures: int) -> None:
        def work(connection: Connection) -> None:
            subscriptions.put_off(connection, key, told, due, failures)

        try:
            self._context.store.write(work)
        except SQLAlchemyError as error:
            # It stays claimed for some minutes and is told then, perhaps for a second time.
            log.warning("subscription not put off", subscription=key, error=described(error))

    def _interval(self, subscription: Subscription) -> float:
        sent = etree.fromstring(subscription.body).findtext(sq("notificationInterval")) or "PT0S"
        return max(seconds(sent), self._context.subscriptions.interval_seconds)

    def _deliver(self, subscription: Subscription) -> tuple[int, int]:
        """Tell everything since the last time; until when, and up to which change, that was.
        NotTold, UddiError."""
        moment, last = now(), self._context.store.last_index()
        told = (moment, last)
        if last == subscription.told_index:
            return told
        period = Period(subscription.told, moment, subscription.told_index, last)
        found = results(self._context, subscription, period)
        if found.empty:
            return told
        listener = self._listener(subscription)
        for number in range(1, CHUNKS + 1):
            message = etree.Element(
                f"{{{NAMESPACE}}}notify_subscriptionListener", nsmap={None: NAMESPACE}
            )
            message.append(found.element)
            listener.tell(envelope(message))
            if not found.token:
                break
            if number == CHUNKS or self._ended.is_set():
                # Told again from the beginning: better twice than never.
                raise NotTold(f"more than {number} messages at one time")
            found = results(self._context, subscription, period, found.token)
        log.info("listener told", subscription=subscription.key)
        return told

    def _listener(self, subscription: Subscription) -> Listener:
        settings = self._context.subscriptions
        key = fold(etree.fromstring(subscription.body).findtext(q("bindingKey")) or "")
        (binding,) = self._context.store.bindings([key])
        return Listener(listener_url(binding), settings.listener_networks, settings.timeout_seconds)
