"""A binding: where one hospital's service can be reached, and the route that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.paths import canonical
from gateway_config.model import base_url


@dataclass(frozen=True, slots=True)
class Binding:
    """``access_point`` is the node's own URL for the service, ``http://node:8082/hx/LabResults``."""

    hospital: str
    service: str
    access_point: str

    @property
    def path(self) -> str:
        """The path of the access point."""
        return urlsplit(self.access_point).path or "/"


def route_of(binding: Binding) -> str:
    """The path under which the gateway offers a binding: that of its access point.

    ValueError says why a binding is not fit to be routed to: not an http(s) URL, a path that is
    not canonical, or one that does not begin with the hospital's own code: a hospital must not
    be able to draw another one's calls to itself by what it publishes.
    """
    base_url(binding.access_point)
    path = canonical(urlsplit(binding.access_point).path)
    parts = path.split("/")[1:]
    if len(parts) != 2 or parts[0] != binding.hospital:
        raise ValueError(
            f"路径应为 /{binding.hospital}/服务名 / the path should be /{binding.hospital}/Service"
        )
    return path


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in one spelling."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"
