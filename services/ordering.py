"""Ordering 开单: the lower hospital's doctor orders here, as a virtual department 虚拟科室.

The paper's functions 3 and 4: remote ordering from the doctor's station, and proxy testing
代理检验, where the specimen is drawn below, sent up and tested above.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from services import terms as t
from services.contract import Contract, Count, Doc, Text, read, write
from services.order_states import ORDER_STATE, SPECIMEN_EVENT


@dataclass(frozen=True, slots=True)
class OrderableItem:
    """An item that this hospital offers to the alliance's doctors."""

    ItemCode: t.ItemCode
    ItemName: t.ItemName
    ItemClass: t.ItemClass
    Specimen: t.Specimen | None
    Price: Annotated[t.Yuan, Doc("价格（元）", "price, yuan", "20.00")]
    PerformedBy: t.DeptCode
    PerformedByName: t.DeptName


@dataclass(frozen=True, slots=True)
class OrderPatient:
    """Who is ordered for: by PatientId where this hospital knows them, otherwise by
    demographics. An identity number that it knows already is that patient."""

    PatientId: t.PatientId | None
    Name: Annotated[str, Text(64, 1), Doc("姓名", "name", "张伟")]
    Sex: t.Sex
    BirthDate: t.BirthDate | None
    IdentityType: t.IdentityType | None
    IdentityNo: t.IdentityNo | None
    InsuranceNo: t.InsuranceNo | None
    ChargeType: t.ChargeType | None
    Phone: t.Phone | None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One ordered item."""

    ItemCode: t.ItemCode


@dataclass(frozen=True, slots=True)
class OrderedItem:
    """One item of an order as the hospital holds it."""

    ItemNo: Annotated[int, Count(1), Doc("序号", "item number", "1")]
    ItemCode: t.ItemCode
    ItemName: t.ItemName
    Price: Annotated[t.Yuan, Doc("价格（元）", "price, yuan", "20.00")] | None


@dataclass(frozen=True, slots=True)
class Order:
    """An order and where it stands. ``SpecimenState`` is the last specimen event, if any.
    An item's price is given where the hospital charges by item and the order is alive."""

    OrderNo: t.OrderNo
    ItemClass: t.ItemClass
    State: Annotated[str, ORDER_STATE, Doc("状态", "state", "N")]
    PatientId: t.PatientId
    VirtualDept: Annotated[str, Text(32), Doc("开单科室", "ordering department", "V001")] | None
    OrderingProvider: Annotated[str, Text(64), Doc("申请医师", "ordering doctor", "王建国")] | None
    OrderedAt: Annotated[datetime, Doc("开单时间", "ordered at", "2026-11-21T09:00:00")] | None
    ClinicalDiagnosis: Annotated[str, Text(512), Doc("临床诊断", "diagnosis", "高血压病")] | None
    Specimen: t.Specimen | None
    Notes: t.Notes | None
    Charges: Annotated[t.Yuan, Doc("费用（元）", "charges, yuan", "20.00")]
    SpecimenState: Annotated[str, SPECIMEN_EVENT, Doc("标本状态", "specimen", "C")] | None
    CancelledAt: Annotated[datetime, Doc("撤销时间", "cancelled at", "")] | None
    CancelReason: Annotated[str, Text(256), Doc("撤销原因", "reason", "病人拒绝")] | None
    Items: Annotated[list[OrderedItem], Doc("项目", "items")]


#: so many items may stand in one order; a form of paper has no more lines
MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class SpecimenRecord:
    """One event of a specimen's way, with time and person, visible to both hospitals."""

    OrderNo: t.OrderNo
    Event: Annotated[str, SPECIMEN_EVENT, Doc("事件", "event", "C")]
    At: t.Moment
    Person: t.Person
    Place: t.Place | None
    Reason: t.RejectReason | None


