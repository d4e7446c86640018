"""The audit trail that calls go through: a call is answered once its line is safe.

Lines of calls that end in the same turn of the event loop are written together. ``safe`` means
handed to the kernel (``sync = "write"``: outlives the process, also SIGKILL) or on the disk
(``sync = "fsync"``: outlives the machine); the latter waits in a thread of its own.

When nothing can be written, or the disk is nearly full, ``on_failure = "refuse"`` lets no call in
(fail closed); ``"answer"`` goes on, counts what is not on record and writes the number down once
it can. Either is said in the log at once and again every minute, and in /health.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gateway.audit import anchors
from gateway.audit.entry import Entry, moment, patient_mark
from gateway.audit.journal import Journal, StreamInUse
from gateway.audit.keeping import compress, expired, remove
from gateway.log import Log
from gateway.threads import in_daemon_thread
from gateway_config.audit import Audit
from services.faults import SourceUnavailable

#: seconds between two looks at the disk, and two attempts to begin again after a failure
_WATCH_SECONDS = 1.0
_COMPLAIN_SECONDS = 60.0
_HOUSE_SECONDS = 600.0


#: a line to be written, and what tells that it is safe (None) or why it is not
_Waiting = tuple[Entry | dict[str, Any], asyncio.Future[str | None]]


class CannotStart(Exception):
    """The trail cannot be opened: where and why, in Chinese and in English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en = zh, en


