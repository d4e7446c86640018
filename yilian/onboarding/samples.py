"""Patient ids to ask with: out of the mapping's own queries, or of the vendor's tables."""

from __future__ import annotations

from sqlalchemy import String, column, select, table

from adapters.adapter import Adapter
from adapters.bsoft_lis.settings import BsoftLisSettings
from adapters.mapped import Mapped
from adapters.mapped.scan import sampled
from services.faults import ServerFault

#: table and column with patient ids, by adapter and contract
_TABLES = {
    ("junwei", "Patients"): ("PAT_MASTER_INDEX", "PATIENT_ID"),
    ("junwei", "LabResults"): ("LAB_TEST_MASTER", "PATIENT_ID"),
    ("junwei", "ExamResults"): ("EXAM_MASTER", "PATIENT_ID"),
    ("junwei", "Registration"): ("CLINIC_MASTER", "PATIENT_ID"),
    ("bsoft", "Patients"): ("MS_BRDA", "MZHM"),
    ("bsoft", "Registration"): ("MS_BRDA", "MZHM"),
}


def patients(adapter: Adapter, contract: str, most: int) -> list[str]:
    """At most so many; none where the adapter's tables are not known here."""
    source = adapter.source
    if isinstance(adapter, Mapped):
        found = sampled(source, adapter.runner, contract, most)
        return found or sampled(source, adapter.runner, "Patients", most)
    place = _TABLES.get((source.config.adapter, contract))
    if source.config.adapter == "bsoft_lis":
        settings = BsoftLisSettings.model_validate(source.config.settings)
        place = (settings.sample_table, settings.sample_column("PatientId"))
    if place is None:
        return []
    name = column(place[1], String)
    statement = select(name).select_from(table(place[0], name)).where(name.is_not(None)).distinct()
    try:
        with source.connect() as connection:
            found = [str(one).rstrip() for one in connection.scalars(statement.limit(most))]
    except ServerFault:
        return []  # the check of that contract says what is wrong with the table
    return [one for one in found if one]
