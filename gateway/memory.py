"""A process's memory: large pieces go back to the system, cycles are looked for seldom."""

from __future__ import annotations

import ctypes
import gc

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


#: objects made and not yet freed before the youngest are looked through; and how often the next
#: generation is with them
_YOUNG, _OLDER = 10_000, 20


def look_for_cycles_seldom() -> None:
    """A call leaves no cycles, but with a few dozen under way Python's collector would look through
    their objects, and every so often through all of the configuration, again and again. What is
    there now stays for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDER)
