"""What differs between hospitals that run junwei. docs/adapters.md explains each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from adapters.adapter import Settings
from adapters.marks import ABNORMAL_MARKS, SHIFTS, AbnormalMark, ShiftCode

#: TABLE.COLUMN; names in any script; empty: there is none
SiteColumn = Annotated[str, Field(pattern=r"^$|^[^\s.]+\.[^\s.]+$")]


class JunweiSettings(Settings):
    current_no: Literal["next", "last"] = Field(
        "next", description="CURRENT_NO is the next number to give out, or the last one given"
    )
    taken: Literal["REGISTRATION_NUM", "CURRENT_NO"] = Field(
        "REGISTRATION_NUM", description="the column that tells how many numbers are taken"
    )
    appointments: Literal["separate", "included"] = Field(
        "separate", description="whether appointments use up registration numbers"
    )
    stopped: Literal["none", "CLINIC_INDEX.STATUS", "OUTP_DOCTOR_REGIST.STOP_INDICATOR"] = Field(
        "none", description="where the flag of a stopped session is"
    )
    stopped_values: list[str] = Field(
        [], description="values of that flag that mean stopped; empty: 0 for STATUS, 1 otherwise"
    )
    remote_flag: Annotated[
        str, Field(pattern=r"^$|^(CLINIC_FOR_REGIST|CLINIC_INDEX)\.[^\s.]+$")
    ] = Field("", description="column that opens a session to remote registration")
    remote_open_values: list[str] = Field(["1"], description="values of remote_flag that mean open")
    remote_default: bool = Field(
        True, description="open to remote where there is no remote_flag or it is NULL"
    )
    speciality: SiteColumn = Field("", description="column of the expert's speciality")
    speciality_key: Literal["CLINIC_LABEL", "DOCTOR"] = Field(
        "CLINIC_LABEL", description="key column of that table: the clinic label or the doctor"
    )
    expert_clinic_types: list[str] = Field(
        ["专家", "专家号", "专家门诊", "知名专家", "特需", "特需门诊", "特需专家"],
        description="values of CLINIC_TYPE that make an expert session",
    )
    expert_titles: list[str] = Field(
        [], description="values of DOCTOR_TITLE that make an expert session by themselves"
    )
    doctor_titles: dict[str, str] = Field(
        {"1": "主任医师", "2": "副主任医师", "3": "主治医师", "4": "医师"},
        description="names of the codes in DOCTOR_TITLE",
    )
    clinic_name: Literal["department_and_type", "label"] = Field(
        "department_and_type", description="what a session is called"
    )
    registration_fee: Literal["session", "type", "none"] = Field(
        "session", description="REGIST_PRICE of the session, PRICE of its clinic type, or 0"
    )
    consultation_fee: Literal["session", "type", "none"] = Field(
        "type", description="the same for the consultation fee"
    )
    shifts: dict[str, ShiftCode] = Field(SHIFTS, description="names in TIME_DESC, as shift codes")
    insurance_no: Literal["CLINIC_MASTER", "CLINIC_APPOINTS", "INSURANCE_ACCOUNTS"] = Field(
        "CLINIC_MASTER", description="the table that holds a patient's insurance number"
    )
    reference_column: Annotated[str, Field(pattern=r"^[^\s.]*$")] = Field(
        "PRINT_CONTEXT", description="column of LAB_RESULT that holds the reference range"
    )
    print_order: Literal["item", "report"] = Field(
        "item", description="PRINT_ORDER counts within an ordered item, or through the report"
    )
    abnormal_marks: dict[str, AbnormalMark] = Field(
        ABNORMAL_MARKS, description="values of ABNORMAL_INDICATOR, as abnormal flags"
    )
