"""docs/ordering.md draws the state tables as they are in services/order_states.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.junwei import tables
from adapters.junwei.settings import JunweiSettings
from services.order_states import (
    ORDER_STATE,
    ORDER_TRANSITIONS,
    SPECIMEN_EVENT,
    SPECIMEN_TRANSITIONS,
)

TEXT = (Path(__file__).parents[2] / "docs" / "ordering.md").read_text("utf-8")


def part(name: str) -> list[list[str]]:
    """The rows of the table between two comments."""
    section = TEXT.split(f"<!-- {name} -->")[1].split("<!-- end -->")[0]
    lines = section.strip().splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def codes(text: str) -> str:
    return f"{' '.join(f'`{code}`' for code in text)}" or "—"


def test_the_states_of_an_order() -> None:
    assert part("order states") == [
        [f"`{state}`", " ".join(names), codes(ORDER_TRANSITIONS[state])]
        for state, names in ORDER_STATE.table.items()
    ]


def test_the_events_of_a_specimen() -> None:
    assert part("specimen events") == [
        ["—", "未采集 not collected", codes(SPECIMEN_TRANSITIONS[""])],
        *(
            [f"`{event}`", " ".join(names), codes(SPECIMEN_TRANSITIONS[event])]
            for event, names in SPECIMEN_EVENT.table.items()
        ),
    ]


SETTINGS = [
    *("virtual_departments", "order_number_start", "patient_id_prefix", "recognised_items"),
    "image_url",
]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_are_named(name: str) -> None:
    assert name in JunweiSettings.model_fields and f"`{name}`" in TEXT


def test_the_widths_are_those_of_the_columns() -> None:
    lab, exam = tables.LAB_TEST_MASTER.c, tables.EXAM_MASTER.c
    patient = tables.PAT_MASTER_INDEX.c
    widths = [
        *(lab.RELEVANT_CLINIC_DIAG, exam.CLIN_DIAG, lab.ORDERING_PROVIDER, exam.REQ_PHYSICIAN),
        *(lab.SPECIMEN, patient.CHARGE_TYPE, lab.NOTES_FOR_SPCM, exam.REQ_MEMO, patient.NAME),
    ]
    assert [column.type.length for column in widths] == [80, 80, 8, 8, 8, 8, 16, 60, 20]
    assert "| ClinicalDiagnosis | 80 | 40 |" in TEXT
    assert "| OrderingProvider, Specimen, Patient.ChargeType | 8 | 4 |" in TEXT
    assert "| Notes | 16 for a lab order, 60 for an examination | 8, 30 |" in TEXT
    assert "| Patient.Name | 20 | 10 |" in TEXT
