"""Simple types of XML Schema compared: narrowed, widened, or changed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Literal

from services.soap.schema_model import Simple

Kind = Literal["narrowed", "widened", "changed"]

#: a built-in type and the one that it narrows
_PARENT = {
    "normalizedString": "string",
    "token": "normalizedString",
    "language": "token",
    "NMTOKEN": "token",
    "Name": "token",
    "NCName": "Name",
    "ID": "NCName",
    "IDREF": "NCName",
    "ENTITY": "NCName",
    "integer": "decimal",
    "nonPositiveInteger": "integer",
    "negativeInteger": "nonPositiveInteger",
    "long": "integer",
    "int": "long",
    "short": "int",
    "byte": "short",
    "nonNegativeInteger": "integer",
    "positiveInteger": "nonNegativeInteger",
    "unsignedLong": "nonNegativeInteger",
    "unsignedInt": "unsignedLong",
    "unsignedShort": "unsignedInt",
    "unsignedByte": "unsignedShort",
}
_UPPER = frozenset({"maxLength", "maxInclusive", "maxExclusive", "totalDigits", "fractionDigits"})
_LOWER = frozenset({"minLength", "minInclusive", "minExclusive"})

_WORDS: dict[Kind, tuple[str, str]] = {
    "narrowed": ("类型变窄", "the type was narrowed"),
    "widened": ("类型变宽", "the type was widened"),
    "changed": ("类型改变", "the type changed"),
}


def differences(old: Simple, new: Simple) -> Iterator[tuple[Kind, str, str]]:
    """Each difference: its kind, and in Chinese and English what it is."""
    if old.base != new.base:
        kind: Kind = "changed"
        if old.base in _above(new.base):
            kind = "narrowed"
        elif new.base in _above(old.base):
            kind = "widened"
        yield _told(kind, "xs", old.base, new.base)
    for name in sorted(old.facets.keys() | new.facets.keys()):
        was, now = old.facets.get(name), new.facets.get(name)
        facet = _facet(name, was, now)
        if facet is not None:
            yield _told(facet, name, was or "—", now or "—")
    yield from _values(old, new)
    fewer, more = old.patterns - new.patterns, new.patterns - old.patterns
    if more:
        yield _told("narrowed", "pattern", _listed(fewer), _listed(more))
    elif fewer:
        yield _told("widened", "pattern", _listed(fewer), "—")


def _values(old: Simple, new: Simple) -> Iterator[tuple[Kind, str, str]]:
    was = None if old.enumeration is None else old.enumeration.keys()
    now = None if new.enumeration is None else new.enumeration.keys()
    if was == now:
        return
    if was is None:
        yield _told("narrowed", "enumeration", "—", "|".join(sorted(now or ())))
    elif now is None:
        yield _told("widened", "enumeration", "|".join(sorted(was)), "—")
    else:
        if was - now:
            yield _told("narrowed", "enumeration", "|".join(sorted(was - now)), "—")
        if now - was:
            yield _told("widened", "enumeration", "—", "|".join(sorted(now - was)))


def _facet(name: str, was: str | None, now: str | None) -> Kind | None:
    """What a facet's change does; None where it is none."""
    if was == now:
        return None
    if was is None:
        return "narrowed"
    if now is None:
        return "widened"
    if name not in _UPPER and name not in _LOWER:
        return "changed"
    try:
        before, after = Decimal(was), Decimal(now)
        smaller, larger = after < before, after > before
    except InvalidOperation:
        return "changed"  # a date's bounds, which are as good as never moved
    if not smaller and not larger:
        return None
    return "narrowed" if smaller == (name in _UPPER) else "widened"


def _above(base: str) -> set[str]:
    found = {"anySimpleType", "anyType"} if base not in ("anySimpleType", "anyType") else set()
    while base in _PARENT:
        base = _PARENT[base]
        found.add(base)
    return found


def _listed(patterns: frozenset[frozenset[str]]) -> str:
    return " & ".join("|".join(sorted(one)) for one in sorted(patterns, key=sorted)) or "—"


def _told(kind: Kind, what: str, was: str, now: str) -> tuple[Kind, str, str]:
    zh, en = _WORDS[kind]
    return kind, f"{zh}：{what} {was} → {now}", f"{en}: {what} {was} → {now}"
