"""Junwei 军卫一号: the HIS of the paper. Its LIS and PACS write into the same database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from adapters.adapter import Adapter
from adapters.columns import Statement
from adapters.database import Source
from adapters.junwei.exam_results import Examinations
from adapters.junwei.lab_results import LabTests
from adapters.junwei.number_source import NumberSources
from adapters.junwei.ordering import Orders
from adapters.junwei.patients import PatientIndex
from adapters.junwei.registration import JunweiClinic
from adapters.junwei.settings import JunweiSettings
from adapters.registrations.operations import RegistrationOperations
from adapters.registrations.registrations import Registrations
from services.exam_results import ExamMaster, ExamReport, ExamResults
from services.lab_results import LabMaster, LabReport, LabResults
from services.number_source import NumberSource, NumberSourceSlot
from services.ordering import (
    Order,
    OrderableItem,
    Ordering,
    OrderLine,
    OrderPatient,
    SpecimenRecord,
)
from services.patients import Patient, Patients
from services.terms import EXAMINATION, LAB


class Junwei(
    Adapter, RegistrationOperations, NumberSource, Ordering, LabResults, ExamResults, Patients
):
    """Every contract over the junwei schema; each is in a file of its own beside this one."""

    settings_model = JunweiSettings

    def __init__(
        self,
        source: Source,
        settings: Mapping[str, Any],
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__(source, settings)
        checked = JunweiSettings.model_validate(settings)
        self._number_sources = NumberSources(source, checked)
        self._patients = PatientIndex(source, checked, lambda: clock().date())
        self._clinic = JunweiClinic(source, checked, self._number_sources, self._patients)
        self.registrations = Registrations(source, self._clinic, checked, clock)
        self._orders = Orders(source, checked, clock)
        self._lab_tests = LabTests(source, checked)
        self._examinations = Examinations(source, checked)

    def statements(self) -> Iterable[Statement]:
        offers = self.source.config.offers
        if "NumberSource" in offers or "Registration" in offers:
            yield from self._number_sources.statements()
        if "Patients" in offers or "Registration" in offers:
            yield from self._patients.statements()
        if "Registration" in offers:
            yield from self._clinic.statements()
        if "Ordering" in offers:
            yield from self._orders.statements()
        if "LabResults" in offers:
            yield from self._lab_tests.statements()
        if "ExamResults" in offers:
            yield from self._examinations.statements()

    def housekeeping(self) -> None:
        if "Registration" in self.source.config.offers:
            self.registrations.housekeeping()

    def QueryNumberSource(
        self, ScheduleDate: date, DeptCode: str | None = None, ClinicLabel: str | None = None
    ) -> list[NumberSourceSlot]:
        return self._number_sources.query(ScheduleDate, DeptCode, ClinicLabel)

    def GetNumberSource(self, ScheduleId: str) -> NumberSourceSlot:
        return self._number_sources.get(ScheduleId)

    def QueryLabMaster(
        self, PatientId: str, Since: datetime | None = None, Until: datetime | None = None
    ) -> list[LabMaster]:
        return self._lab_tests.masters(PatientId, Since, Until)

    def GetLabResult(self, TestNo: str) -> LabReport:
        return self._lab_tests.report(TestNo)

    def MarkLabPrinted(self, RequestId: str, TestNo: str) -> LabMaster:
        return self._lab_tests.mark_printed({"RequestId": RequestId, "TestNo": TestNo})

    def ListOrderableItems(self, ItemClass: str | None = None) -> list[OrderableItem]:
        return self._orders.orderable(ItemClass)

    def PlaceLabOrder(
        self,
        RequestId: str,
        Patient: OrderPatient,
        Items: list[OrderLine],
        ClinicalDiagnosis: str,
        VirtualDept: str,
        OrderingProvider: str,
        Specimen: str | None = None,
        Notes: str | None = None,
    ) -> Order:
        arguments = {
            "RequestId": RequestId,
            "Patient": Patient,
            "Items": Items,
            "ClinicalDiagnosis": ClinicalDiagnosis,
            "VirtualDept": VirtualDept,
            "OrderingProvider": OrderingProvider,
            "Specimen": Specimen,
            "Notes": Notes,
        }
        return self._orders.place("PlaceLabOrder", LAB, arguments)

    def PlaceExamOrder(
        self,
        RequestId: str,
        Patient: OrderPatient,
        Items: list[OrderLine],
        ClinicalDiagnosis: str,
        VirtualDept: str,
        OrderingProvider: str,
        Notes: str | None = None,
    ) -> Order:
        arguments = {
            "RequestId": RequestId,
            "Patient": Patient,
            "Items": Items,
            "ClinicalDiagnosis": ClinicalDiagnosis,
            "VirtualDept": VirtualDept,
            "OrderingProvider": OrderingProvider,
            "Notes": Notes,
        }
        return self._orders.place("PlaceExamOrder", EXAMINATION, arguments)

    def CancelOrder(self, RequestId: str, OrderNo: str, Reason: str) -> Order:
        return self._orders.cancel({"RequestId": RequestId, "OrderNo": OrderNo, "Reason": Reason})

    def GetOrderStatus(self, OrderNo: str, ItemClass: str | None = None) -> Order:
        return self._orders.status(OrderNo, ItemClass)

    def RecordSpecimenEvent(
        self,
        RequestId: str,
        OrderNo: str,
        Event: str,
        At: datetime,
        Person: str,
        Place: str | None = None,
        Reason: str | None = None,
    ) -> SpecimenRecord:
        arguments = {
            "RequestId": RequestId,
            "OrderNo": OrderNo,
            "Event": Event,
            "At": At,
            "Person": Person,
            "Place": Place,
            "Reason": Reason,
        }
        return self._orders.record_specimen(arguments)

    def ListSpecimenEvents(self, OrderNo: str) -> list[SpecimenRecord]:
        return self._orders.specimen_events(OrderNo)

    def QueryExamMaster(
        self, PatientId: str, Since: datetime | None = None, Until: datetime | None = None
    ) -> list[ExamMaster]:
        return self._examinations.masters(PatientId, Since, Until)

    def GetExamReport(self, ExamNo: str) -> ExamReport:
        return self._examinations.report(ExamNo)

    def MarkExamPrinted(self, RequestId: str, ExamNo: str) -> ExamMaster:
        return self._examinations.mark_printed({"RequestId": RequestId, "ExamNo": ExamNo})

    def FindPatients(
        self,
        PatientId: str | None = None,
        InsuranceNo: str | None = None,
        IdentityNo: str | None = None,
        VisitCardNo: str | None = None,
    ) -> list[Patient]:
        return self._patients.find(PatientId, InsuranceNo, IdentityNo, VisitCardNo)

    def GetPatient(self, PatientId: str) -> Patient:
        return self._patients.get(PatientId)