class Ordering(Contract, version=1, zh="远程开单"):
    """远程开单与代理检验：下级医院医生以虚拟科室身份开检验、检查申请，并登记标本流转。

    Remote ordering as a virtual department, and proxy testing with the specimen's way.
    """

    @read("可开项目")
    @abstractmethod
    def ListOrderableItems(self, ItemClass: t.ItemClass | None = None) -> list[OrderableItem]:
        """What may be ordered here from outside, ordered by class and code."""

    @write("开检验单")
    @abstractmethod
    def PlaceLabOrder(
        self,
        RequestId: t.RequestId,
        Patient: OrderPatient,
        Items: Annotated[list[OrderLine], Doc("项目", "items")],
        ClinicalDiagnosis: t.ClinicalDiagnosis,
        VirtualDept: t.VirtualDept,
        OrderingProvider: t.OrderingProvider,
        Specimen: t.Specimen | None = None,
        Notes: t.Notes | None = None,
    ) -> Order:
        """Order lab tests on one specimen.

        InvalidArgument: no item, an item twice, more than MOST_ITEMS, one that is not offered or
        is no lab test; items of different specimens or performing departments, which are ordered
        separately (a Specimen that is given overrides theirs); an unknown virtual department; a
        value that this hospital's columns cannot hold; a patient without PatientId who has
        neither identity number, insurance number nor date of birth. NotFound: PatientId is
        unknown here. Conflict: the patient of that PatientId has another name or identity number;
        the identity or insurance number belongs to several patients, or to one of another
        name."""

    @write("开检查单")
    @abstractmethod
    def PlaceExamOrder(
        self,
        RequestId: t.RequestId,
        Patient: OrderPatient,
        Items: Annotated[list[OrderLine], Doc("项目", "items")],
        ClinicalDiagnosis: t.ClinicalDiagnosis,
        VirtualDept: t.VirtualDept,
        OrderingProvider: t.OrderingProvider,
        Notes: t.Notes | None = None,
    ) -> Order:
        """Order examinations of one kind (class and sub-class). Faults as PlaceLabOrder."""

    @write("撤销申请")
    @abstractmethod
    def CancelOrder(
        self,
        RequestId: t.RequestId,
        OrderNo: t.OrderNo,
        Reason: Annotated[str, Text(256, 1), Doc("原因", "reason", "病人拒绝")],
    ) -> Order:
        """Cancel an order that was placed here from outside. NotFound: there is none of that
        number. Conflict: it has been accepted, cancelled or paid for, or a doctor of this
        hospital ordered it."""

    @read("申请单状态", probe={"OrderNo": t.NOBODY})
    @abstractmethod
    def GetOrderStatus(self, OrderNo: t.OrderNo, ItemClass: t.ItemClass | None = None) -> Order:
        """One order, lab or examination, whoever placed it. Raises NotFound.

        A hospital may give a lab test and an examination the same number. Orders placed from
        outside never share one, and are found first; two others of one number are a Conflict
        until ItemClass says which is meant."""

    @write("登记标本事件")
    @abstractmethod
    def RecordSpecimenEvent(
        self,
        RequestId: t.RequestId,
        OrderNo: t.OrderNo,
        Event: Annotated[str, SPECIMEN_EVENT, Doc("事件", "event", "C")],
        At: t.Moment,
        Person: t.Person,
        Place: t.Place | None = None,
        Reason: t.RejectReason | None = None,
    ) -> SpecimenRecord:
        """Record a step of the specimen's way. NotFound: no lab order has that number.
        Conflict: it cannot follow the last one, or the order is cancelled or reported.
        InvalidArgument: a rejection without a reason; an ``At`` before the last event, or more
        than a day ahead."""

    @read("标本流转记录")
    @abstractmethod
    def ListSpecimenEvents(self, OrderNo: t.OrderNo) -> list[SpecimenRecord]:
        """The specimen's way so far, oldest first. NotFound for an unknown lab order."""
