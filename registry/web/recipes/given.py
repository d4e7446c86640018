"""The service of a recipe and the example values of its call, as a tree."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from registry.web.envelopes import count, examples
from registry.web.parts import Part, Told


@dataclass(frozen=True, slots=True)
class Service:
    """``address`` is what a caller binds to."""

    name: str
    namespace: str
    address: str
    wsdl: str


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter and its example: ``text`` for a simple one, ``inside`` for a record, one of
    them an item for a list. ``absent``: not given."""

    part: Part
    text: str = ""
    inside: tuple[Given, ...] = ()
    absent: bool = False
    items: tuple[Given, ...] = field(default=())

    @property
    def is_array(self) -> bool:
        """An ArrayOfX: a record with nothing but a repeated element."""
        return len(self.part.parts) == 1 and self.part.parts[0].many


def given(operation: Told) -> list[Given]:
    """Every parameter in order, with its example."""
    return list(_given(operation.request, examples(operation), ""))


def _given(parts: tuple[Part, ...], values: Mapping[str, str], path: str) -> Iterator[Given]:
    for part in parts:
        place = f"{path}{part.name}"
        if part.many:
            items = tuple(
                _one(part, values, f"{place}.{number}") for number in range(count(place, values))
            )
            yield Given(part, items=items, absent=not items)
        else:
            yield _one(part, values, place)


def _one(part: Part, values: Mapping[str, str], place: str) -> Given:
    if part.kind:
        return Given(part, values.get(place, ""), absent=place not in values)
    absent = not any(name.startswith(f"{place}.") for name in values)
    inside = () if absent else tuple(_given(part.parts, values, f"{place}."))
    return Given(part, inside=inside, absent=absent)


def present(all_given: list[Given]) -> list[Given]:
    return [one for one in all_given if not one.absent and one.part.name != "str"]


def quoted(text: str) -> str:
    """A string literal of C#, Java and Python: JSON's, which all three read. Line separators and
    what is no character are escaped too."""
    safe = json.dumps(text, ensure_ascii=False)
    return "".join(
        one if one.isprintable() else f"\\u{ord(one):04x}" if ord(one) < 0x10000 else "?"
        for one in safe
    )


def wrapped(words: list[str], indent: str, width: int = 84) -> list[str]:
    """The words with commas between them, as lines that are no longer than that where possible."""
    return textwrap.wrap(
        ", ".join(words),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
