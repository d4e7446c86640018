"""The node's end of the ferry: files with calls come in, files with answers go out.

Each call is answered once. Its answer is kept beside the folders until the gateway's receipt
comes, so a request that the gate carries twice, or that was being answered when the process ended,
gets the same file again instead of being run again: a write besides has its RequestId. What is
older than its own deadline is not run any more. gateway/ferry.py is the other end.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from services.soap.exchange import Endpoint, Request
from services.soap.version import SOAP_1_1, SOAP_1_2
from yilian.config import Ferry
from yilian.refused import Refused

#: seconds between two looks into the folder
_LOOK_SECONDS = 0.1
#: seconds for which an answer without a receipt is kept, and the id of one that was receipted
_KEEP_SECONDS = 24 * 3600.0
#: clocks on the two sides of a gate differ: what is from further ahead than this is not believed
_SKEW_SECONDS = 300.0
_DONE = ".done"
_FORGET_EVERY = 60.0

_log = logging.getLogger("yilian.ferrying")


class Ferrying:
    """``endpoints`` by path, ``/soap12`` ones too, as the host serves them; ``address``: what
    WSDLs say, which the gateway rewrites."""

    def __init__(self, settings: Ferry, endpoints: Mapping[str, Endpoint], address: str) -> None:
        self._settings = settings
        self._endpoints = endpoints
        self._address = address.rstrip("/")
        self._under_way: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(settings.at_once)
        self._trouble: str | None = None
        self._answered = 0
        self._in_the_way: OSError | None = None
        self._forget_next = 0.0
        try:
            self._key = load_key(settings.key_file)
            self._kept.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise Refused(f"[ferry]：{error}", f"[ferry]: {error}") from None
        for folder in (settings.in_folder, settings.out_folder):
            if not folder.is_dir():
                raise Refused(
                    f"[ferry] 的文件夹 {folder} 不存在。", f"[ferry]: there is no folder {folder}."
                )

    @property
    def _kept(self) -> Path:
        return self._settings.kept_folder

    def state(self) -> dict[str, Any]:
        """For /health."""
        return {
            "under_way": len(self._under_way),
            "answered": self._answered,
            "trouble": self._trouble,
        }

    async def keep(self) -> None:
        """Look into the folder until cancelled."""
        while True:
            try:
                for path, cargo in await asyncio.to_thread(self._arrived):
                    if cargo.id not in self._under_way:
                        self._under_way.add(cargo.id)
                        task = asyncio.get_running_loop().create_task(self._serve(path, cargo))
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
                self._trouble = None
            except OSError as error:
                text = f"{type(error).__name__}: {error.strerror} {error.filename or ''}".strip()
                if self._trouble != text:
                    _log.error("摆渡文件夹 %s / ferry folder", text)
                self._trouble = text
            except Exception:  # a defect of ours must not end it
                _log.exception("摆渡出错 / the ferry failed")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _serve(self, path: Path, cargo: Cargo) -> None:
        try:
            kept = self._kept / _name(cargo, ANSWER, self._settings.extension)
            if not kept.exists():
                async with self._turns:
                    packed = await self._answer(cargo)
                # Kept before it is sent and before the request goes: whenever the process ends,
                # the call has been answered or is still to be run.
                await asyncio.to_thread(write_whole, kept, packed)
            data = await asyncio.to_thread(kept.read_bytes)
            out = self._settings.out_folder / kept.name
            await asyncio.to_thread(write_whole, out, data)
            path.unlink(missing_ok=True)
            self._answered += 1
        except OSError as error:
            self._trouble = f"{type(error).__name__}: {error.strerror}"
            _log.error("摆渡应答写不下 %s / ferry answer cannot be written", self._trouble)
        finally:
            self._under_way.discard(cargo.id)

    async def _answer(self, cargo: Cargo) -> bytes:
        head = cargo.head
        headers = {str(k).lower(): str(v) for k, v in dict(head.get("headers", {})).items()}
        path = str(head.get("path", ""))
        endpoint = self._endpoints.get(path)
        if endpoint is None:
            status, content_type, body = 404, "text/plain; charset=utf-8", b"no such service"
        elif head.get("method") == "GET":
            version = SOAP_1_2 if path.endswith(SOAP_1_2.path_suffix) else SOAP_1_1
            status, content_type = 200, "text/xml; charset=utf-8"
            body = endpoint.wsdl(self._address + path, version)
        else:
            request = Request(cargo.body, headers.get("content-type"), headers.get("soapaction"))
            reply = await endpoint.call(request)
            status, content_type, body = reply.status, reply.content_type, reply.body
        answer = {"status": status, "headers": {"content-type": content_type}}
        return pack(ANSWER, Cargo(cargo.id, time.time(), answer, body), self._key)

    def _arrived(self) -> list[tuple[Path, Cargo]]:
        """In a thread: the calls that have come; receipts and what is of no use are cleared."""
        extension = self._settings.extension
        self._in_the_way = None
        for path in self._settings.in_folder.glob(f"*{RECEIPT}{extension}"):
            cargo = self._read(RECEIPT, path)
            if cargo is not None:
                self._done(cargo)
                path.unlink(missing_ok=True)
        found = []
        now = time.time()
        for path in self._settings.in_folder.glob(f"*{REQUEST}{extension}"):
            cargo = self._read(REQUEST, path)
            if cargo is None:
                continue
            if (self._kept / f"{cargo.id}{_DONE}").exists():
                path.unlink(missing_ok=True)  # the gate has carried it a second time
                continue
            kept = self._kept / _name(cargo, ANSWER, extension)
            over = now > float(cargo.head.get("until", 0)) + _SKEW_SECONDS
            if not kept.exists() and (over or cargo.created > now + _SKEW_SECONDS):
                _log.warning("过期的摆渡文件 %s / out of time, not run", path.name)
                path.unlink(missing_ok=True)
            else:
                found.append((path, cargo))
        self._forget(now)
        if self._in_the_way is not None and not found:
            raise self._in_the_way
        return found

    def _done(self, cargo: Cargo) -> None:
        """The gateway has the answer: of the call only its id is kept, so that it is not run
        again."""
        answer = _name(cargo, ANSWER, self._settings.extension)
        (self._kept / f"{cargo.id}{_DONE}").touch()
        (self._kept / answer).unlink(missing_ok=True)
        (self._settings.out_folder / answer).unlink(missing_ok=True)

    def _read(self, kind: str, path: Path) -> Cargo | None:
        try:
            cargo = read_cargo(kind, path, self._key, self._settings.max_bytes)
            if not path.name.startswith(cargo.id + kind):
                raise NotCargo("its name is another file's")
        except FileNotFoundError:
            return None
        except NotCargo as error:
            try:
                if set_aside(path):
                    _log.error("摆渡文件 %s 不可用：%s / unusable", path.name, error)
            except OSError as problem:  # the others are taken all the same
                self._in_the_way = problem
            return None
        return cargo

    def _forget(self, now: float) -> None:
        if now < self._forget_next:
            return
        self._forget_next = now + _FORGET_EVERY
        for path in self._kept.iterdir():
            if now - path.stat().st_mtime > _KEEP_SECONDS:
                path.unlink(missing_ok=True)


def _name(cargo: Cargo, kind: str, extension: str) -> str:
    return f"{cargo.id}{kind}{extension}"
