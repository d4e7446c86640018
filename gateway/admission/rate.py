"""Admission, the rate: token buckets per caller and per hospital, one for all workers together.

A bucket is one number: the moment at which it would be full again (GCRA). So that a caller whose
connections all lie with one worker gets his whole rate and no more, the numbers are in memory that
the workers share (gateway/admission/shared.py).
"""

from __future__ import annotations

import hashlib
import math
import struct
import time
from collections.abc import Callable, Mapping

from gateway.admission.shared import SharedMemory
from gateway.head import Refused
from gateway_config.section import Rate
from services.faults import Overloaded

#: a bucket's key, and the moment of which the module's first lines tell
_SLOT, _KEY, _FULL = struct.Struct("<16sd"), 16, struct.Struct("<d")
_SLOTS = 4096
SIZE = _SLOTS * _SLOT.size
_EMPTY = b"\0" * 16


class Bucket:
    """``burst`` calls at once and ``per_second`` in the long run. Times are those of a clock that
    all processes of a machine share."""

    def __init__(self, memory: SharedMemory, name: str, rate: Rate) -> None:
        self.name = name
        self._memory = memory
        self._interval = 1.0 / rate.per_second
        self._ahead = (rate.burst - 1) * self._interval
        self._at = _slot(memory, hashlib.sha256(name.encode()).digest()[:16])

    def take(self, now: float) -> float:
        """0.0, and one call is taken; or in how many seconds there will be one to take."""
        if self._memory.alone:
            return self._take(now)
        with self._memory.locked(self._at, _SLOT.size):
            return self._take(now)

    def _take(self, now: float) -> float:
        full: float
        (full,) = _FULL.unpack_from(self._memory.bytes, self._at + _KEY)
        if full > now + self._ahead + self._interval * 2:
            full = now  # of before the machine was started, or of a slower rate
        wait = full - self._ahead - now
        if wait > 1e-9:
            return wait
        later = (full if full > now else now) + self._interval
        _FULL.pack_into(self._memory.bytes, self._at + _KEY, later)
        return 0.0

    def give_back(self) -> None:
        """The call that was taken was not made."""
        with self._memory.locked(self._at, _SLOT.size):
            (full,) = _FULL.unpack_from(self._memory.bytes, self._at + _KEY)
            _FULL.pack_into(self._memory.bytes, self._at + _KEY, full - self._interval)


def _slot(memory: SharedMemory, key: bytes) -> int:
    """The offset of a bucket's slot, which is its own from now on."""
    index = int.from_bytes(key[:4], "little")
    with memory.locked(0, SIZE):
        for step in range(_SLOTS):
            at = (index + step) % _SLOTS * _SLOT.size
            found = memory.bytes[at : at + _KEY]
            if found == key:
                return at
            if found == _EMPTY:
                _SLOT.pack_into(memory.bytes, at, key, 0.0)
                return at
    memory.bytes[:SIZE] = bytes(SIZE)  # full of what no configuration names any more
    return _slot(memory, key)


class Rates:
    """The buckets of a configuration; ``callers`` and ``hospitals`` by name, None: unlimited."""

    def __init__(
        self,
        callers: Mapping[str, Rate | None],
        hospitals: Mapping[str, Rate | None],
        memory: SharedMemory,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._callers = _buckets(memory, "callers", callers)
        self._hospitals = _buckets(memory, "hospitals", hospitals)

    def take(self, caller: str, hospital: str) -> None:
        """One call, or Refused with the seconds to wait in Retry-After."""
        of_caller, of_hospital = self._callers.get(caller), self._hospitals.get(hospital)
        if of_caller is None and of_hospital is None:
            return
        now = self._clock()
        if of_caller is not None:
            wait = of_caller.take(now)
            if wait:
                raise _too_many(of_caller, wait, f"调用方 {caller} ", f"the caller {caller}")
        if of_hospital is not None:
            wait = of_hospital.take(now)
            if wait:
                if of_caller is not None:
                    of_caller.give_back()
                raise _too_many(of_hospital, wait, f"医院 {hospital} ", f"the hospital {hospital}")


def _buckets(
    memory: SharedMemory, section: str, rates: Mapping[str, Rate | None]
) -> dict[str, Bucket]:
    return {
        name: Bucket(memory, f"{section}.{name}.rate", rate)
        for name, rate in rates.items()
        if rate is not None
    }


def _too_many(bucket: Bucket, wait: float, zh: str, en: str) -> Refused:
    seconds = max(1, math.ceil(wait))
    return busy(
        Overloaded(
            f"{zh}的调用超过约定速率，请 {seconds} 秒后重试",
            f"{en} calls more often than agreed; try again in {seconds} s",
            rule=bucket.name,
        ),
        seconds,
    )


def busy(fault: Overloaded, seconds: int) -> Refused:
    """A refusal of this step: come back in so many seconds."""
    return Refused(0, fault, step="rate", headers=(("Retry-After", str(seconds)),))
