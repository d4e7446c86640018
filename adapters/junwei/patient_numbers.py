"""Numbers of a patient that a junwei hospital keeps elsewhere than in PAT_MASTER_INDEX: of the
insurance, of the visit card."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnClause, Connection, String, column, select, table

from adapters import values as v
from adapters.columns import Statement
from adapters.junwei.tables import METADATA
from adapters.keys import matches

#: where a patient has many rows, the column that tells the latest
_LATEST = {"CLINIC_MASTER": "VISIT_DATE", "CLINIC_APPOINTS": "VISIT_DATE_APPTED"}


class PatientNumbers:
    """A column that holds a patient's number, in a table with PATIENT_ID; as ``TABLE.COLUMN``."""

    def __init__(self, where: str) -> None:
        name, column_name = where.split(".")
        known = METADATA.tables.get(name)
        latest = _LATEST.get(name)
        self._patient: ColumnClause[Any] = column("PATIENT_ID", String)
        self._number: Any = column(column_name, String)
        self._latest: Any = None if latest is None else column(latest)
        columns: list[Any] = [self._patient, self._number]
        if latest is not None:
            columns.append(self._latest)
        self.statement: Statement = select(*columns).select_from(table(name, *columns))
        self._known: Any = None if known is None else known.c.get(column_name)

    def holders(self, number: str, padding: Any) -> Any:
        """A select of the PATIENT_IDs that have the number."""
        if self._known is not None and padding != "none":
            # As the padded column holds it.
            condition = matches(self._known, number, padding)
            return select(self._known.table.c.PATIENT_ID).where(condition)
        return self.statement.with_only_columns(self._patient).where(self._number == number)

    def of(self, connection: Connection, ids: list[Any]) -> dict[str, str]:
        """The latest number of each patient."""
        if not ids:
            return {}
        statement = self.statement.where(self._patient.in_(ids), self._number.is_not(None))
        if self._latest is not None:
            statement = statement.order_by(self._latest)
        found: dict[str, str] = {}
        for row in connection.execute(statement):
            patient, number = v.text(row[0], "PATIENT_ID"), v.text(row[1], self._number.name)
            if patient is not None and number is not None:
                found[patient] = number
        return found
