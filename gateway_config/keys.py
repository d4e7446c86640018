"""Every key that a gateway's configuration may have, read off the model, for its documentation."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway_config.model import GatewayConfig


class DocumentedKey(NamedTuple):
    """``key`` as the file has it, such as ``hospitals.CODE.map[].outer``; ``default`` as TOML
    would write it, ``—`` where the key must be given, empty where it is off unless given."""

    key: str
    default: str
    meaning: str


#: what stands for the free key of a table of tables
_FREE = {"sides": "NAME", "hospitals": "CODE", "callers": "NAME"}


def documented_keys(
    model: type[BaseModel] = GatewayConfig, at: str = ""
) -> Iterator[DocumentedKey]:
    """In the order of the model."""
    for name, field in model.model_fields.items():
        inner, shape = _inside(field.annotation)
        key = f"{at}{name}"
        if inner is None:
            yield DocumentedKey(key, _default(field), field.description or "")
        elif shape is dict:
            yield from documented_keys(inner, f"{key}.{_FREE.get(name, 'NAME')}.")
        elif shape is tuple:
            yield from documented_keys(inner, f"{key}[].")
        else:
            yield from documented_keys(inner, f"{key}.")


def table() -> str:
    """The Markdown table of docs/gateway.md."""
    rows = [
        f"| `{one.key}` | {f'`{one.default}`' if one.default not in ('', '—') else one.default} "
        f"| {one.meaning.replace('|', chr(92) + '|')} |"
        for one in documented_keys()
    ]
    return "\n".join(["| key | default | 说明 meaning |", "|---|---|---|", *rows]) + "\n"


def replaced(document: str) -> str:
    """The document with its table of keys as the model has it now."""
    begin = document.index("| key | default |")
    end = document.index("\n\n", begin) + 1
    return document[:begin] + table() + document[end:]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "—"
    value = field.get_default(call_default_factory=True)
    if value is None or value == () or value == {} or value == "":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(f'{chr(34)}{one}{chr(34)}' for one in value)}]"
    return str(value)


def _inside(annotation: Any) -> tuple[type[BaseModel] | None, Any]:
    """The model that a key holds, and in what: itself, a list or a table of them."""
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, None
    if origin is Annotated:
        return _inside(get_args(annotation)[0])
    if origin in (dict, tuple, Union, UnionType):
        for argument in get_args(annotation):
            inner, shape = _inside(argument)
            if inner is not None:
                return inner, origin if origin in (dict, tuple) else shape
    return None, None
