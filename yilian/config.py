"""Configuration: a TOML file into a checked model, or every mistake by file, line and key.

``load(path, Model)`` serves all four processes; the models live with their parts. NodeConfig,
which joins several parts, is here. Relative paths in a file mean: relative to that file. They
are the database of a ``sqlite`` URL and every key that ends in ``_file`` or ``_folder``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from adapters import ARCHIVES
from adapters.config import SourceConfig
from adapters.toml_lines import Way, find_line
from yilian.config_words import chinese, wrong
from yilian.refused import Refused

Model = TypeVar("Model", bound=BaseModel)

HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s?#]*)?$", max_length=4096)]


@dataclass(frozen=True)
class Problem:
    """Something that is wrong, or that somebody should know, about one key of a file."""

    line: int
    key: str
    zh: str
    en: str


class Misconfigured(Refused):
    """A configuration with something wrong in it; ``problems`` one by one."""

    def __init__(self, zh: str, en: str, problems: Sequence[Problem]) -> None:
        super().__init__(zh, en)
        self.problems = tuple(problems)


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


def load(path: Path, model: type[Model]) -> Model:
    """The checked configuration in ``path``. Misconfigured names all that is wrong with it;
    Refused says that there is nothing to read."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise Refused(
            f"没有配置文件 {path}。请检查路径。", f"There is no {path}. Check the path."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"配置文件 {path} 无法读取（应为可读的 UTF-8 文本）：{error}",
            f"{path} cannot be read as UTF-8 text: {error}",
        ) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = int(line[1]) if line else text.count("\n") + 1
        raise Misconfigured(
            f"{path} 不是有效的 TOML：{error}",
            f"{path} is not valid TOML: {error}",
            [Problem(where, "-", f"不是有效的 TOML：{error}", f"not valid TOML: {error}")],
        ) from error
    try:
        folder = path.absolute().parent
        return model.model_validate(_anchored(data, folder), context={"folder": folder})
    except ValidationError as error:
        raise misconfigured(path, list(_problems(error, text, model))) from None


def misconfigured(path: Path, problems: Sequence[Problem]) -> Misconfigured:
    """All that is wrong with a file, as one refusal."""
    lines_zh = "\n".join(f"  第 {p.line} 行 {p.key}：{p.zh}" for p in problems)
    lines_en = "\n".join(f"  line {p.line}, {p.key}: {p.en}" for p in problems)
    return Misconfigured(
        f"配置文件 {path} 有误，未启动：\n{lines_zh}",
        f"{path} is wrong; nothing was started:\n{lines_en}",
        problems,
    )


def problem_at(text: str, way: Way, zh: str, en: str) -> Problem:
    """A problem with the line at which ``way`` stands in the file's text."""
    return Problem(find_line(text, way), ".".join(map(str, way)) or "-", zh, en)


def read_password(file: Path) -> str:
    """The first line of a password file. Refused if there is none."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"口令文件 {file} 无法读取：{error}",
            f"The password file {file} cannot be read: {error}",
        ) from error
    if not lines or not lines[0].strip():
        raise Refused(
            f"口令文件 {file} 是空的。请把口令写在第一行。",
            f"The password file {file} is empty. Write the password in its first line.",
        )
    return lines[0].strip()


def _problems(
    error: ValidationError, text: str, model: type[BaseModel], base: Way = ()
) -> Iterator[Problem]:
    for one in error.errors(include_url=False):
        context = one.get("ctx", {})
        cause = context.get("error")
        path = (*base, *one["loc"], *getattr(cause, "where", ()))
        if path and path[-1] == "[key]":  # pydantic's mark of a bad key of a mapping
            path = path[:-1]
        for found in getattr(cause, "found", ()):  # a check over several keys found several things
            yield problem_at(text, (*path, *found.where), found.zh, found.en)
        if hasattr(cause, "found"):
            continue
        if isinstance(cause, ValidationError):  # of a model that a validator asked in turn
            yield from _problems(cause, text, model, path)
            continue
        zh, en = chinese(one["type"], context, one["msg"]), one["msg"]
        if cause is not None and hasattr(cause, "zh") and hasattr(cause, "en"):
            zh, en = cause.zh, cause.en
        elif cause is not None and " / " in str(cause):  # how other models' checks say both
            zh, _, en = str(cause).partition(" / ")
        elif one["type"] == "extra_forbidden":
            known = ", ".join(_keys_beside(model, path)) or "—"
            zh, en = f"未知的键；可用的键：{known}", f"unknown key; there are: {known}"
        yield problem_at(text, path, zh, en)


def _keys_beside(model: type[BaseModel], path: Way) -> list[str]:
    """The keys that the table holding ``path`` may have."""
    here: Any = model
    for step in path[:-1]:
        if isinstance(here, type) and issubclass(here, BaseModel) and step in here.model_fields:
            here = _model_in(here.model_fields[str(step)].annotation)
        # else: an index of a list or a key of a mapping, whose model is already in hand
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [field.alias or name for name, field in here.model_fields.items()]
    return []


def _model_in(annotation: Any) -> Any:
    """The model inside ``Model | None``, ``list[Model]`` or ``dict[str, Model]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def _anchored(value: Any, folder: Path, key: str = "") -> Any:
    """The data with relative paths made absolute, against the file's folder."""
    if isinstance(value, Mapping):
        return {name: _anchored(inner, folder, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_anchored(inner, folder, key) for inner in value]
    if isinstance(value, str) and value and key.endswith(("_file", "_folder")):
        return str(folder / value)
    if isinstance(value, str) and key == "url" and value.startswith("sqlite"):
        return _anchored_sqlite(value, folder)
    return value


def _anchored_sqlite(text: str, folder: Path) -> str:
    try:
        url = make_url(text)
    except ArgumentError:
        return text  # the model says what is wrong with it
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return text
    return url.set(database=str(folder / url.database)).render_as_string(hide_password=False)
