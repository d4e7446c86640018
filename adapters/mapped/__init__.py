"""Any hospital's database, described in a TOML file: docs/mapped.md, docs/onboarding.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from adapters.adapter import Adapter
from adapters.columns import Statement
from adapters.database import Source
from adapters.mapped.clinic import MappedClinic
from adapters.mapped.lab_results import LabTests
from adapters.mapped.live import lacking, refusals
from adapters.mapped.mapping import load_mapping
from adapters.mapped.number_source import NumberSources
from adapters.mapped.patients import PatientFiles
from adapters.mapped.problems import WrongMapping
from adapters.mapped.running import Runner
from adapters.mapped.settings import MappedSettings
from adapters.registrations.operations import RegistrationOperations
from adapters.registrations.registrations import Registrations
from services.faults import SourceError, SourceTimeout, SourceUnavailable
from services.lab_results import LabMaster, LabReport, LabResults
from services.number_source import NumberSource, NumberSourceSlot
from services.patients import Patient, Patients


class Mapped(Adapter, RegistrationOperations, NumberSource, Patients, LabResults):
    """Every contract that a mapping can describe. Raises WrongMapping where the file does not
    serve what is offered, or the database (if it can be reached) refuses a statement."""

    settings_model = MappedSettings

    def __init__(
        self,
        source: Source,
        settings: Mapping[str, Any],
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        super().__init__(source, settings)
        checked = MappedSettings.model_validate(settings)
        self.runner = Runner(source, load_mapping(checked.mapping_file))
        missing = lacking(self.runner.mapping, source.config.offers)
        if missing:
            raise WrongMapping(missing)
        try:
            refused = refusals(source, self.runner, source.config.offers)
        except (SourceUnavailable, SourceTimeout):
            refused = []  # a node starts without its database, and then serves when it is back
        if refused:
            raise WrongMapping(refused)

        def today() -> date:
            return clock().date()

        self._numbers = NumberSources(source, self.runner)
        self._patients = PatientFiles(source, self.runner, today)
        self._tests = LabTests(source, self.runner, clock)
        clinic = MappedClinic(source, self.runner, self._numbers, self._patients)
        self.registrations = Registrations(source, clinic, checked, clock)

    def statements(self) -> Iterable[Statement]:
        return ()  # check() asks for each in its own way

    def check(self) -> None:
        refused = refusals(self.source, self.runner, self.source.config.offers)
        if refused:
            wrong = WrongMapping(refused)
            raise self.source.fault(SourceError, wrong.zh, wrong.en)

    def housekeeping(self) -> None:
        if "Registration" in self.source.config.offers:
            self.registrations.housekeeping()

    def QueryNumberSource(
        self, ScheduleDate: date, DeptCode: str | None = None, ClinicLabel: str | None = None
    ) -> list[NumberSourceSlot]:
        return self._numbers.query(ScheduleDate, DeptCode, ClinicLabel)

    def GetNumberSource(self, ScheduleId: str) -> NumberSourceSlot:
        return self._numbers.get(ScheduleId)

    def FindPatients(
        self,
        PatientId: str | None = None,
        InsuranceNo: str | None = None,
        IdentityNo: str | None = None,
        VisitCardNo: str | None = None,
    ) -> list[Patient]:
        asked = {"PatientId": PatientId, "InsuranceNo": InsuranceNo}
        return self._patients.find({**asked, "IdentityNo": IdentityNo, "VisitCardNo": VisitCardNo})

    def GetPatient(self, PatientId: str) -> Patient:
        return self._patients.get(PatientId)

    def QueryLabMaster(
        self, PatientId: str, Since: datetime | None = None, Until: datetime | None = None
    ) -> list[LabMaster]:
        return self._tests.masters(PatientId, Since, Until)

    def GetLabResult(self, TestNo: str) -> LabReport:
        return self._tests.report(TestNo)

    def MarkLabPrinted(self, RequestId: str, TestNo: str) -> LabMaster:
        return self._tests.mark_printed({"RequestId": RequestId, "TestNo": TestNo})
