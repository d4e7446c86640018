"""The registry's configuration: what its TOML file may say, checked at start."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    field_validator,
    model_validator,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from services.passwords import parse


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an http(s) address; ValueError where it is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"应是 http(s) 地址 / must be an http(s) address: {url!r}")
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(_Section):
    """Where the registry listens. ``public_url`` is how others reach it; where it is missing,
    links are made from the Host header of each request."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8081
    public_url: str | None = None

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(
                "应是完整的 http(s) 地址，如 http://10.1.2.3:8081 / "
                "must be a whole http(s) address such as http://10.1.2.3:8081"
            )
        return value.rstrip("/")


class StoreConfig(_Section):
    """``url`` is an SQLAlchemy URL; a relative SQLite path is relative to the working directory."""

    url: str = "sqlite:///registry.db"

    @field_validator("url")
    @classmethod
    def _on_disk(cls, value: str) -> str:
        try:
            url = make_url(value)
        except ArgumentError as error:
            raise ValueError(
                f"不是 SQLAlchemy 数据库地址 / not an SQLAlchemy database URL: {value!r}"
            ) from error
        if url.get_backend_name() not in ("sqlite", "postgresql"):
            raise ValueError(
                "注册中心支持 sqlite:/// 与 postgresql+psycopg:// / "
                f"a registry stands on sqlite:/// or postgresql+psycopg://, not on {url.drivername}"
            )
        if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
            raise ValueError(
                "注册中心需要文件，如 sqlite:///registry.db（内存库重启即失） / "
                "the registry needs a file such as sqlite:///registry.db; "
                "a database in memory is gone after a restart"
            )
        return value


_Count = Annotated[int, Field(ge=0)]


class PublisherLimits(_Section):
    """How many of each one publisher may have; services for each business, bindings for each
    service."""

    businesses: _Count = 20_000
    services: _Count = 1_000
    bindings: _Count = 200
    tmodels: _Count = 20_000
    assertions: _Count = 10_000
    subscriptions: _Count = 100


class Publisher(_Section):
    """Somebody who may publish. ``hospitals`` are the codes that this publisher may speak for;
    where it is missing, the one that has the publisher's own name. ``["*"]``: any. ``limits``
    stand in place of the registry's."""

    user: Annotated[str, Field(min_length=1, max_length=255)]
    password_hash: str
    hospitals: tuple[str, ...] = ()
    limits: PublisherLimits | None = None

    @field_validator("password_hash")
    @classmethod
    def _scrypt(cls, value: str) -> str:
        parse(value)
        return value

    def may_speak_for(self, code: str) -> bool:
        codes = self.hospitals or (self.user,)
        return "*" in codes or code.lower() in (known.lower() for known in codes)


class Inquiry(_Section):
    """``find_all_without_criteria``: a find without criteria answers everything, for clients
    such as HHS CONNECT; the specification answers it with nothing. ``max_rows`` bounds every
    find; a client that wants more pages through with listHead. ``default_rows``: how many a find
    answers that says no maxRows; the rest is told of by truncated."""

    find_all_without_criteria: bool = False
    default_rows: Annotated[int, Field(ge=1, le=100_000)] = 100
    max_rows: Annotated[int, Field(ge=1, le=100_000)] = 1000
    max_body_bytes: Annotated[int, Field(ge=1024)] = 4 * 1024 * 1024


class Security(_Section):
    token_lifetime_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 60


class LeaseSettings(_Section):
    """``seconds``: how long a node's renewal lasts; nodes renew three times as often.
    ``hide_after_seconds``: how long an entry whose lease ran out is still found, marked."""

    seconds: Annotated[float, Field(ge=5, le=24 * 3600)] = 120
    hide_after_seconds: Annotated[float, Field(ge=5, le=366 * 24 * 3600)] = 24 * 3600


class HealthSettings(_Section):
    """How bindings are probed: each every ``interval_seconds``, or as often as
    ``probes_per_second`` allows where there are many; ``at_once`` at one time. ``fall`` failures
    in a row are critical, ``rise`` successes passing again; an answer that takes longer than
    ``slow_ms`` warns. ``inside``: also ask the nodes' own addresses, where they can be reached.
    ``user`` and ``password_file``: as whom the gateways know the probes (HTTP Basic), told to
    none but ``gateways``, such as https://10.1.0.1:8443; ``ca_file``: who vouches for the
    gateway's certificate, besides the system's authorities."""

    probe: bool = True
    interval_seconds: Annotated[float, Field(ge=0.2, le=3600)] = 30
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    probes_per_second: Annotated[float, Field(gt=0, le=1000)] = 20
    at_once: Annotated[int, Field(ge=1, le=200)] = 16
    fall: Annotated[int, Field(ge=1, le=20)] = 3
    rise: Annotated[int, Field(ge=1, le=20)] = 2
    slow_ms: Annotated[float, Field(gt=0)] = 3000
    inside: bool = True
    user: Annotated[str, Field(max_length=255, pattern="^[^:]*$")] = ""
    password_file: Path | None = None
    gateways: tuple[str, ...] = ()
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> HealthSettings:
        if bool(self.user) != (self.password_file is not None):
            raise ValueError(
                "user 与 password_file 须同时填写 / user and password_file go together"
            )
        if self.user and not self.gateways:
            raise ValueError(
                "填写了 user 就须在 gateways 中列出网关地址，口令只发给它们 / with user, list the "
                "gateways that the password is sent to in gateways"
            )
        for url in self.gateways:
            origin(url)
        self.password()
        return self

    def password(self) -> str:
        """The password file's first line; "" where there is none. ValueError: it is not there."""
        if self.password_file is None:
            return ""
        try:
            lines = self.password_file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(
                f"口令文件无法读取 / the password file cannot be read: {error}"
            ) from error
        if not lines or not lines[0].strip():
            raise ValueError("口令文件是空的 / the password file is empty")
        return lines[0].strip()


