"""Where a junwei hospital keeps a patient's insurance number: not in PAT_MASTER_INDEX."""

from __future__ import annotations

from sqlalchemy import ColumnClause, String, column, select, table

from adapters.columns import Statement
from adapters.junwei.settings import JunweiSettings


def patients_insured_as(insurance_no: str, settings: JunweiSettings) -> Statement:
    """Selects the PATIENT_IDs that the table of the ``insurance_no`` setting has for a number.

    All three tables have PATIENT_ID and INSURANCE_NO; INSURANCE_ACCOUNTS is a site's own.
    """
    patient: ColumnClause[str] = column("PATIENT_ID", String)
    number: ColumnClause[str] = column("INSURANCE_NO", String)
    source = table(settings.insurance_no, patient, number)
    return select(patient).select_from(source).where(number == insurance_no).distinct()
