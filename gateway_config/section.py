"""What every section of the gateway's configuration is made of: its base class and its types."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

KIB = 1024
MIB = 1024 * 1024

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def address_of(text: str) -> Address | None:
    """An IP address as networks compare it: without its zone, and IPv4 where it is that in IPv6's
    form. None where it is no address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def within(text: str, networks: Iterable[Network]) -> bool:
    """Whether an IP address lies in one of them; what is no address does not."""
    address = address_of(text)
    return address is not None and any(address in network for network in networks)


_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_ENDPOINT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):(?P<port>[0-9]{1,5})\Z")


class Section(BaseModel):
    """A table of the file: no key that nobody reads, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class WrongKey(ValueError):
    """What a check over several keys refuses. ``where``: the way from the checked model to the
    key; yilian.config tells it with file and line."""

    def __init__(self, zh: str, en: str, *where: str | int) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
        self.where = where


def is_host(text: str) -> bool:
    """Whether it is a host name, an IPv4 address, or an IPv6 address without brackets. Not what
    only C libraries take for an IPv4 address (127.1, 2130706433): no check would know it."""
    if ":" in text:
        try:
            IPv6Address(text)
        except ValueError:
            return False
        return True
    if len(text) > 253 or _NAME.fullmatch(text) is None:
        return False
    last = text.rstrip(".").rpartition(".")[2]
    if not _NUMBER.fullmatch(last):
        return True
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def base_url(text: str) -> str:
    """An http or https URL to which paths are appended, without its last slash.

    ValueError where it is anything else: another scheme, no host, a user, a query, a fragment.
    """
    try:
        url = urlsplit(text)
        port_ok = url.port is None or url.port > 0
    except ValueError as error:
        raise ValueError(f"不是有效的网址 / not a valid URL: {error}") from None
    if url.scheme not in ("http", "https"):
        raise ValueError("须以 http:// 或 https:// 开头 / must begin with http:// or https://")
    if not url.hostname or not is_host(url.hostname) or not port_ok:
        raise ValueError("网址中没有有效的主机和端口 / the URL has no valid host and port")
    if "@" in url.netloc or "?" in text or "#" in text:
        raise ValueError("不得含用户名、? 或 # / must hold no user name, ? or #")
    if re.search(r"[^!#-;=?-\[\]_a-z~]", text):
        raise ValueError("含有不允许的字符 / holds a character that is not allowed")
    return text.rstrip("/")


def _host(text: str) -> str:
    if not is_host(text):
        raise ValueError("不是主机名或 IP 地址 / neither a host name nor an IP address")
    return text


def _network(value: object) -> object:
    if not isinstance(value, str):
        return value  # what it should be, or pydantic says what it is not
    try:
        return ip_network(value)
    except ValueError:
        pass
    try:
        whole = ip_network(value, strict=False)
    except ValueError:
        raise ValueError(
            "不是网段，应形如 10.2.0.0/16 / not a network such as 10.2.0.0/16"
        ) from None
    raise ValueError(
        f"主机位不为零，是否应为 {whole} / it has host bits set; is {whole} meant?"
    ) from None


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError("不是 IP 地址 / not an IP address") from None


def host_and_port(text: str) -> tuple[str, int]:
    """``10.1.2.3:80`` or ``[::1]:80`` as host (without brackets) and port. ValueError."""
    found = _ENDPOINT.match(text)
    host = found["host"].strip("[]") if found else ""
    if found is None or not is_host(host) or not 0 < int(found["port"]) < 65536:
        raise ValueError("应为 地址:端口，如 172.20.1.1:2019 / must be address:port")
    return host, int(found["port"])


def _endpoint(text: str) -> str:
    """In one spelling, so that the same address is the same text."""
    host, port = host_and_port(text)
    try:
        host = str(ip_address(host))
    except ValueError:
        host = host.lower()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def endpoint_of(url: str) -> str:
    """``address:port`` of an http or https URL, in the spelling that Endpoint gives."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return _endpoint(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def _beside_the_configuration(value: Path, info: ValidationInfo) -> Path:
    """``context={"folder": Path}`` at validation says where a relative path starts."""
    context: dict[str, Any] = info.context or {}
    folder = context.get("folder")
    return folder / value if folder is not None else value


BaseUrl = Annotated[str, AfterValidator(base_url)]
Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
IpAddress = Annotated[str, AfterValidator(_address)]
#: ``address:port``
Endpoint = Annotated[str, AfterValidator(_endpoint)]
CheckedNetwork = Annotated[Network, BeforeValidator(_network)]
#: a file or folder; a relative one starts at the configuration file
Beside = Annotated[Path, AfterValidator(_beside_the_configuration)]
#: what a hospital, caller or side is called in tables and in the log
Key = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$")]


class Rate(Section):
    """A token bucket: ``burst`` calls at once, ``per_second`` in the long run."""

    per_second: float = Field(
        gt=0, le=1_000_000, description="长期平均每秒次数。Calls a second in the long run."
    )
    burst: int = Field(
        default=20, ge=1, le=1_000_000, description="一次可连发的次数。Calls at once."
    )
