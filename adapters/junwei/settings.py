"""What differs between hospitals that run junwei. docs/adapters.md explains each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from adapters.columns import gbk_length
from adapters.marks import ABNORMAL_MARKS, SHIFTS, AbnormalMark, ShiftCode
from adapters.registrations.settings import RegistrationSettings

IdentityType = Literal["01", "03", "06", "07", "99"]
IDENTITY_TYPES: dict[str, IdentityType] = {
    **{"01": "01", "03": "03", "06": "06", "07": "07", "99": "99"},
    **{"身份证": "01", "居民身份证": "01", "护照": "03"},
}

#: TABLE.COLUMN; names in any script; empty: there is none
SiteColumn = Annotated[str, Field(pattern=r"^$|^[^\s.]+\.[^\s.]+$")]


class JunweiSettings(RegistrationSettings):
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
    visit_card: SiteColumn = Field(
        "CLINIC_MASTER.CARD_NO",
        description="column of the visit card's number, in a table with PATIENT_ID",
    )
    identity_types: dict[str, IdentityType] = Field(
        IDENTITY_TYPES, description="values of ID_TYPE, as identity documents; others: 99"
    )
    unpaid_lock: Literal["nothing", "returned_row"] = Field(
        "nothing",
        description="what a lock writes into CLINIC_MASTER before it is paid: nothing, or a row "
        "that looks returned until then",
    )
    visit_no: Annotated[str, Field(pattern=r"^(daily|[A-Za-z_][\w$#.]*)$")] = Field(
        "daily", description="VISIT_NO counts from 1 each day, or comes from this sequence"
    )
    operator: Annotated[str, Field(min_length=1)] = Field(
        "远程", description="what stands in OPERATOR and RETURNED_OPERATOR; at most 8 bytes"
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
    virtual_departments: dict[str, str] = Field(
        {},
        description="codes that member hospitals order under, with the member's name; a code "
        "takes at most 8 bytes (ORDERING_DEPT)",
    )
    order_number_start: int = Field(
        1,
        ge=1,
        le=9999,
        description="the lowest number of a day for orders from outside; where the HIS counts by "
        "a sequence of its own, a number that it never reaches",
    )
    patient_id_prefix: Annotated[str, Field(pattern=r"^[A-Z]{1,4}$")] = Field(
        "Y", description="letters that begin the PATIENT_ID of a patient made by an order"
    )
    recognised_items: list[str] = Field(
        [],
        description="codes of items that the members recognise (HR), besides those that "
        "YILIAN_ITEM marks: ordered or reported items, and examination items",
    )
    image_url: str = Field(
        "",
        description="address that opens a study, with {StudyUid} in it; empty: there is no viewer",
    )

    @field_validator("operator")
    @classmethod
    def _operator_fits(cls, value: str) -> str:
        if gbk_length(value) > 8:
            raise ValueError(
                "最多 8 个字节（4 个汉字），OPERATOR 列只有这么宽 / "
                "at most 8 bytes (4 Han characters), the width of OPERATOR"
            )
        return value

    @model_validator(mode="after")
    def _a_counted_number_is_not_freed(self) -> JunweiSettings:
        freed = "returned_number" in self.model_fields_set and self.returned_number == "freed"
        if freed and self.taken == "CURRENT_NO":
            raise ValueError(
                "taken 为 CURRENT_NO 时，退号的名额只能连同序号一起再用：returned_number 应为 "
                "reused 或 kept / where taken is CURRENT_NO a place comes back only with its "
                "number: returned_number is reused or kept"
            )
        return self

    @field_validator("virtual_departments")
    @classmethod
    def _codes_fit_their_column(cls, value: dict[str, str]) -> dict[str, str]:
        for code, name in value.items():
            if not code.strip() or code != code.strip() or gbk_length(code) > 8:
                raise ValueError(
                    f"虚拟科室代码 {code!r} 应为 1 到 8 字节，两端无空格 / "
                    f"a virtual department's code has 1 to 8 bytes and no blank around it: {code!r}"
                )
            if not name.strip():
                raise ValueError(
                    f"虚拟科室 {code} 要写明医院名称 / virtual department {code} needs a name"
                )
        return value

    @field_validator("image_url")
    @classmethod
    def _opens_a_study(cls, value: str) -> str:
        rest = value.replace("{StudyUid}", "")
        if value and (
            rest == value or "{" in rest or not value.startswith(("http://", "https://"))
        ):
            raise ValueError(
                "应为含 {StudyUid} 的 http(s) 地址，如 http://pacs.example/viewer?study={StudyUid} "
                "/ should be an http(s) address with {StudyUid} in it and no other braces"
            )
        return value
