"""One session against a simple model: whatever happens in whatever order, they agree."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from services.faults import Conflict
from services.registration_states import TRANSITIONS
from tests.writes_once.conftest import DATABASES
from tests.writes_once.hospital import FEES, NOON, hospital, patient_id

LIMIT = 3
PATIENTS = st.integers(1, 5)


class OneSession(RuleBasedStateMachine):
    """The model: the living registrations with their numbers, the highest number given out, and
    the numbers that came back."""

    ids = Bundle("ids")

    @initialize(
        adapter=st.sampled_from(["junwei", "bsoft"]),
        returned=st.sampled_from(["freed", "reused", "kept"]),
    )
    def begin(self, adapter: str, returned: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        url = DATABASES["sqlite"](Path(self.folder.name))
        self.opened = hospital(adapter, url, limit=LIMIT, patients=5)
        self.his = self.opened.__enter__()
        self.now = NOON
        self.nodes = [
            self.his.open(lambda: self.now, returned_number=returned, lock_minutes=15)
            for _ in range(2)
        ]
        self.nodes[0].housekeeping()
        self.returned = returned
        self.states: dict[str, str] = {}
        self.of: dict[str, tuple[int, int]] = {}  # patient and number
        self.expires: dict[str, Any] = {}
        self.free: set[int] = set()
        self.highest = 0
        self.lost = 0  # places of returned numbers that are kept
        self.requests = 0

    def teardown(self) -> None:
        if hasattr(self, "his"):
            self.opened.__exit__(None, None, None)
            self.folder.cleanup()

    # --- what a caller does -----------------------------------------------------------------------

    def ask(self, operation: str, **arguments: Any) -> Any:
        """The answer or the Conflict, of one node and then, word for word, of the other."""
        self.requests += 1
        request = f"r{self.requests}"

        def call(node: Any) -> Any:
            try:
                return getattr(node, operation)(request, **arguments)
            except Conflict as conflict:
                return str(conflict)

        first, second = call(self.nodes[self.requests % 2]), call(self.nodes[1])
        assert first == second
        return first

    def take(self, operation: str, patient: int) -> str:
        holds = any(self.of[one][0] == patient and self.is_living(one) for one in self.states)
        taken = sum(map(self.is_living, self.states)) + self.lost
        answer = self.ask(operation, ScheduleId=self.his.session, PatientId=patient_id(patient))
        if holds or taken >= LIMIT:
            assert isinstance(answer, str), answer
            # What was refused as full had swept first, and that is undone with it.
            return ""
        self.notice_expiry(only_if_taken=True)
        expected = min(self.free) if self.free else self.highest + 1
        assert answer.SequenceNo == expected
        self.free.discard(expected)
        self.highest = max(self.highest, expected)
        return str(getattr(answer, "LockId", None) or answer.RegistrationId)

    @rule(target=ids, patient=PATIENTS)
    def lock(self, patient: int) -> str:
        made = self.take("LockNumber", patient)
        return self.remember(made, "L", patient)

    @rule(target=ids, patient=PATIENTS)
    def register(self, patient: int) -> str:
        made = self.take("Register", patient)
        return self.remember(made, "R", patient)

    def remember(self, made: str, state: str, patient: int) -> str:
        if made:
            (number,) = [
                sequence
                for found, who, sequence in self.his.kept()
                if who == patient_id(patient) and found == state
            ][-1:]
            self.states[made], self.of[made] = state, (patient, number)
            self.expires[made] = self.now + timedelta(minutes=15)
        return made

    @rule(one=ids)
    def confirm(self, one: str) -> None:
        self.move(
            "ConfirmRegistration", one, LockId=one, PaymentReference="WX", Amount=Decimal(FEES)
        )

    @rule(one=ids)
    def release(self, one: str) -> None:
        if self.move("ReleaseLock", one, LockId=one):
            self.came_back(one, lock=True)

    @rule(one=ids)
    def cancel(self, one: str) -> None:
        if self.move("CancelRegistration", one, RegistrationId=one, Reason="行程有变"):
            self.came_back(one, lock=False)

    def move(self, operation: str, one: str, **arguments: Any) -> bool:
        if not one:
            return False
        state = self.state(one)
        answer = self.ask(operation, **arguments)
        after = TRANSITIONS.get((state, operation))
        if after is None:
            assert isinstance(answer, str), (state, operation)
            return False
        assert answer.State == after
        self.states[one] = after
        return True

    @rule(minutes=st.integers(1, 20))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(node=st.integers(0, 1))
    def sweep(self, node: int) -> None:
        self.nodes[node].housekeeping()
        self.notice_expiry()

    # --- the model --------------------------------------------------------------------------------

    def state(self, one: str) -> str:
        stored = self.states[one]
        return "E" if stored == "L" and self.expires[one] <= self.now else stored

    def is_living(self, one: str) -> bool:
        return self.state(one) in "LR"

    def notice_expiry(self, only_if_taken: bool = False) -> None:
        stored = self.his.stored()
        for one, known in self.states.items():
            if known == "L" and self.state(one) == "E":
                if only_if_taken and stored[one] == "L":
                    continue  # there was room, so nobody had to look for it
                self.states[one] = "E"
                self.came_back(one, lock=True)

    def came_back(self, one: str, lock: bool) -> None:
        if self.returned == "reused":
            self.free.add(self.of[one][1])
        elif self.returned == "kept" and not lock:
            self.lost += 1

    @precondition(lambda self: hasattr(self, "his"))
    @invariant()
    def agree(self) -> None:
        assert self.his.stored() == self.states
        living = [self.of[one][1] for one, state in self.states.items() if state in "LR"]
        assert len(living) == len(set(living)) and len(living) + self.lost <= LIMIT
        assert self.his.counters() == (len(living) + self.lost, self.highest + 1)
        assert self.his.visits() == sum(state == "R" for state in self.states.values())
        assert self.his.returns() == sum(state == "C" for state in self.states.values())
        for one in self.states:
            assert self.nodes[0].GetRegistration(one).State == self.state(one)


OneSession.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),  # making a failure smaller takes minutes of databases
    suppress_health_check=list(HealthCheck),
)
test_one_session = OneSession.TestCase
