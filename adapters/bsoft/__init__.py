"""Bsoft style 创业: pinyin-initial tables. Its LIS is another database: adapters.bsoft_lis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from adapters.adapter import Adapter
from adapters.bsoft.number_source import NumberSources
from adapters.bsoft.settings import BsoftSettings
from adapters.columns import Statement
from adapters.database import Source
from services.number_source import NumberSource, NumberSourceSlot


class Bsoft(Adapter, NumberSource):
    """Every contract over the HIS; each is in a file of its own beside this one."""

    settings_model = BsoftSettings

    def __init__(self, source: Source, settings: Mapping[str, Any]) -> None:
        super().__init__(source, settings)
        self._number_sources = NumberSources(source, BsoftSettings.model_validate(settings))

    def statements(self) -> Iterable[Statement]:
        yield from self._number_sources.statements()

    def QueryNumberSource(
        self, ScheduleDate: date, DeptCode: str | None = None, ClinicLabel: str | None = None
    ) -> list[NumberSourceSlot]:
        return self._number_sources.query(ScheduleDate, DeptCode, ClinicLabel)

    def GetNumberSource(self, ScheduleId: str) -> NumberSourceSlot:
        return self._number_sources.get(ScheduleId)
