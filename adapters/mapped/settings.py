"""The settings of a mapped source: where its mapping is. What registration has besides is as
everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from adapters.mapped.mapping import load_mapping
from adapters.registrations.settings import RegistrationSettings


class MappedSettings(RegistrationSettings):
    mapping_file: Path = Field(description="the TOML file that describes the hospital's database")
    char_padding: Literal["none"] = Field(
        "none", description="padded codes are a matter of the mapping here: spaces, zeros"
    )

    @field_validator("mapping_file")
    @classmethod
    def _that_can_be_used(cls, value: Path) -> Path:
        load_mapping(value)
        return value
