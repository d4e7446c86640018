"""Legacy strings as arguments: fields of a record, and a list of records in one string."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import delimited, his_service
from services.contract import describe, record_type
from services.ordering import Order, OrderedItem, OrderLine, OrderPatient
from tests.services.sample import Line, Person, Sample

OPERATIONS = {operation.name: operation for operation in his_service.OPERATIONS}
ORDER = Order(
    OrderNo="2611210001",
    ItemClass="03",
    State="N",
    PatientId="Y000000001",
    VirtualDept="V001",
    OrderingProvider="赵医生",
    OrderedAt=datetime(2026, 11, 21, 9, 30),
    ClinicalDiagnosis="高血压|极高危?",
    Specimen="静脉血",
    Notes=None,
    Charges=Decimal("55.50"),
    SpecimenState=None,
    CancelledAt=None,
    CancelReason=None,
    Items=[
        OrderedItem(1, "BRT", "血常规", Decimal(20)),
        OrderedItem(2, "CRP", "C反应蛋白", None),
    ],
)


def called(
    operation: delimited.DelimitedOperation, answer: Any, **strings: str | None
) -> tuple[int, str, dict[str, Any]]:
    asked: dict[str, Any] = {}

    async def invoke(**arguments: Any) -> Any:
        asked.update(arguments)
        return answer

    code, text = asyncio.run(delimited.bind(operation, invoke)(**strings, str=None))
    return code, text, asked


ORDERED = {
    "RequestId": "R1",
    "Name": " 王芳 ",
    "Sex": "2",
    "BirthDate": "1990/2/3",
    "IdentityNo": "11010119900203002X",
    "Items": "BRT?CRP?",
    "ClinicalDiagnosis": "高血压",
    "VirtualDept": "V001",
    "OrderingProvider": "赵医生",
}


@pytest.mark.parametrize("items", ["BRT?CRP?", "BRT?CRP", " BRT ? CRP ? "])
def test_an_order_is_told_in_strings(items: str) -> None:
    code, text, asked = called(OPERATIONS["putlaborder"], ORDER, **{**ORDERED, "Items": items})
    assert asked == {
        "RequestId": "R1",
        "Patient": OrderPatient(
            PatientId=None,
            Name="王芳",
            Sex="2",
            BirthDate=date(1990, 2, 3),
            IdentityType=None,
            IdentityNo="11010119900203002X",
            InsuranceNo=None,
            ChargeType=None,
            Phone=None,
        ),
        "Items": [OrderLine("BRT"), OrderLine("CRP")],
        "ClinicalDiagnosis": "高血压",
        "VirtualDept": "V001",
        "OrderingProvider": "赵医生",
        "Specimen": None,
        "Notes": None,
    }
    assert (code, text) == (
        1,
        "2611210001|03|N|Y000000001|V001|赵医生|2026-11-21 09:30:00|高血压｜极高危？|静脉血||55.50"
        "||||BRT,CRP?",
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"Name": ""}, "Name"),
        ({"Sex": "男"}, "Sex"),
        ({"Items": ""}, "Items"),
        ({"Items": "?"}, "Items"),
        ({"Items": "BRT??"}, "Items[2].ItemCode"),
        ({"Items": "BRT?CRP|2?"}, "第 2 行"),
        ({"Items": "x" * 65}, "Items[1].ItemCode"),
        ({"BirthDate": "1990"}, "BirthDate"),
        ({"OrderingProvider": None}, "OrderingProvider"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, str | None], words: str) -> None:
    code, text, asked = called(OPERATIONS["putlaborder"], ORDER, **{**ORDERED, **changed})
    assert code == -1 and words in text and not asked


# --- lists of records of several fields, records that may be left out ----------------------------


def sample(**parameters: str) -> delimited.DelimitedOperation:
    return delimited.delimited(
        "put",
        Sample,
        "Put",
        zh="记",
        doc="Put.",
        record=record_type(Line),
        columns=("Item",),
        parameters=parameters,
        rows=lambda answer: [],
    )


PUT = sample(Id="RequestId", Name="Who.Name", Lines="Who.Lines", Colour="Colour", More="More")


def test_rows_of_several_fields() -> None:
    _, _, asked = called(
        PUT, "", Id="1", Name="张", Lines="a|1.50|?b|2|记?", Colour="R", More="c|3|x"
    )
    assert asked["Who"] == Person(
        "张", None, [Line("a", Decimal("1.50"), None), Line("b", Decimal(2), "记")]
    )
    assert asked["More"] == [Line("c", Decimal(3), "x")]
    code, text, _ = called(PUT, "", Id="1", Name="张", Lines="a|1?", Colour="R")
    assert code == -1 and "第 1 行有 2 栏，应为 Item, Amount, Note" in text
    code, text, _ = called(PUT, "", Id="1", Name="张", Lines="a|x|?", Colour="R")
    assert code == -1 and "Lines[1].Amount" in text


def test_an_optional_list_may_be_empty() -> None:
    _, _, asked = called(PUT, "", Id="1", Name="张", Lines="a|1|", Colour="R", More=" ")
    assert asked["More"] is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"Id": "RequestId", "Name": "Who.Name"},  # Who.Lines is required
        {"Id": "RequestId.Name"},
        {"Who": "Who"},
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(TypeError):
        sample(**parameters)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(KeyError):
        sample(Id="RequestId", Name="Who.Nobody")


@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=["Cc", "Cs", "Z"], exclude_characters="|?")
        ).filter(lambda text: 0 < len(text) <= 64),
        min_size=1,
        max_size=5,
    )
)
def test_any_codes_come_through(codes: list[str]) -> None:
    items = "".join(f"{code}?" for code in codes)
    _, _, asked = called(OPERATIONS["putlaborder"], ORDER, **{**ORDERED, "Items": items})
    assert asked["Items"] == [OrderLine(code) for code in codes]


def test_every_operation_gives_what_the_typed_one_requires() -> None:
    for operation in OPERATIONS.values():
        typed = describe(operation.contract).operation(operation.operation.name)
        required = {field.name for field in typed.parameters if field.required}
        filled = {field.name: field.doc.example or "1" for field in operation.parameters}
        try:
            given_names = set(operation.arguments(filled))
        except Exception as error:  # an example that does not fit is a defect of the docs
            raise AssertionError(f"{operation.name}: {error}") from error
        assert required <= given_names, operation.name
