"""Junwei 军卫一号: the HIS of the paper. Its LIS and PACS write into the same database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from adapters.adapter import Adapter
from adapters.columns import Statement
from adapters.database import Source
from adapters.junwei.lab_results import LabTests
from adapters.junwei.number_source import NumberSources
from adapters.junwei.settings import JunweiSettings
from services.lab_results import LabMaster, LabReport, LabResults
from services.number_source import NumberSource, NumberSourceSlot


class Junwei(Adapter, NumberSource, LabResults):
    """Every contract over the junwei schema; each is in a file of its own beside this one."""

    settings_model = JunweiSettings

    def __init__(self, source: Source, settings: Mapping[str, Any]) -> None:
        super().__init__(source, settings)
        checked = JunweiSettings.model_validate(settings)
        self._number_sources = NumberSources(source, checked)
        self._lab_tests = LabTests(source, checked)

    def statements(self) -> Iterable[Statement]:
        if "NumberSource" in self.source.config.offers:
            yield from self._number_sources.statements()
        if "LabResults" in self.source.config.offers:
            yield from self._lab_tests.statements()

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
