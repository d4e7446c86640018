"""Bsoft style 创业: pinyin-initial tables. Its LIS is another database: adapters.bsoft_lis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from adapters.adapter import Adapter
from adapters.bsoft.number_source import NumberSources
from adapters.bsoft.patients import PatientFiles
from adapters.bsoft.registration import BsoftClinic
from adapters.bsoft.settings import BsoftSettings
from adapters.columns import Statement
from adapters.database import Source
from adapters.registrations.operations import RegistrationOperations
from adapters.registrations.registrations import Registrations
from services.number_source import NumberSource, NumberSourceSlot
from services.patients import Patient, Patients


class Bsoft(Adapter, RegistrationOperations, NumberSource, Patients):
    """Every contract over the HIS; each is in a file of its own beside this one."""

    settings_model = BsoftSettings

    def __init__(
        self,
        source: Source,
        settings: Mapping[str, Any],
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__(source, settings)
        checked = BsoftSettings.model_validate(settings)

        def today() -> date:
            return clock().date()

        self._number_sources = NumberSources(source, checked, today)
        self._patients = PatientFiles(source, checked, today)
        self._clinic = BsoftClinic(source, checked, self._number_sources, self._patients, today)
        self.registrations = Registrations(source, self._clinic, checked, clock)

    def statements(self) -> Iterable[Statement]:
        offers = self.source.config.offers
        if "NumberSource" in offers or "Registration" in offers:
            yield from self._number_sources.statements()
        if "Patients" in offers or "Registration" in offers:
            yield from self._patients.statements()
        if "Registration" in offers:
            yield from self._clinic.statements()

    def housekeeping(self) -> None:
        if "Registration" in self.source.config.offers:
            self.registrations.housekeeping()

    def QueryNumberSource(
        self, ScheduleDate: date, DeptCode: str | None = None, ClinicLabel: str | None = None
    ) -> list[NumberSourceSlot]:
        return self._number_sources.query(ScheduleDate, DeptCode, ClinicLabel)

    def GetNumberSource(self, ScheduleId: str) -> NumberSourceSlot:
        return self._number_sources.get(ScheduleId)

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
