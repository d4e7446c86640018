"""How the C library keeps memory: large pieces go back to the system as soon as they are free."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
#: what is larger has a mapping of its own, bytes
_LARGE = 1024 * 1024
#: heaps; by default threads get up to eight a core, each of which keeps what was once in it
_HEAPS = 2


def give_back_memory() -> None:
    """Checking a password takes 16 MB for a moment, and a large message's tree some. Without this
    glibc learns from the first of them to keep such pieces. Does nothing elsewhere."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # not glibc
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE)
    mallopt(_M_ARENA_MAX, _HEAPS)
