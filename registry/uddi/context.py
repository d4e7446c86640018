"""What the operations work on: the store, the accounts, and this registry's node name."""

from __future__ import annotations

from dataclasses import dataclass

from registry.accounts import Accounts
from registry.store import Store

NODE_ID = "uddi:yilian:registry"


@dataclass(frozen=True, slots=True)
class Context:
    store: Store
    accounts: Accounts
