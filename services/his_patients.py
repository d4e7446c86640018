"""HisService's operations about patients: Patients, told as rows."""

from __future__ import annotations

from services.contract import record_type
from services.delimited import DelimitedOperation, delimited
from services.patients import Patient, Patients

OPERATIONS: tuple[DelimitedOperation, ...] = (
    delimited(
        "getpatient",
        Patients,
        "FindPatients",
        zh="查找病人",
        doc="按病人标识号、医保号、证件号或就诊卡号查找，至少给一个；每人一行，没有则 0 行。 "
        "Patients found by any of four numbers, at least one; a row for each, 0 rows for none.",
        record=record_type(Patient),
        parameters={
            "PatientId": "PatientId",
            "InsuranceNo": "InsuranceNo",
            "IdentityNo": "IdentityNo",
            "VisitCardNo": "VisitCardNo",
        },
        columns=(
            "PatientId",
            "Name",
            "Sex",
            "BirthDate",
            "Age",
            "IdentityType",
            "IdentityNo",
            "InsuranceNo",
            "VisitCardNo",
            "ChargeType",
            "Phone",
            "Address",
        ),
    ),
)
