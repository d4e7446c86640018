"""docs/mapped.md tells of every statement, parameter and key of a mapping, and of no other."""

from __future__ import annotations

import re

import pytest

from adapters.mapped.mapping import FAILS_KEYS, FAULTS, STATEMENT_KEYS, SWITCHES
from adapters.mapped.rule_tables import RULE_KEYS
from adapters.mapped.vocabulary import ENTRIES, Entry
from tests.onboarding.third_hospital import DOCS

TEXT = (DOCS / "mapped.md").read_text("utf-8")
ALL = [entry for group in ENTRIES.values() for entry in group.values()]


def section(title: str) -> str:
    parts = re.split(r"^## (.+)$", TEXT, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    (found,) = [text for name, text in sections.items() if name.startswith(title)]
    return found


def rows(title: str) -> dict[str, list[str]]:
    """The cells of a section's table by the first one's word."""
    lines = [line for line in section(title).splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0].strip("`"): row for row in cells}


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("Keys of a statement", STATEMENT_KEYS),
        ("`fails`", FAILS_KEYS),
        ("Keys of a field", RULE_KEYS),
    ],
)
def test_every_key_is_there(title: str, keys: tuple[str, ...]) -> None:
    assert list(rows(title)) == list(keys)


def test_every_statement_is_there() -> None:
    assert list(rows("Statements")) == [f"{one.contract}.{one.name}" for one in ALL]


@pytest.mark.parametrize("entry", ALL, ids=lambda one: f"{one.contract}.{one.name}")
def test_a_statements_kind_and_parameters(entry: Entry) -> None:
    _, kind, parameters, _ = rows("Statements")[f"{entry.contract}.{entry.name}"]
    assert kind == entry.kind
    told = set(parameters.split(", "))
    if entry.name == "pay_visit":
        booked = {one.name for one in ENTRIES["Registration"]["add_visit"].parameters}
        told = {*booked, "Key"}
        assert parameters == "those of `add_visit`, and Key"
    assert told == {one.name for one in entry.parameters}


def test_faults_and_switches() -> None:
    assert all(f"`{name}`" in section("Keys of a statement") for name in FAULTS)
    for contract, names in SWITCHES.items():
        assert all(f"`{contract}.{name}`" in TEXT for name in names)
