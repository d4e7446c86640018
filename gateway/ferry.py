"""The ferry: a hospital whose gate passes only files, and those now and then.

A call is a file in ``out_folder``, its answer one in ``in_folder``; the gate carries them across in
seconds, in any order, perhaps twice. services/ferry.py says what is in them. An answer that has
been taken is acknowledged by a third, empty one, upon which the node forgets it. An answer that
comes when nobody waits any more is acknowledged too, and dropped: the caller has been told that
its call may have been carried out, and asks again with the same RequestId.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.binding import Binding
from gateway.forward import BadAnswer, Busy, NodeAnswer, NodeRequest, NotReached, TimedOut
from gateway.log import Log
from gateway_config.hospitals import Ferry, Hospital
from gateway_config.model import Forward
from services.ferry import (
    ANSWER,
    RECEIPT,
    REQUEST,
    Cargo,
    NotCargo,
    load_key,
    pack,
    read_cargo,
    set_aside,
    write_whole,
)

#: seconds between two looks into a folder
_LOOK_SECONDS = 0.1
#: after how many deadlines what nobody came for is swept away
_SWEEP_AFTER = 10
_SWEEP_EVERY = 30.0
#: a header's value, as HTTP has it
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,1024}")
#: how often a request goes out until its deadline
_TIMES = 4


@dataclass(slots=True)
class _Shore:
    """One hospital's two folders. ``waiting``: calls on their way, by cargo id."""

    code: str
    settings: Ferry
    key: bytes
    waiting: dict[str, asyncio.Future[Cargo]] = field(default_factory=dict)
    sent: int = 0
    answered: int = 0
    late: int = 0
    spoilt: int = 0
    trouble: str | None = None


class CannotFerry(Exception):
    """A folder or the key cannot be used: which, and why, in Chinese and in English."""