class SubscriptionSettings(_Section):
    """``listener_networks``: where listeners may be; the registry sends notifications to nowhere
    else. ``days``: how long a subscription lasts at most. ``interval_seconds``: how often a
    listener is told at most. ``timeout_seconds``: for one notification. ``members``: how many
    entities one subscription may match."""

    listener_networks: tuple[IPv4Network | IPv6Network, ...] = (
        IPv4Network("10.0.0.0/8"),
        IPv4Network("172.16.0.0/12"),
        IPv4Network("192.168.0.0/16"),
        IPv6Network("fc00::/7"),
    )
    days: Annotated[float, Field(gt=0, le=3660)] = 366
    interval_seconds: Annotated[float, Field(ge=0.1, le=24 * 3600)] = 5
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5
    members: Annotated[int, Field(ge=1)] = 20_000


class ChangeSettings(_Section):
    """``keep_days``: how long the change log, and with it /history, goes back. What a
    subscription is still to be told of is kept longer."""

    keep_days: Annotated[float, Field(ge=1, le=36_600)] = 366


class WatchSettings(_Section):
    """``waiters``: how many GET /watch may wait at one time; more are answered 503."""

    waiters: Annotated[int, Field(ge=1, le=100_000)] = 2000


_Origin = Annotated[str, Field(pattern=r"^https?://[^/\s?#@]+$", max_length=255)]


class TrySettings(_Section):
    """The page's console, which sends real calls. ``networks``: whose browsers may use it; by
    default this machine's alone. ``writes``: also operations that change something. ``origins``:
    the only scheme://host:port that are called, such as the gateway's; empty: every outside
    address in the registry. ``user`` and ``password_file``: as whom the gateway knows these calls
    (HTTP Basic); they are sent to ``origins`` alone. A call and its answer are kept in memory for
    ``keep_minutes``, at most ``keep`` of them, and never written anywhere."""

    enabled: bool = True
    networks: tuple[IPvAnyNetwork, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    writes: bool = True
    origins: tuple[_Origin, ...] = ()
    user: Annotated[str, Field(max_length=255, pattern="^[^:]*$")] = ""
    password_file: Path | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30
    max_answer_bytes: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 2 * 1024 * 1024
    keep_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] = 60
    keep: Annotated[int, Field(ge=1, le=10_000)] = 200
    at_once: Annotated[int, Field(ge=1, le=100)] = 8

    @model_validator(mode="after")
    def _a_password_goes_to_known_places(self) -> TrySettings:
        if bool(self.user) != (self.password_file is not None):
            raise ValueError(
                "user 与 password_file 须同时填写 / user and password_file go together"
            )
        if self.user and not self.origins:
            raise ValueError(
                "填写 user 时必须用 origins 指明口令可以发往哪里 / "
                "with a user, origins must say where the password may be sent"
            )
        return self

    def admits(self, address: str) -> bool:
        """Whether a browser at this IP address may use the console."""
        try:
            asker = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(asker, "ipv4_mapped", None)
        return any((mapped or asker) in network for network in self.networks)


class RegistryConfig(_Section):
    """The whole file."""

    listen: Listen = Listen()
    store: StoreConfig = StoreConfig()
    publishers: tuple[Publisher, ...] = ()
    inquiry: Inquiry = Inquiry()
    security: Security = Security()
    lease: LeaseSettings = LeaseSettings()
    health: HealthSettings = HealthSettings()
    watch: WatchSettings = WatchSettings()
    changes: ChangeSettings = ChangeSettings()
    limits: PublisherLimits = PublisherLimits()
    subscription: SubscriptionSettings = SubscriptionSettings()
    trying: Annotated[TrySettings, Field(alias="try")] = TrySettings()

    @model_validator(mode="after")
    def _users_differ(self) -> RegistryConfig:
        users = [publisher.user for publisher in self.publishers]
        twice = sorted({user for user in users if users.count(user) > 1})
        if twice:
            raise ValueError(
                f"发布者重复 / the same publisher twice: {', '.join(twice)}",
            )
        if OPERATOR in users:
            raise ValueError(
                f"{OPERATOR!r} 是注册中心自己的名字，请换一个 / "
                f"{OPERATOR!r} is the registry's own name; choose another"
            )
        return self


#: The owner of what stands in the registry from its first start; nobody can log in as it.
OPERATOR = "uddi:yilian:registry"
