"""What the pages ask of other parts of the registry: health, leases and kept versions.

Structural types, so that a page can be shown with any of them missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from services.soap.wsdl_diff import Comparison

State = Literal["unknown", "passing", "warning", "critical"]

#: the worst last, for a summary of several
STATES: tuple[State, ...] = ("unknown", "passing", "warning", "critical")


class BindingHealth(Protocol):
    """``since``: in this state; ``checked``: last probed; ``zh`` and ``en`` say why."""

    @property
    def state(self) -> State: ...
    @property
    def since(self) -> datetime | None: ...
    @property
    def checked(self) -> datetime | None: ...
    @property
    def latency_ms(self) -> float | None: ...
    @property
    def zh(self) -> str: ...
    @property
    def en(self) -> str: ...


class Probe(Protocol):
    """One call of the declared harmless operation; ``fault`` is "" where it was answered."""

    @property
    def moment(self) -> datetime: ...
    @property
    def ok(self) -> bool: ...
    @property
    def latency_ms(self) -> float: ...
    @property
    def fault(self) -> str: ...


class HealthBook(Protocol):
    """``services``: how many are in each state, of those that are probed; ``troubled``: the keys
    of those that are critical or warning, in this order, the newest first."""

    def of(self, keys: Iterable[str], /) -> Mapping[str, BindingHealth]: ...
    def services(self) -> Mapping[State, int]: ...
    def troubled(self) -> Sequence[str]: ...
    def history(self, binding_key: str, since: datetime, /) -> Sequence[Probe]: ...


class Lease(Protocol):
    """``state``: none, alive, expired or hidden."""

    @property
    def state(self) -> str: ...
    @property
    def renewed(self) -> datetime | None: ...
    @property
    def expires(self) -> datetime | None: ...


class Leases(Protocol):
    def of(self, keys: Iterable[str], /) -> Mapping[str, Lease]: ...


class Version(Protocol):
    """A kept WSDL. ``published``: when it first stood in the registry."""

    @property
    def namespace(self) -> str: ...
    @property
    def published(self) -> datetime: ...
    @property
    def publisher(self) -> str: ...
    @property
    def wsdl(self) -> bytes: ...


class Versions(Protocol):
    def of(self, service: str, /) -> Sequence[Version]: ...


#: an old and a new WSDL to their differences; NotWsdl
Compare = Callable[[bytes, bytes], Comparison]


class Nothing:
    """Stands for each of them where the registry has none."""

    def of(self, keys: Any) -> Any:
        return {} if not isinstance(keys, str) else []

    def services(self) -> dict[State, int]:
        return {}

    def troubled(self) -> list[str]:
        return []

    def history(self, binding_key: str, since: datetime) -> list[Any]:
        return []
