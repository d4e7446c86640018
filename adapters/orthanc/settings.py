"""What differs between sites with an Orthanc. docs/pacs.md explains each."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

#: what may stand in a link, and what of it tells which study is meant
_PLACES = ("base", "OrthancId", "StudyUid", "SeriesUid", "ObjectUid", "AccessionNumber")
_STUDY_PLACES = _PLACES[1:]
_PLACE = re.compile(r"\{([^{}]*)\}")


class OrthancSettings(BaseModel):
    """Settings of one Orthanc; an unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    link_base: str = Field(
        "",
        pattern=r"^(https?://[^/\s{}?#]+(/[^\s{}?#]*)?)?$",
        max_length=256,
        description="{base} of the links: the viewer's address as those who ask reach it, "
        "through the gate's mapping; empty: no links",
    )
    link: str = Field(
        "{base}/app/explorer.html#study?uuid={OrthancId}",
        max_length=512,
        description="address that opens a study; empty: no links",
    )
    patient_ids: Literal["same", "own"] = Field(
        "same",
        description="the archive files studies under the patient ids of the HIS (same), or under "
        "its own",
    )
    ca_file: Path | None = Field(
        None, description="certificate of the hospital's own authority, for an https url"
    )

    @field_validator("link")
    @classmethod
    def _opens_a_study(cls, value: str) -> str:
        if not value:
            return value
        found = _PLACE.findall(value)
        unknown = [name for name in found if name not in _PLACES]
        if unknown:
            known = "、".join(f"{{{name}}}" for name in _PLACES)
            raise ValueError(
                f"没有 {{{unknown[0]}}}；有：{known} / no {{{unknown[0]}}}; there are: {known}"
            )
        if not set(found) & set(_STUDY_PLACES):
            raise ValueError(
                "没有写明哪个检查，如 {StudyUid} / it does not say which study, as {StudyUid} does"
            )
        if not value.startswith(("{base}", "http://", "https://")):
            raise ValueError(
                "应以 {base} 或 http(s):// 开头 / it must begin with {base} or http(s)://"
            )
        return value

    @field_validator("ca_file")
    @classmethod
    def _holds_certificates(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                ssl.create_default_context(cafile=value)
            except OSError as error:
                raise ValueError(
                    f"{value} 不是可读的 PEM 证书 / not a readable PEM certificate ({error})"
                ) from None
        return value

    @model_validator(mode="after")
    def _a_link_with_a_base_has_one(self) -> OrthancSettings:
        if self.link_base and "{base}" not in self.link:
            raise ValueError(
                "设了 link_base，link 中却没有 {base} / link_base is set and link has no {base}"
            )
        return self

    @property
    def links(self) -> str:
        """The link with its base filled in; empty: there are none."""
        if "{base}" in self.link and not self.link_base:
            return ""
        return self.link.replace("{base}", self.link_base.rstrip("/"))
