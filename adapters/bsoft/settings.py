"""What differs between hospitals that run bsoft. docs/adapters.md explains each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from adapters.marks import ShiftCode
from adapters.registrations.settings import RegistrationSettings

Name = Annotated[str, Field(pattern=r"^[^\s.]*$")]


class BsoftSettings(RegistrationSettings):
    organisation: str = Field(
        "", description="JGID of this hospital, where one database serves several; empty: any"
    )
    appointments: Literal["separate", "included"] = Field(
        "separate", description="whether bookings (YYRS) use up registration numbers (GHXE)"
    )
    department_slots: bool = Field(
        True, description="whether MS_KSPB, the weekly slots of departments, is in use"
    )
    first_weekday: Literal["sunday", "monday"] = Field(
        "sunday", description="the day that GHRQ 1 means in MS_KSPB"
    )
    stopped_values: list[str] = Field(["1"], description="values of TGBZ that mean stopped")
    remote_flag: Name = Field("", description="column that opens a session to remote registration")
    remote_flag_on: Literal["slots", "departments"] = Field(
        "slots", description="that column is in MS_YSPB and MS_KSPB, or in MS_GHKS"
    )
    remote_open_values: list[str] = Field(["1"], description="values of remote_flag that mean open")
    remote_default: bool = Field(
        True, description="open to remote where there is no remote_flag or it is NULL"
    )
    title_column: Name = Field("YGJB", description="column of GY_YGDM that holds a doctor's title")
    doctor_titles: dict[str, str] = Field({}, description="names of the codes in title_column")
    speciality: Annotated[str, Field(pattern=r"^$|^[^\s.]+\.[^\s.]+$")] = Field(
        "", description="TABLE.COLUMN of the expert's speciality"
    )
    speciality_key: Name = Field("YGDM", description="column of that table with the doctor's code")
    expert_values: list[str] = Field(["1"], description="values of ZJMZ that mean expert")
    expert_titles: list[str] = Field(
        [], description="titles, as named, that make an expert session by themselves"
    )
    shifts: dict[str, ShiftCode] = Field(
        {"1": "1", "2": "2", "3": "3", "4": "4"}, description="values of ZBLB, as shift codes"
    )
    visited_values: list[str] = Field(["9"], description="values of JZZT that mean visit done")