class Trail:
    """One stream; ``stream`` names the gateway and its worker. Begins with ``start()`` and ends
    with ``stop()``; the rest is called on the event loop."""

    def __init__(
        self,
        settings: Audit,
        stream: str,
        log: Log,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._log = log
        self._clock = clock
        self._sync = settings.sync == "fsync"
        self._journal = Journal(
            settings.folder,
            stream,
            clock=clock,
            rotate_bytes=settings.rotate_bytes,
            sync=self._sync,
        )
        self._key = b""
        self._mark = patient_mark("none", b"")
        self._waiting: list[_Waiting] = []
        self._scheduled = False
        self._writing: asyncio.Task[None] | None = None
        self._writer: ThreadPoolExecutor | None = None
        self._watch: asyncio.Task[None] | None = None
        self._trouble: str | None = "尚未开始 / not started"
        self._complained = float("-inf")
        self._lost = 0
        self._lost_reported = 0
        self._lost_at_first = 0.0
        self._anchored = -1
        self._anchored_at = float("-inf")
        self._house_at = float("-inf")

    async def start(self) -> None:
        """CannotStart: the folder cannot be written, the key cannot be read, or another process
        writes this stream."""
        folder = self._settings.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._key = anchors.load_key(self._settings.key_path, create=True)
            self._journal.open()
        except StreamInUse:
            raise CannotStart(
                f"审计目录 {folder} 中的 {self._journal.stream} 正由另一个网关进程写入",
                f"another gateway writes {self._journal.stream} in the audit folder {folder}",
            ) from None
        except ValueError as error:
            zh, _, en = str(error).partition(" / ")
            raise CannotStart(f"审计密钥：{zh}", f"the audit key: {en}") from None
        except OSError as error:
            reason = f"{type(error).__name__}: {error.strerror or error}"
            raise CannotStart(
                f"审计目录 {folder} 无法写入（{reason}），请检查权限与磁盘空间",
                f"the audit folder {folder} cannot be written ({reason}); "
                "check its owner and the disk's space",
            ) from error
        self._mark = patient_mark(self._settings.patient, self._key)
        if self._sync:
            self._writer = ThreadPoolExecutor(1, "audit")
        self._trouble = None
        self._look_at_space()
        self._watch = asyncio.get_running_loop().create_task(self._keep_watch())

    async def stop(self) -> None:
        """Everything that waits is written, the end is anchored."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        while self._waiting or self._writing is not None:
            if self._writing is not None:
                await self._writing
            else:
                self._flush()
        try:
            self._journal.close()
        except OSError as error:
            self._complain(error)
        self._anchor()
        if self._writer is not None:
            self._writer.shutdown()
            self._writer = None
        self._trouble = "已停止 / stopped"

    def ready(self) -> None:
        """SourceUnavailable where a call could not be put on record, before it is let in."""
        if self._trouble is not None and self._settings.on_failure == "refuse":
            raise _unavailable("本次调用未转发，请通知网关管理员", "the call was not forwarded")

    async def record(self, entry: Entry) -> None:
        """Return once the call's line is safe. SourceUnavailable where it cannot be, unless the
        setting says to go on."""
        if self._cannot_write:
            reason = self._trouble
        else:
            if entry.patient:
                entry.patient = self._mark(entry.patient)
            reason = await self._put(entry)
        if reason is None:
            return
        self._lose(1)
        if self._settings.on_failure == "refuse":
            raise _unavailable(
                "操作可能已执行，重试写操作时请使用同一 RequestId",
                "the call may have been carried out: repeat a write with the same RequestId",
            )

    def note(self, fields: dict[str, Any], times: int = 1) -> None:
        """Put something on record that is no call, and for whose line nobody waits. Where it cannot
        be written, it counts as ``times`` that are not on record."""
        if self._cannot_write:
            self._lose(times)
            return
        self._put(fields).add_done_callback(
            lambda done: None if done.cancelled() or done.result() is None else self._lose(times)
        )

    @property
    def _cannot_write(self) -> bool:
        """While a group is written, a file that is being changed for the next one counts as broken
        too: whoever comes then waits for what follows."""
        return self._journal.broken and self._writing is None

    def _put(self, line: Entry | dict[str, Any]) -> asyncio.Future[str | None]:
        """Among what is written next; tells that it is safe (None), or why it is not."""
        loop = asyncio.get_running_loop()
        settled: asyncio.Future[str | None] = loop.create_future()
        self._waiting.append((line, settled))
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._flush)
        return settled

    def status(self) -> dict[str, Any]:
        """For /health."""
        return {
            "writable": self._trouble is None,
            "trouble": self._trouble,
            "on_failure": self._settings.on_failure,
            "stream": self._journal.stream,
            "lines": self._journal.lines,
            "not_on_record": self._lost,
        }

    # --- writing -----------------------------------------------------------------------------

    def _flush(self) -> None:
        self._scheduled = False
        if not self._waiting or self._writing is not None:
            return  # what waits is taken along when the present group is on the disk
        group, self._waiting = self._waiting, []
        if self._writer is None:
            self._settle(group, self._write(group))
        else:
            self._writing = asyncio.get_running_loop().create_task(self._write_synced(group))

    async def _write_synced(self, group: list[_Waiting]) -> None:
        assert self._writer is not None
        loop = asyncio.get_running_loop()
        problem = await loop.run_in_executor(self._writer, self._write, group)
        self._settle(group, problem)
        self._writing = None
        if self._waiting:
            self._flush()

    def _write(self, group: list[_Waiting]) -> OSError | None:
        try:
            self._journal.write([entry for entry, _ in group])
        except OSError as error:
            return error
        return None

    def _settle(
        self,
        group: list[_Waiting],
        problem: OSError | None,
    ) -> None:
        if problem is not None:
            self._complain(problem)
        for _, settled in group:
            if not settled.done():  # else its caller has left; its line stands all the same
                settled.set_result(None if problem is None else self._trouble)

    # --- trouble -----------------------------------------------------------------------------

    def _lose(self, calls: int) -> None:
        if not self._lost_reported and not self._lost:
            self._lost_at_first = self._clock()
        self._lost += calls

    def _complain(self, error: OSError | str) -> None:
        text = error if isinstance(error, str) else f"{type(error).__name__}: {error.strerror}"
        now = time.monotonic()
        if self._trouble is None or now - self._complained >= _COMPLAIN_SECONDS:
            self._complained = now
            refuse = self._settings.on_failure == "refuse"
            self._log.error(
                "audit unavailable",
                problem=text,
                folder=str(self._settings.folder),
                zh="审计无法写入，" + ("所有调用被拒绝" if refuse else "调用照常但没有审计"),
                en="the audit trail cannot be written; "
                + ("every call is refused" if refuse else "calls go on without a record"),
                not_on_record=self._lost,
            )
        self._trouble = text

    async def _keep_watch(self) -> None:
        """Looks at the disk, begins again after a failure, anchors, and keeps house."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                if self._journal.broken:
                    self._recover()
                elif self._writing is None:
                    self._journal.look()
                    self._look_at_space()
                now = time.monotonic()
                if now - self._anchored_at >= self._settings.anchor_seconds:
                    self._anchored_at = now
                    self._anchor()
                if now - self._house_at >= _HOUSE_SECONDS:
                    self._house_at = now
                    await self._keep_house()
            except OSError as error:
                self._complain(error)
            except Exception:
                # A defect of ours must not end the watch, which is what begins again.
                self._log.error("audit watch failed", exc_info=True)

    def _recover(self) -> None:
        if self._writing is not None:
            return
        self._journal.recover()
        self._look_at_space()

    def _look_at_space(self) -> None:
        """OSError. A nearly full disk refuses calls before they are carried out, rather than
        when their line has to be written."""
        free = shutil.disk_usage(self._settings.folder).free
        least = self._settings.min_free_bytes
        if free < least:
            self._complain(
                f"磁盘只剩 {free} 字节，少于 {least} / {free} bytes free, {least} wanted"
            )
            return
        if self._trouble is not None:
            self._log.warning("audit writable again", not_on_record=self._lost)
        self._trouble = None
        if self._lost > self._lost_reported:
            missing = self._lost - self._lost_reported
            self._journal.write(
                [
                    {
                        "k": "gap",
                        "t": moment(self._clock()),
                        "since": moment(self._lost_at_first),
                        "calls": missing,
                    }
                ]
            )
            self._lost_reported = self._lost

    # --- anchors and housekeeping --------------------------------------------------------------

    def _anchor(self) -> None:
        if self._journal.n <= self._anchored or self._writing is not None:
            return
        made = anchors.anchor(self._key, self._journal.stream, self._journal.n, self._journal.h)
        self._log.info(anchors.EVENT, **made.as_json())
        self._anchored = made.n
        try:
            anchors.append(self._settings.folder, made)
        except OSError as error:
            self._complain(error)

    async def _keep_house(self) -> None:
        earlier = self._journal.earlier_files()
        before = self._clock() - self._settings.keep_days * 86400
        old, kept = await in_daemon_thread(lambda: expired(earlier, before))
        if old and not self._journal.broken and self._writing is None:
            # Said before it is done: the oldest line that is left follows one that is gone, and
            # this is how a reader knows that it went by rule.
            now = moment(self._clock())
            self._journal.write(
                [{"k": "removed", "t": now, "file": r.file, "last": r.n, "hash": r.h} for r in old]
            )
        else:
            old = []

        def tidy() -> None:
            for file in old:
                remove(file)
            for other in kept:
                if not other.compressed:
                    compress(other)

        await in_daemon_thread(tidy)


def _unavailable(zh: str, en: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"网关的审计记录目前无法写入，{zh}",
        f"the gateway's audit trail cannot be written at present; {en}",
        source="audit",
    )
