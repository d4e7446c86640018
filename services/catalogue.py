"""The table of contracts. A new service is one file and one line here."""

from __future__ import annotations

from services.contract import Contract
from services.lab_results import LabResults
from services.number_source import NumberSource

CONTRACTS: dict[str, type[Contract]] = {
    "NumberSource": NumberSource,
    "LabResults": LabResults,
}
