"""What a Conflict says in English when a state allows nothing, or only something else."""

from __future__ import annotations

import pytest

from services.faults import Conflict
from services.order_states import DELIVERED, RECEIVED, REJECTED, SENT, specimen_after
from services.registration_states import LOCKED, VISITED, after


def test_a_state_that_allows_nothing_says_so() -> None:
    with pytest.raises(Conflict) as refused:
        after(VISITED, "CancelRegistration")
    assert "CancelRegistration is not possible, nothing is" in str(refused.value)
    assert "only" not in str(refused.value)


def test_a_state_that_allows_something_names_it() -> None:
    with pytest.raises(Conflict) as refused:
        after(LOCKED, "CheckIn")
    assert "only ConfirmRegistration, ReleaseLock" in str(refused.value)


@pytest.mark.parametrize(
    ("last", "event", "said"),
    [
        ("", REJECTED, "it cannot be rejected; "),
        (RECEIVED, SENT, "it cannot be sent; "),
        (REJECTED, DELIVERED, "the specimen is rejected, with a reason: it cannot be delivered; "),
    ],
)
def test_a_specimen_event_that_cannot_follow(last: str, event: str, said: str) -> None:
    with pytest.raises(Conflict) as refused:
        specimen_after(last, event)
    assert said in str(refused.value)
