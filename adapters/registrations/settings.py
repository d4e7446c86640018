"""What differs between hospitals in registration, whatever HIS they run. docs/registration.md."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import Field

from adapters.adapter import Settings
from adapters.marks import ShiftCode

#: HH:MM
TimeOfDay = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
ReturnedNumber = Literal["freed", "reused", "kept"]


class RegistrationSettings(Settings):
    lock_minutes: float = Field(
        15.0, ge=0.5, le=1440, description="minutes that a locked number is held for its payment"
    )
    returned_number: ReturnedNumber = Field(
        "freed",
        description="what a returned number does: the place is given out again under a new "
        "sequence number, under the same one, or not at all",
    )
    charge_check: Literal["exact", "none"] = Field(
        "exact", description="whether the amount paid must be the fees' sum"
    )
    shift_ends: dict[ShiftCode, TimeOfDay] = Field(
        {"1": "12:00", "2": "18:00"},
        description="when a shift's session of today is past; a shift that is not named: midnight",
    )

    def ends(self, shift: str) -> time:
        """The time of day at which a session of that shift is past."""
        text = self.shift_ends.get(shift)  # type: ignore[call-overload]
        return time.max if text is None else time.fromisoformat(text)
