"""A TOML file into a checked model, or every mistake by file, line and key.

``load(path, Model)`` serves all four processes. Relative paths in a file mean: relative to that
file. They are the database of a ``sqlite`` URL and every key that ends in ``_file`` or
``_folder``. What belongs to databases is loaded only where it is needed: a gateway has none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from yilian.config_words import chinese
from yilian.refused import Refused

if TYPE_CHECKING:
    from adapters.toml_lines import Way

Model = TypeVar("Model", bound=BaseModel)


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


def load(path: Path, model: type[Model]) -> Model:
    """The checked configuration in ``path``. Misconfigured names all that is wrong with it;
    Refused says that there is nothing to read."""
    try:
        text = path.read_text("utf-8-sig")  # Windows' editors begin UTF-8 with a mark
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
    from adapters.toml_lines import find_line

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
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except ArgumentError:
        return text  # the model says what is wrong with it
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return text
    return url.set(database=str(folder / url.database)).render_as_string(hide_password=False)
