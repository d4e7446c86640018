"""The registry's JSON addresses from Python: leases, contracts, bindings, and the watch.

client = LivingClient("http://127.0.0.1:8081")
everything = client.snapshot()
news = client.watch(everything.index, everything.epoch)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from registry.client import UddiClient
from registry.errors import RegistryUnavailable, UddiError
from registry.registered import RegisteredBinding


@dataclass(frozen=True, slots=True)
class Renewed:
    """``seconds``: how long the leases last now. ``unknown`` must be published again, and
    everything where ``epoch`` is another than before."""

    epoch: str
    seconds: float
    unknown: tuple[str, ...]
    revived: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Bindings, at least as new as change ``index``."""

    epoch: str
    index: int
    bindings: tuple[RegisteredBinding, ...]


@dataclass(frozen=True, slots=True)
class NewChange:
    """A line of the change log. ``moment``: milliseconds since 1970."""

    index: int
    moment: int
    publisher: str
    action: str
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class News:
    """What a watch answered. ``reset``: read everything anew, and go on from ``index``.
    ``more``: there are more changes than these."""

    epoch: str
    index: int
    reset: bool
    more: bool
    changes: tuple[NewChange, ...]


class ContractBreaks(Exception):
    """The registry refuses a WSDL that breaks a published version; ``breaks`` says what."""

    def __init__(self, message: str, breaks: Sequence[str]) -> None:
        super().__init__("\n".join([message, *breaks]))
        self.breaks = tuple(breaks)


class NotOffered(Exception):
    """The registry answers and has no such address: it is older than this client."""


class LivingClient(UddiClient):
    """Errors as UddiClient's, and NotOffered."""

    def renew(self, token: str, keys: Iterable[str]) -> Renewed:
        """Renew, or take, the leases of these entities."""
        body = json.dumps({"renew": list(keys)}).encode()
        found = self._json("POST", "/lease", body, token=token)
        return Renewed(
            str(found["epoch"]),
            float(found["seconds"]),
            tuple(found["unknown"]),
            tuple(found["revived"]),
        )

    def put_contract(self, token: str, hospital: str, service: str, wsdl: bytes) -> bool:
        """Send a service's WSDL; whether it is a version that was not there before.
        ContractBreaks where it breaks a published one under the same namespace."""
        path = f"/contracts/{quote(hospital, safe='')}/{quote(service, safe='')}"
        found = self._json("PUT", path, wsdl, token=token, content_type="text/xml")
        return bool(found["new"])

    def snapshot(self, hospitals: Sequence[str] = ()) -> Snapshot:
        """All bindings that are not hidden, or those of some hospitals by their codes."""
        found: list[RegisteredBinding] = []
        first: dict[str, Any] = {}
        query: list[tuple[str, str]] = [("hospital", code) for code in hospitals]
        while True:
            page = self._json("GET", f"/bindings?{urlencode(query)}")
            first = first or page
            if page["epoch"] != first["epoch"]:
                return self.snapshot(hospitals)  # another database half way
            found += [RegisteredBinding(**one) for one in page["bindings"]]
            if page["next"] is None:
                return Snapshot(first["epoch"], int(first["index"]), tuple(found))
            query = [("after", page["next"])]

    def watch(self, index: int, epoch: str, wait: float = 30.0) -> News:
        """What changed behind ``index``, as soon as it does; nothing after ``wait`` seconds."""
        query = urlencode({"index": index, "epoch": epoch, "wait": f"{wait:.3f}s"})
        found = self._json("GET", f"/watch?{query}", timeout=wait * 17 / 16 + self.timeout)
        return News(
            str(found["epoch"]),
            int(found["index"]),
            bool(found["reset"]),
            bool(found["more"]),
            tuple(NewChange(**one) for one in found["changes"]),
        )

    def position(self) -> tuple[int, str]:
        """The number of the last change and the registry's epoch: where a watch begins."""
        found = self._json("GET", "/watch")
        return int(found["index"]), str(found["epoch"])

    def history(self, key: str = "", limit: int = 100) -> list[NewChange]:
        """The latest changes, of one entity or of all, the newest first."""
        query = {"limit": limit, **({"key": key} if key else {})}
        found = self._json("GET", f"/history?{urlencode(query)}")
        return [NewChange(**one) for one in found["changes"]]

    def _json(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        token: str = "",
        content_type: str = "application/json",
        timeout: float | None = None,
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = content_type
        status, data = self._send(method, path, body, headers, timeout or self.timeout)
        try:
            found = json.loads(data)
        except ValueError:
            found = None
        if status in (404, 405) and not isinstance(found, dict):
            raise NotOffered(f"{self.base_url}{path.partition('?')[0]}: HTTP {status}")
        if not isinstance(found, dict):
            raise RegistryUnavailable(
                f"{self.base_url}{path.partition('?')[0]}: HTTP {status}，不是 JSON / is no JSON"
            )
        if status < 300:
            return found
        error = found.get("error") or {}
        code, message = str(error.get("code", "fatalError")), str(error.get("message", status))
        if status == 409:
            raise ContractBreaks(message, [str(one) for one in error.get("breaks", [])])
        raise UddiError(code, message, errno=10500)
