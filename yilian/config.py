"""The node's configuration, which joins several parts; yilian/loading.py reads the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters import ARCHIVES
from adapters.config import SourceConfig
from yilian.config_words import wrong
from yilian.loading import (
    Misconfigured,
    Problem,
    load,
    misconfigured,
    problem_at,
    read_password,
)

__all__ = [
    "Alliance",
    "ContactPerson",
    "Contacts",
    "Ferry",
    "Hospital",
    "Listen",
    "Misconfigured",
    "NodeConfig",
    "Problem",
    "Registry",
    "Reverse",
    "load",
    "misconfigured",
    "problem_at",
    "read_password",
]

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s?#]*)?$", max_length=4096)]


class Section(BaseModel):
    """A table of a configuration file: no key that nobody reads, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ContactPerson(Section):
    """Somebody, or a desk, to be called about this hospital's services."""

    name: str = Field(min_length=1, max_length=255)
    phone: str = Field(default="", max_length=50)
    email: str = Field(default="", max_length=255, pattern=r"^([^@\s]+@[^@\s]+)?$")


class Contacts(Section):
    """Who answers for the services, and whom to call at any hour; both stand in the registry."""

    owner: ContactPerson | None = None
    on_call: ContactPerson | None = None


class Hospital(Section):
    """Who this node speaks for. ``code`` stands in every address and registry key."""

    code: str = Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$")
    name: str = Field(min_length=1, max_length=255)
    name_en: str = Field(min_length=1, max_length=255)
    contacts: Contacts = Contacts()


class Listen(Section):
    """Where the process listens, and ``public_url``, by which others reach it."""

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    public_url: HttpUrl


class Registry(Section):
    """The registry to publish in, and as whom. The password is the file's first line."""

    url: HttpUrl
    user: str = Field(min_length=1, max_length=255)
    password_file: Path


class Alliance(Section):
    """``gateway_url``: what askers outside this hospital bind to."""

    gateway_url: HttpUrl


class Reverse(Section):
    """For a hospital whose gate lets only the inside open connections: the node dials the
    gateways at ``urls``, keeps ``connections`` to each and takes calls over them. The token is
    the file's first line. With https, ``ca_file`` names the CA that signed the gateway's
    certificate (without it, the system's), and ``certificate_file`` with ``key_file`` the
    certificate that the node shows."""

    urls: tuple[HttpUrl, ...] = Field(min_length=1, max_length=64)
    token_file: Path | None = None
    connections: int = Field(default=4, ge=1, le=256)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _it_proves_who_it_is(self) -> Reverse:
        if self.token_file is None and self.certificate_file is None:
            raise ValueError(
                "须有 token_file 或 certificate_file / give a token_file or a certificate_file"
            )
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError(
                "certificate_file 与 key_file 须同时给出 / "
                "certificate_file and key_file belong together"
            )
        return self


class Ferry(Section):
    """For a hospital whose gate passes only files: calls arrive in ``in_folder``, answers leave by
    ``out_folder``. ``kept_folder`` is the node's own, beside them, and crosses no gate.
    ``at_once``: calls that run at a time. ``max_bytes``: of one file."""

    in_folder: Path
    out_folder: Path
    kept_folder: Path
    key_file: Path
    extension: str = Field(default=".xml", pattern=r"^\.[A-Za-z0-9]{1,16}$")
    max_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    at_once: int = Field(default=4, ge=1, le=256)


class NodeConfig(Section):
    """One hospital's node: what it is, where it listens, which databases offer what.

    Without ``registry`` nothing is published; without ``alliance`` only the inside address is.
    """

    hospital: Hospital
    listen: Listen
    registry: Registry | None = None
    alliance: Alliance | None = None
    reverse: Reverse | None = None
    ferry: Ferry | None = None
    sources: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")], SourceConfig]

    @model_validator(mode="after")
    def _a_contract_has_one_source(self) -> NodeConfig:
        if not self.sources:
            raise wrong("至少要有一个 [sources.名称]", "there must be a [sources.NAME]", "sources")
        first: dict[str, str] = {}
        for name, source in self.sources.items():
            for index, contract in enumerate(source.offers):
                other = first.setdefault(contract, name)
                if other != name:
                    raise wrong(
                        f"{contract} 已由来源 {other} 提供；一个服务只能有一个来源",
                        f"source {other} offers {contract} already; a service has one source",
                        *("sources", name, "offers", index),
                    )
        for name, source in self.sources.items():
            if source.adapter in ARCHIVES and "ExamResults" not in first:
                raise wrong(
                    "没有来源提供 ExamResults，影像无从补全",
                    "no source offers ExamResults, whose images it could complete",
                    *("sources", name, "adapter"),
                )
        return self
