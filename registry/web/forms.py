"""A form for an operation's arguments: its inputs, and what was filled in as values or mistakes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from registry.web.envelopes import count
from registry.web.parts import Part, Told
from services.contract import Count, Money
from services.soap import values as xsd

PREFIX = "v."
#: of a form: bytes, inputs, and items of one list
MOST_BYTES, MOST_FIELDS, MOST_ITEMS = 512 * 1024, 1000, 50

_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_READERS = {
    "int": xsd.read_int,
    "boolean": xsd.read_bool,
    "decimal": xsd.read_decimal,
    "date": xsd.read_date,
    "dateTime": xsd.read_datetime,
}


def field_id(place: str) -> str:
    """The id of the input for that dotted name."""
    return "v-" + re.sub(r"[^A-Za-z0-9_-]", "-", place)


@dataclass(frozen=True, slots=True)
class Input:
    """One input. ``problem`` is a word of ours. ``inside`` those of a record; ``items`` those of a
    list, each a tuple."""

    part: Part
    place: str
    value: str = ""
    problem: str = ""
    inside: tuple[Input, ...] = ()
    items: tuple[Input, ...] = ()
    full: bool = False

    @property
    def id(self) -> str:
        return field_id(self.place)

    @property
    def kind(self) -> str:
        """What the value is, as the form asks for it."""
        return self.part.meant or self.part.kind

    @property
    def type(self) -> str:
        """Of the HTML input."""
        if self.kind == "date":
            return "date"
        return "datetime-local" if self.kind == "dateTime" else "text"

    @property
    def mode(self) -> str:
        """The keyboard that suits."""
        return {"int": "numeric", "decimal": "decimal"}.get(self.kind, "text")


@dataclass(frozen=True, slots=True)
class Filled:
    """``values`` by dotted name, without what was left empty; ``problems`` by the same."""

    values: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def parsed(body: bytes) -> dict[str, str]:
    """The fields of a form as a browser sends them. ValueError: too many, or no UTF-8."""
    pairs = parse_qsl(
        body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
    )
    return dict(pairs)


def given(fields: Mapping[str, str]) -> dict[str, str]:
    """What was filled in, by dotted name, as it was typed."""
    return {name[len(PREFIX) :]: text for name, text in fields.items() if name.startswith(PREFIX)}


def filled(operation: Told, typed: Mapping[str, str], *, unchecked: bool = False) -> Filled:
    """``unchecked``: values as they were typed, for those who want to see a Fault."""
    found = Filled()
    _fill(operation.request, typed, "", found, unchecked, needed=True)
    return found


def _fill(
    parts: tuple[Part, ...],
    typed: Mapping[str, str],
    path: str,
    found: Filled,
    unchecked: bool,
    *,
    needed: bool,
) -> None:
    for part in parts:
        place = f"{path}{part.name}"
        if part.many:
            for number in range(min(count(place, typed), MOST_ITEMS)):
                item = f"{place}.{number}"
                # A line of a list that was left empty is none.
                if unchecked or _touched(item, typed):
                    _one(part, typed, item, found, unchecked, needed=True)
        else:
            _one(part, typed, place, found, unchecked, needed=needed)


def _one(
    part: Part,
    typed: Mapping[str, str],
    place: str,
    found: Filled,
    unchecked: bool,
    *,
    needed: bool,
) -> None:
    if not part.kind:
        inner = (needed and (part.required or part.many)) or _touched(place, typed)
        if inner:
            _fill(part.parts, typed, f"{place}.", found, unchecked, needed=True)
        return
    text = _XML.sub("\ufffd", typed.get(place, ""))
    value = text if unchecked else _written(part, text.strip())
    if unchecked:
        if text or (part.required and place in typed):
            found.values[place] = value
        return
    problem = _problem(part, value, needed)
    if problem:
        found.problems[place] = problem
    if value:
        found.values[place] = value


def _touched(place: str, typed: Mapping[str, str]) -> bool:
    return any(
        text.strip()
        for name, text in typed.items()
        if name == place or name.startswith(f"{place}.")
    )


def _written(part: Part, text: str) -> str:
    """datetime-local leaves the seconds out where they are none; XML Schema does not."""
    kind = part.meant or part.kind
    if kind == "dateTime" and re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
        text = f"{text}:00"
    return text.replace(" ", "T") if kind == "dateTime" else text


def _problem(part: Part, value: str, needed: bool) -> str:
    """A word that says what is wrong, or ""."""
    if not value:
        return "problem_required" if part.required and needed else ""
    if part.longest and len(value) > part.longest:
        return "problem_long"
    if part.codes and value not in part.codes:
        return "problem_code"
    kind = part.meant or part.kind
    reader = _READERS.get(kind)
    if reader is None:
        return ""
    try:
        read = reader(value)
    except (ValueError, ArithmeticError):
        return f"problem_{kind}"
    if isinstance(part.facet, Count) and isinstance(read, int):
        within = part.facet.minimum <= read <= part.facet.maximum
        return "" if within else "problem_range"
    if isinstance(part.facet, Money) and kind == "decimal":
        return "" if xsd.fits(read, part.facet.digits, part.facet.scale) else "problem_range"  # type: ignore[arg-type]
    return ""


def inputs(
    operation: Told,
    typed: Mapping[str, str],
    problems: Mapping[str, str],
    more: str = "",
) -> tuple[Input, ...]:
    """The form. ``more``: the list that is to have one line more."""
    return _inputs(operation.request, typed, problems, "", more)


def _inputs(
    parts: tuple[Part, ...],
    typed: Mapping[str, str],
    problems: Mapping[str, str],
    path: str,
    more: str,
) -> tuple[Input, ...]:
    made = []
    for part in parts:
        place = f"{path}{part.name}"
        if part.many:
            lines = min(max(count(place, typed), 1) + (place == more), MOST_ITEMS)
            items = tuple(
                _input(part, typed, problems, f"{place}.{number}", more) for number in range(lines)
            )
            made.append(Input(part, place, items=items, full=lines >= MOST_ITEMS))
        else:
            made.append(_input(part, typed, problems, place, more))
    return tuple(made)


def _input(
    part: Part,
    typed: Mapping[str, str],
    problems: Mapping[str, str],
    place: str,
    more: str,
) -> Input:
    if part.kind:
        return Input(part, place, typed.get(place, ""), problems.get(place, ""))
    return Input(part, place, inside=_inputs(part.parts, typed, problems, f"{place}.", more))