class Ferries:
    """A Forwarder for the hospitals of mode ``ferry``."""

    def __init__(self, hospitals: Mapping[str, Hospital], settings: Forward, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._shores: dict[str, _Shore] = {}
        self._watch: asyncio.Task[None] | None = None
        for code, hospital in hospitals.items():
            if hospital.mode == "ferry" and hospital.ferry is not None:
                self._shores[code] = _Shore(code, hospital.ferry, _key(code, hospital.ferry))

    async def start(self) -> None:
        """CannotFerry."""
        for shore in self._shores.values():
            for folder in (shore.settings.out_folder, shore.settings.in_folder):
                if not os.access(folder, os.R_OK | os.W_OK | os.X_OK) or not folder.is_dir():
                    raise CannotFerry(
                        f"hospitals.{shore.code}.ferry：文件夹 {folder} 不存在或不可读写 / "
                        f"hospitals.{shore.code}.ferry: the folder {folder} is not there, or "
                        "cannot be read and written"
                    )
        self._watch = asyncio.get_running_loop().create_task(self._keep_looking())

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    def status(self) -> dict[str, Any]:
        """For /health, by hospital."""
        return {
            code: {
                "on_the_way": len(shore.waiting),
                "sent": shore.sent,
                "answered": shore.answered,
                "late": shore.late,
                "spoilt": shore.spoilt,
                "trouble": shore.trouble,
            }
            for code, shore in self._shores.items()
        }

    async def send(self, binding: Binding, request: NodeRequest) -> NodeAnswer:
        shore = self._shores[binding.hospital]
        ferry = shore.settings
        loop = asyncio.get_running_loop()
        seconds = min(ferry.deadline_seconds, request.deadline - loop.time())
        if len(shore.waiting) >= ferry.most_waiting:
            raise Busy(f"{shore.code}: {len(shore.waiting)} calls are on the ferry")
        now = time.time()
        cargo = Cargo(
            uuid.uuid4().hex,
            now,
            {
                "method": request.method,
                "path": binding.path + request.suffix,
                "query": request.query,
                "headers": dict(request.headers),
                "until": now + seconds,
            },
            request.body,
        )
        packed = pack(REQUEST, cargo, shore.key)
        if len(packed) > ferry.max_bytes:
            raise NotReached(
                f"{shore.code}: {len(packed)} bytes, the ferry takes {ferry.max_bytes}"
            )
        waiter = shore.waiting[cargo.id] = loop.create_future()
        path = ferry.out_folder / f"{cargo.id}{REQUEST}{ferry.extension}"
        try:
            await self._put(shore, path, packed)
            shore.sent += 1
            answer = await self._wait(shore, waiter, path, packed, seconds)
        finally:
            shore.waiting.pop(cargo.id, None)
            # On this side still where nobody waits any more, or the gate copies and does not move.
            with contextlib.suppress(OSError):
                path.unlink()
        return _answer(shore.code, answer)

    async def _wait(
        self,
        shore: _Shore,
        waiter: asyncio.Future[Cargo],
        path: Path,
        packed: bytes,
        seconds: float,
    ) -> Cargo:
        """The answer. The same file is sent again a few times: gates lose some, and the node runs
        it once however often it comes."""
        for attempt in range(_TIMES):
            if attempt:
                with contextlib.suppress(NotReached):  # it went out once; the answer may come
                    await self._put(shore, path, packed)
            done, _ = await asyncio.wait([waiter], timeout=seconds / _TIMES)
            if done:
                return waiter.result()
        raise TimedOut(f"{shore.code}: no answer by ferry in {seconds:.3g} s", seconds=seconds)

    async def _put(self, shore: _Shore, path: Path, packed: bytes) -> None:
        try:
            await asyncio.to_thread(write_whole, path, packed)
        except OSError as error:
            shore.trouble = f"{type(error).__name__}: {error.strerror}"
            raise NotReached(f"{shore.code}: {error}") from error

    # --- what comes back -----------------------------------------------------------------------

    async def _keep_looking(self) -> None:
        swept = 0.0
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            sweep = time.monotonic() - swept > _SWEEP_EVERY
            for shore in self._shores.values():
                try:
                    if sweep:
                        swept = time.monotonic()
                        await asyncio.to_thread(self._sweep, shore)
                    for path, cargo in await asyncio.to_thread(self._arrived, shore):
                        self._take(shore, path, cargo)
                    shore.trouble = None
                except OSError as error:
                    text = f"{type(error).__name__}: {error.strerror}"
                    if shore.trouble != text:
                        self._log.error("ferry folder", hospital=shore.code, problem=text)
                    shore.trouble = text
                except Exception as error:
                    # A defect of ours, at one hospital's files, must not end all hospitals' ferry.
                    self._log.error("ferry failed", hospital=shore.code, exc_info=error)

    def _arrived(self, shore: _Shore) -> list[tuple[Path, Cargo]]:
        """In a thread: the answers that have come, each acknowledged."""
        ferry = shore.settings
        found: list[tuple[Path, Cargo]] = []
        in_the_way: OSError | None = None
        for path in ferry.in_folder.glob(f"*{ANSWER}{ferry.extension}"):
            try:
                cargo = read_cargo(ANSWER, path, shore.key, ferry.max_bytes)
            except FileNotFoundError:
                continue
            except NotCargo as error:
                try:
                    moved = set_aside(path)
                except OSError as problem:  # the others are taken all the same
                    in_the_way, moved = problem, False
                if moved:
                    shore.spoilt += 1
                    self._log.error(
                        "ferry file spoilt", hospital=shore.code, file=path.name, why=str(error)
                    )
                continue
            receipt = pack(RECEIPT, Cargo(cargo.id, time.time(), {}, b""), shore.key)
            write_whole(ferry.out_folder / f"{cargo.id}{RECEIPT}{ferry.extension}", receipt)
            path.unlink(missing_ok=True)
            found.append((path, cargo))
        if in_the_way is not None and not found:
            raise in_the_way
        return found

    def _take(self, shore: _Shore, path: Path, cargo: Cargo) -> None:
        waiter = shore.waiting.get(cargo.id)
        if waiter is None or waiter.done():
            shore.late += 1
            self._log.warning("ferry answer late", hospital=shore.code, file=path.name)
        else:
            shore.answered += 1
            waiter.set_result(cargo)

    def _sweep(self, shore: _Shore) -> None:
        """In a thread: what nobody will fetch any more. Receipts that a gate has copied and not
        moved, above all."""
        before = time.time() - _SWEEP_AFTER * shore.settings.deadline_seconds
        for path in shore.settings.out_folder.glob(f"*{shore.settings.extension}"):
            ours = path.name.endswith((REQUEST + path.suffix, RECEIPT + path.suffix))
            with contextlib.suppress(FileNotFoundError):
                if ours and path.stat().st_mtime < before:
                    path.unlink()


def _answer(code: str, cargo: Cargo) -> NodeAnswer:
    """BadAnswer where it could not have come by HTTP: what a line break in a header would do there
    is known."""
    status, headers = cargo.head.get("status"), cargo.head.get("headers", {})
    if not isinstance(status, int) or not 200 <= status <= 599 or not isinstance(headers, dict):
        raise BadAnswer(f"{code}: a ferry answer without a status or headers")
    if not all(isinstance(v, str) and _VALUE.fullmatch(v) for v in headers.values()):
        raise BadAnswer(f"{code}: a ferry answer with a header that is none")
    return NodeAnswer(status, {name.lower(): value for name, value in headers.items()}, cargo.body)


def _key(code: str, ferry: Ferry) -> bytes:
    try:
        return load_key(ferry.key_file)
    except (OSError, ValueError) as error:
        raise CannotFerry(f"hospitals.{code}.ferry.key_file: {error}") from error
