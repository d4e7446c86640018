"""HisService's operations of ordering and proxy testing: Ordering, told as rows.

A legacy client that did not hear an answer sends the same RequestId again, as a typed one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.contract import record_type
from services.delimited import DelimitedOperation, delimited
from services.ordering import Order, OrderableItem, Ordering, SpecimenRecord

_ITEM = record_type(OrderableItem)
_ORDER = record_type(Order)
_EVENT = record_type(SpecimenRecord)

#: of the patient; by PatientId where the hospital knows them, otherwise by the rest
_PATIENT = {
    "PatientId": "Patient.PatientId",
    "Name": "Patient.Name",
    "Sex": "Patient.Sex",
    "BirthDate": "Patient.BirthDate",
    "IdentityType": "Patient.IdentityType",
    "IdentityNo": "Patient.IdentityNo",
    "InsuranceNo": "Patient.InsuranceNo",
    "ChargeType": "Patient.ChargeType",
    "Phone": "Patient.Phone",
}
_ORDERED = ("Items", "ClinicalDiagnosis", "VirtualDept", "OrderingProvider")
_ORDER_COLUMNS = (
    "OrderNo",
    "ItemClass",
    "State",
    "PatientId",
    "VirtualDept",
    "OrderingProvider",
    "OrderedAt",
    "ClinicalDiagnosis",
    "Specimen",
    "Notes",
    "Charges",
    "SpecimenState",
    "CancelledAt",
    "CancelReason",
    "Items",
)


def _one(record: Any) -> Sequence[Any]:
    return [record]


def _items(order: Order) -> str:
    """项目代码，以逗号分隔 item codes, parted by commas"""
    # A row has no room for a list of rows.
    return ",".join(item.ItemCode for item in order.Items)


def _order(
    name: str, operation: str, zh: str, doc: str, parameters: dict[str, str]
) -> DelimitedOperation:
    return delimited(
        name,
        Ordering,
        operation,
        zh=zh,
        doc=doc,
        record=_ORDER,
        parameters=parameters,
        columns=_ORDER_COLUMNS,
        cells={"Items": _items},
        rows=_one,
    )


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


OPERATIONS: tuple[DelimitedOperation, ...] = (
    delimited(
        "getorderableitem",
        Ordering,
        "ListOrderableItems",
        zh="可开项目",
        doc="本院对外开放的项目；ItemClass 02 检查、03 检验，空为全部。 "
        "What may be ordered here; ItemClass 02 examinations, 03 lab tests, empty: all.",
        record=_ITEM,
        parameters=_same("ItemClass"),
        columns=tuple(field.name for field in _ITEM.fields),
    ),
    _order(
        "putlaborder",
        "PlaceLabOrder",
        "开检验单",
        "Items 为项目代码，如 BRT?CRP?；返回申请单一行，其中 Items 为逗号分隔的代码。 "
        "Items holds item codes, as BRT?CRP?; one row comes back, its Items parted by commas.",
        _same("RequestId") | _PATIENT | _same(*_ORDERED, "Specimen", "Notes"),
    ),
    _order(
        "putexamorder",
        "PlaceExamOrder",
        "开检查单",
        "与 putlaborder 相同，没有标本。 As putlaborder, without a specimen.",
        _same("RequestId") | _PATIENT | _same(*_ORDERED, "Notes"),
    ),
    _order(
        "cancelorder",
        "CancelOrder",
        "撤销申请",
        "只能撤销对外开出、尚未接收、尚未收费的申请（否则 -3）。 "
        "Only an order from outside that was neither accepted nor paid for (-3 otherwise).",
        _same("RequestId", "OrderNo", "Reason"),
    ),
    _order(
        "getorderstatus",
        "GetOrderStatus",
        "申请单状态",
        "一张申请单；检查与检验同号时用 ItemClass 区分，否则可空。 "
        "One order; ItemClass may be empty unless a lab test and an examination share the number.",
        _same("OrderNo", "ItemClass"),
    ),
    delimited(
        "putspecimenevent",
        Ordering,
        "RecordSpecimenEvent",
        zh="登记标本事件",
        doc="Event：C 采集、S 送出、D 送达、R 签收、J 拒收（须有 Reason）。 "
        "Event: C collected, S sent, D delivered, R received, J rejected (needs a Reason).",
        record=_EVENT,
        parameters=_same("RequestId", "OrderNo", "Event", "At", "Person", "Place", "Reason"),
        columns=tuple(field.name for field in _EVENT.fields),
        rows=_one,
    ),
    delimited(
        "getspecimenevent",
        Ordering,
        "ListSpecimenEvents",
        zh="标本流转记录",
        doc="一张检验申请的标本流转，按先后。 The way of a lab order's specimen, oldest first.",
        record=_EVENT,
        columns=tuple(field.name for field in _EVENT.fields),
    ),
)
