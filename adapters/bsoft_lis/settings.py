"""What differs between the LISes beside bsoft HISes. docs/adapters.md explains each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from adapters.adapter import Settings
from adapters.marks import ABNORMAL_MARKS, AbnormalMark

Name = Annotated[str, Field(pattern=r"^[^\s.]+$")]
NameOrNone = Annotated[str, Field(pattern=r"^[^\s.]*$")]

#: field of LabMaster (and PatientId): column of the sample head table
SAMPLE_COLUMNS: dict[str, str] = {
    **{"TestNo": "SAMPLENO", "PatientId": "PATIENTID", "Name": "PATIENTNAME"},
    **{"ChargeType": "PAYTYPE", "Sex": "SEX", "Age": "AGE", "TestCause": "TESTAIM"},
    **{"RelevantClinicDiag": "DIAGNOSE", "Specimen": "SAMPLETYPE", "NotesForSpcm": "SAMPLENOTE"},
    **{"OrderingDept": "REQDEPT", "RequestedDateTime": "REQTIME"},
    **{"ResultsRptDateTime": "REPORTTIME", "OrderingProvider": "REQDOCTOR"},
    **{"PerformedBy": "EXECDEPT", "WorkingId": "WORKNO", "Transcriptionist": "REPORTER"},
    # Few laboratories note what was printed; where there is no column, a table of ours does.
    **{"VerifiedBy": "CHECKER", "ResultStatus": "STATUS", "Printed": ""},
}
_NEEDED = ("TestNo", "PatientId", "RequestedDateTime", "ResultStatus")


class BsoftLisSettings(Settings):
    sample_table: Name = Field("LIS_SAMPLE", description="the site's sample head table")
    sample_columns: dict[str, NameOrNone] = Field(
        {},
        description="its columns by LabMaster field, where they are not named as by default; "
        "an empty name: there is no such column",
    )
    key_width: int = Field(
        0, ge=0, le=64, description="width of the sample number and patient id, if padded"
    )
    statuses: dict[str, Literal["0", "1", "2", "3", "4", "7", "9"]] = Field(
        {}, description="the site's sample states as RESULT_STATUS; empty: they are the same"
    )
    department_table: NameOrNone = Field(
        "LIS_DEPT", description="the LIS's department table; empty: departments stand as names"
    )
    department_code: Name = Field("DEPTCODE", description="its code column")
    department_name: Name = Field("DEPTNAME", description="its name column")
    reference_column: NameOrNone = Field(
        "", description="column that the site added to V_LIS_TESTRESULT for the reference range"
    )
    print_order_column: NameOrNone = Field(
        "", description="column that it added for the print order; empty: by TESTID"
    )
    abnormal_marks: dict[str, AbnormalMark] = Field(
        ABNORMAL_MARKS, description="values of HINT, as abnormal flags"
    )
    recognised_items: list[str] = Field([], description="TESTIDs that the members recognise (HR)")

    @field_validator("sample_columns")
    @classmethod
    def _of_known_fields(cls, value: dict[str, str]) -> dict[str, str]:
        for field, name in value.items():
            if field not in SAMPLE_COLUMNS:
                raise ValueError(
                    f"没有字段 {field}；有：{'、'.join(SAMPLE_COLUMNS)} / no field {field}"
                )
            if not name and field in _NEEDED:
                raise ValueError(f"{field} 必须有列 / {field} needs a column")
        return value

    @model_validator(mode="after")
    def _padding_has_a_width(self) -> BsoftLisSettings:
        if self.char_padding != "none" and not self.key_width:
            raise ValueError(
                "设了 char_padding 就要设 key_width / char_padding needs key_width beside it"
            )
        return self

    def sample_column(self, field: str) -> str:
        """The column of that field; empty: there is none."""
        return self.sample_columns.get(field, SAMPLE_COLUMNS[field])
