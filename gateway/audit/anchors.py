"""Anchors: where a stream stood, said every minute outside of it, under a key.

Whoever can write the trail's files can change a line and compute every hash after it anew. He
cannot make the anchors fit: each holds a line's number and hash under an HMAC. They stand in
``{stream}.anchors`` beside the files and, each time, in the gateway's log, which belongs on
another machine; ``yilian audit verify --anchors`` takes that log as it is.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

EVENT = "audit anchor"


class Anchor(NamedTuple):
    stream: str
    n: int
    h: str
    mac: str

    def as_json(self) -> dict[str, object]:
        return self._asdict()


def anchor(key: bytes, stream: str, n: int, h: str) -> Anchor:
    text = f"{stream}\n{n}\n{h}".encode("utf-8", "surrogatepass")
    return Anchor(stream, n, h, hmac.digest(key, text, "sha256").hex())


def is_genuine(given: Anchor, key: bytes) -> bool:
    right = anchor(key, given.stream, given.n, given.h).mac
    return hmac.compare_digest(right.encode(), given.mac.encode("utf-8", "surrogatepass"))


def anchors_file(folder: Path, stream: str) -> Path:
    return folder / f"{stream}.anchors"


def append(folder: Path, given: Anchor) -> None:
    """OSError."""
    line = json.dumps({"event": EVENT, **given.as_json()}) + "\n"
    handle = os.open(
        anchors_file(folder, given.stream),
        os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC,
        0o600,
    )
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def read_anchors(path: Path) -> Iterator[Anchor]:
    """The anchors in a file of JSON lines, such as the gateway's log; other lines are skipped."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            # A log collector may have put something before the JSON.
            start = line.find("{")
            if EVENT not in line or start < 0:
                continue
            try:
                found = json.loads(line[start:])
                yield Anchor(
                    str(found["stream"]), int(found["n"]), str(found["h"]), str(found["mac"])
                )
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                continue  # torn by a crash, or not ours: an anchor less, never a wrong one


def load_key(path: Path, *, create: bool = False) -> bytes:
    """The trail's key: 32 bytes in hex in a file that only its owner reads. ``create``: make one
    where there is none. OSError; ValueError says what is wrong with it."""
    if create and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = os.urandom(32).hex() + "\n"
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, fresh.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(temporary, path)  # unlike a rename, leaves alone what a neighbour just made
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        raise ValueError(
            f"{path} 应为 64 个十六进制字符（32 字节） / "
            f"{path} should hold 64 hex digits (32 bytes)"
        ) from None
    if len(key) != 32:
        raise ValueError(
            f"{path} 应为 32 字节，现为 {len(key)} 字节 / "
            f"{path} should hold 32 bytes, not {len(key)}"
        )
    return key
