"""How this very service is called from each of the languages that hospitals have: ready to copy.

All follow docs/legacy.md. What a publisher named stands in them only as a quoted text, or as a
name that is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from registry.web.parts import Part, Told
from registry.web.recipes import csharp, curl, java, php, powerbuilder, python
from registry.web.recipes.given import Service

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """``zh`` and ``en``: what to know first. ``code`` is what to copy."""

    slug: str
    title: str
    zh: str
    en: str
    code: str


Writer = Callable[[Service, Told], str]

_ALL: tuple[tuple[str, str, str, str, Writer], ...] = (
    ("curl", "curl", curl.ZH, curl.EN, curl.write),
    ("python", "Python zeep", python.ZH, python.EN, python.write),
    ("csharp", "C# wsdl.exe", csharp.ZH, csharp.EN, csharp.write),
    ("java", "Java Axis 1.4", java.ZH, java.EN, java.write),
    ("php", "PHP", php.ZH, php.EN, php.write),
    ("powerbuilder", "PowerBuilder 9", powerbuilder.ZH, powerbuilder.EN, powerbuilder.write),
)


def recipes(service: Service, operation: Told) -> list[Recipe]:
    """All of them; none where a name of the service could not stand in a program."""
    names = {service.name, operation.name, *_names(operation.request)}
    names |= {part.name for part in operation.columns}
    if not operation.callable or not all(map(_NAME.fullmatch, names)):
        return []
    return [
        Recipe(slug, title, zh, en, write(service, operation))
        for slug, title, zh, en, write in _ALL
    ]


def _names(parts: tuple[Part, ...]) -> set[str]:
    return {
        name
        for part in parts
        for name in (part.name, *([part.record] if part.record else []), *_names(part.parts))
    }
