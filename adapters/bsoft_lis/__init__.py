"""The LIS beside a bsoft HIS, in a database of its own, which is a source of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from adapters.adapter import Adapter
from adapters.bsoft_lis.lab_results import LabTests
from adapters.bsoft_lis.settings import BsoftLisSettings
from adapters.columns import Statement
from adapters.database import Source
from services.lab_results import LabMaster, LabReport, LabResults


class BsoftLis(Adapter, LabResults):
    """Every contract over the LIS."""

    settings_model = BsoftLisSettings

    def __init__(self, source: Source, settings: Mapping[str, Any]) -> None:
        super().__init__(source, settings)
        self._lab_tests = LabTests(source, BsoftLisSettings.model_validate(settings))

    def statements(self) -> Iterable[Statement]:
        yield from self._lab_tests.statements()

    def QueryLabMaster(
        self, PatientId: str, Since: datetime | None = None, Until: datetime | None = None
    ) -> list[LabMaster]:
        return self._lab_tests.masters(PatientId, Since, Until)

    def GetLabResult(self, TestNo: str) -> LabReport:
        return self._lab_tests.report(TestNo)

    def MarkLabPrinted(self, RequestId: str, TestNo: str) -> LabMaster:
        return self._lab_tests.mark_printed({"RequestId": RequestId, "TestNo": TestNo})
