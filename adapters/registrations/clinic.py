"""What a vendor's tables have to do for registration; the rest is the same everywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection

from services.number_source import NumberSourceSlot
from services.patients import Patient


@dataclass(frozen=True, slots=True)
class Visit:
    """A registration as the HIS has it, whoever made it. ``key`` names its row. What it shares
    with a NumberSourceSlot is named as there."""

    key: str
    patient_id: str
    schedule_id: str | None
    day: date
    ClinicLabel: str | None
    DeptName: str | None
    DoctorName: str | None
    Shift: str
    sequence: int | None
    amount: Decimal | None
    registered_at: datetime | None
    returned: bool
    returned_at: datetime | None
    visited: bool


@dataclass(frozen=True, slots=True)
class Booking:
    """What is to be written into the HIS. ``paid``: it is a registration and not only a lock."""

    slot: NumberSourceSlot
    patient_id: str
    sequence: int
    registration_fee: Decimal
    consultation_fee: Decimal
    now: datetime
    paid: bool


class Clinic(ABC):
    """One vendor's side of registration. Every method runs in the caller's transaction.

    ``number_is_place``: the hospital counts places by the sequence number given out, so that a
    place can be given out again only together with its number.
    """

    number_is_place: bool = False
    #: a lock is written into the HIS too, as a row that does not count yet
    writes_locks: bool = False

    # --- sessions -----------------------------------------------------------------------------

    @abstractmethod
    def session(self, connection: Connection, schedule_id: str) -> NumberSourceSlot | None: ...

    @abstractmethod
    def stopped_since(self, connection: Connection, day: date) -> list[NumberSourceSlot]: ...

    def refusal(self, slot: NumberSourceSlot, today: date) -> tuple[str, str] | None:
        """Why this vendor cannot register for a session that seems open; Chinese, English."""
        return None

    # --- counters: each is one UPDATE, and tells whether it found its row -------------------------

    @abstractmethod
    def hold(self, connection: Connection, schedule_id: str) -> None:
        """Make every other writer of this session wait until the transaction ends."""

    @abstractmethod
    def take(self, connection: Connection, schedule_id: str, *, numbered: bool) -> bool:
        """Take a place, and with ``numbered`` the next number, if there is one left."""

    @abstractmethod
    def advance(self, connection: Connection, schedule_id: str) -> bool:
        """Take the next number alone."""

    @abstractmethod
    def given(self, connection: Connection, schedule_id: str) -> int:
        """The number that was given out last, read behind ``take`` or ``advance``."""

    @abstractmethod
    def give_back(self, connection: Connection, schedule_id: str) -> None:
        """Give a place back. The sequence number is never lowered."""

    # --- patients and visits ------------------------------------------------------------------

    @abstractmethod
    def patient(self, connection: Connection, patient_id: str) -> Patient:
        """Raises NotFound, and Conflict where more than one patient has that id."""

    @abstractmethod
    def add_visit(self, connection: Connection, booking: Booking) -> str:
        """Write the HIS's own row; its key."""

    def pay_visit(self, connection: Connection, key: str, booking: Booking) -> None:
        """Make the row of a lock one that counts. Only where ``writes_locks``."""
        raise NotImplementedError

    @abstractmethod
    def return_visit(self, connection: Connection, visit: Visit, now: datetime) -> bool:
        """Mark a visit as returned; False if it is no longer one that can be."""

    @abstractmethod
    def visit(self, connection: Connection, key: str) -> Visit | None: ...

    @abstractmethod
    def visits_of(
        self, connection: Connection, patient_id: str, since: date | None
    ) -> list[Visit]: ...

    @abstractmethod
    def visits_at(self, connection: Connection, slot: NumberSourceSlot) -> list[Visit]: ...
