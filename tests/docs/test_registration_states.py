"""docs/registration.md draws the table of states as it is, and names every setting of it."""

from __future__ import annotations

import re
from pathlib import Path

from adapters.registrations.settings import RegistrationSettings
from services import his_patients, his_registration
from services.registration_states import REGISTRATION_STATE, TRANSITIONS

DOCS = (Path(__file__).parents[2] / "docs" / "registration.md").read_text("utf-8")


def test_the_drawing_is_the_table() -> None:
    drawing = re.search(r"```mermaid\nstateDiagram-v2\n(.*?)```", DOCS, re.DOTALL)
    assert drawing
    arrows = re.findall(r"^ +(\S+) --> (\S+): (\w+)$", drawing[1], re.MULTILINE)
    drawn = {("" if start == "[*]" else start, event): end for start, end, event in arrows}
    assert drawn == TRANSITIONS and len(arrows) == len(TRANSITIONS)
    named = dict(re.findall(r"^ +(\w): \1 (\S+) \w+$", drawing[1], re.MULTILINE))
    assert named == {code: zh for code, (zh, _) in REGISTRATION_STATE.table.items()}


def test_settings_and_legacy_operations_are_named() -> None:
    own = RegistrationSettings.model_fields.keys() - {"char_padding", "dictionary_seconds"}
    assert {name for name in own if f"| `{name}` |" not in DOCS} == set()
    operations = (*his_patients.OPERATIONS, *his_registration.OPERATIONS)
    assert {one.name for one in operations if f"`{one.name}`" not in DOCS} == set()
