"""A request's body as it arrives, without a connection."""

from __future__ import annotations

import asyncio

import pytest

from gateway.call import BodyTooLarge
from gateway.request import HttpRequest
from gateway.room import Room
from gateway_config.limits import Limits


def request(limit: int) -> HttpRequest:
    loop = asyncio.get_running_loop()
    room = Room()
    room.go_by(Limits(), frozenset())
    return HttpRequest(
        loop, "POST", b"/", [], None, keep_alive=True, limit=limit, seconds=30, room=room, peer="p"
    )


@pytest.mark.parametrize("parts", [[11], [10, 1], [5, 6], [4, 4, 4], [11, 5]])
def test_who_waits_for_a_body_hears_of_the_part_that_goes_beyond(parts: list[int]) -> None:
    async def wait() -> None:
        one = request(limit=10)
        reading = asyncio.create_task(one.read_body(10))
        await asyncio.sleep(0)  # it waits now
        for size in parts:
            one.add(b"x" * size)
        with pytest.raises(BodyTooLarge):
            await asyncio.wait_for(reading, 20)

    asyncio.run(wait())
