"""Two WSDLs compared: what breaks a client that was made from the old one.

compare(old, new).breaking      must not be published under the same namespace
compare(old, new).compatible    changes that no client notices
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``where`` is the way to it: operation, message, element."""

    zh: str
    en: str
    where: str


@dataclass(frozen=True, slots=True)
class Comparison:
    breaking: list[Change] = field(default_factory=list)
    compatible: list[Change] = field(default_factory=list)


class NotWsdl(ValueError):
    """The document cannot be compared; says why, in Chinese and English."""
