"""Large bodies: so many trees at a time, and a queue that ends."""

from __future__ import annotations

import asyncio

import pytest

from gateway.admission.steps import _THREADS, _WAITING, Admission, Remembered
from gateway.head import Refused
from tests.gateway.configured import open_configuration


def test_only_so_many_large_bodies_have_a_tree_at_a_time() -> None:
    async def try_it() -> None:
        config = open_configuration()
        admission = Admission(config, Remembered(config))
        calls = [asyncio.create_task(admission.large_begins()) for _ in range(_THREADS + _WAITING)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert [call.done() for call in calls] == [True] * _THREADS + [False] * _WAITING
        with pytest.raises(Refused) as refused:
            await admission.large_begins()
        assert (refused.value.step, refused.value.rule) == ("rate", "limits.parse_off_loop_bytes")
        assert refused.value.headers == (("Retry-After", "1"),)
        calls[_THREADS].cancel()  # its caller does not wait: the next one's turn comes sooner
        for done in range(_WAITING):
            admission.large_ends()
            await asyncio.wait_for(calls[min(_THREADS + 1 + done, len(calls) - 1)], 30)
        admission.large_ends()
        await admission.large_begins()  # nothing is left of all that
        admission.close()

    asyncio.run(try_it())
