"""What the operations work on: the store, the accounts, and this registry's node name."""

from __future__ import annotations

from dataclasses import dataclass, field

from registry.accounts import Accounts
from registry.config import Publisher, PublisherLimits, SubscriptionSettings
from registry.store import Store

NODE_ID = "uddi:yilian:registry"


@dataclass(frozen=True, slots=True)
class Context:
    """``limits`` are those of publishers that have none of their own."""

    store: Store
    accounts: Accounts
    limits: PublisherLimits = field(default_factory=PublisherLimits)
    subscriptions: SubscriptionSettings = field(default_factory=SubscriptionSettings)
    max_rows: int = 1000

    def limits_of(self, publisher: Publisher) -> PublisherLimits:
        return publisher.limits or self.limits
