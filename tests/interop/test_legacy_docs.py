"""docs/legacy.md says what the code does, and its samples are those that the toolkits run."""

from __future__ import annotations

import pytest

from services import his_service
from tests.interop.legacy_docs import DOCUMENT, renewed, samples
from tests.interop.toolkits import TOOLKITS, Toolkit


def test_the_generated_parts_are_up_to_date() -> None:
    text = DOCUMENT.read_text("utf-8")
    assert renewed(text) == text, "run: python -m tests.interop.legacy_docs"


def test_every_operation_and_column_is_there() -> None:
    text = DOCUMENT.read_text("utf-8")
    for operation in his_service.OPERATIONS:
        _, heading, rest = text.partition(f"\n### {operation.name} ")
        section = rest.partition("\n### ")[0]
        assert heading, operation.name
        for number, column in enumerate(operation.columns, 1):
            assert f"\n| {number} | {column.field.name} |" in section


@pytest.mark.parametrize("toolkit", TOOLKITS, ids=lambda toolkit: toolkit.client)
def test_a_client_shows_a_sample_of_getlabmaster(toolkit: Toolkit) -> None:
    assert "getlabmaster" in samples(toolkit)[0]
