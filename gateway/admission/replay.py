"""What has been used once and must not be used again, until it would be too old anyway."""

from __future__ import annotations

import hashlib
import struct

from gateway.admission.shared import SharedMemory

_SLOT = struct.Struct("<16sd")
#: slots that one digest may stand in, and how many such rows there are
_ROW_SLOTS, _ROWS = 32, 8192
_ROW_BYTES = _ROW_SLOTS * _SLOT.size
SIZE = _ROWS * _ROW_BYTES


class NoRoom(Exception):
    """So much was used lately that nothing more can be remembered."""


class UsedOnce:
    """A bounded memory, 6 MB, of about 200,000 things; ``memory`` has SIZE bytes."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory

    def first_time(self, thing: bytes, now: float, until: float) -> bool:
        """Whether ``thing`` was not given before; it is remembered until ``until``. Times are
        seconds since 1970. NoRoom: it could not be remembered, so it must not be let in."""
        digest = hashlib.sha256(thing).digest()
        begin = int.from_bytes(digest[16:20], "little") % _ROWS * _ROW_BYTES
        digest = digest[:16]
        with self._memory.locked(begin, _ROW_BYTES):
            row = self._memory.bytes[begin : begin + _ROW_BYTES]
            free = -1
            for index, (known, expires) in enumerate(_SLOT.iter_unpack(row)):
                if expires < now:
                    free = index
                elif known == digest:
                    return False
            if free < 0:
                raise NoRoom
            _SLOT.pack_into(self._memory.bytes, begin + free * _SLOT.size, digest, until)
        return True
