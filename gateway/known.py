"""What a connection's last head has shown: clients say the same again with every call.

A head that is the same, byte for byte but for Content-Length, on the same connection and under the
same configuration, has been read and its caller is known: neither is done a second time. What the
message itself shows is looked at in each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gateway.admission.caller import Standing
from gateway.admission.origin import Origin
from gateway.admission.steps import Admission
from gateway.head import Head

if TYPE_CHECKING:
    from gateway.call import Call


class Known(NamedTuple):
    """A head that has passed, and what it has shown of the caller. ``admission``: the identity of
    the configuration's, and not it, which must not live on in idle connections."""

    admission: object
    raw_path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    head: Head
    origin: Origin
    standing: Standing


class Memory:
    """A connection's; the next head that passes takes the place of the last."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last: Known | None = None

    def known(self, call: Call, admission: Admission) -> Known | None:
        """What is known of this call's head; None where it has to be read. Of POSTs only."""
        last = self.last
        if (
            last is not None
            and last.admission is admission.identity
            and last.headers == call.headers
            and last.raw_path == call.raw_path
            and last.query == call.query
        ):
            return last
        return None
