"""The table of contracts. A new service is one file and one line here."""

from __future__ import annotations

from services.contract import Contract
from services.exam_results import ExamResults
from services.lab_results import LabResults
from services.number_source import NumberSource
from services.ordering import Ordering
from services.patients import Patients
from services.registration import Registration

#: One adapter may implement several, so no two have an operation of the same name.
CONTRACTS: dict[str, type[Contract]] = {
    "NumberSource": NumberSource,
    "Patients": Patients,
    "Registration": Registration,
    "Ordering": Ordering,
    "LabResults": LabResults,
    "ExamResults": ExamResults,
}
