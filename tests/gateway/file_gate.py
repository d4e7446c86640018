"""A gate that passes only files, as products do that poll two folders."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class Gate:
    """Carries files from each side's out folder to the other's in folder, as products do that
    poll. ``twice``: leaves them where they were, so that they are carried again and again.
    ``pieces``: writes them under their own name, in two pieces. ``closed``: carries nothing."""

    def __init__(self, folder: Path) -> None:
        self.outside = folder / "outside"
        self.inside = folder / "inside"
        for side in (self.outside, self.inside):
            for name in ("out", "in", "kept"):
                (side / name).mkdir(parents=True)
        self.twice = self.pieces = self.closed = False
        self.lose: Callable[[str], bool] = lambda name: False
        self.carried: list[str] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.wait(0.02):
            for here, there in ((self.outside, self.inside), (self.inside, self.outside)):
                for path in sorted((here / "out").glob("[!.]*"), reverse=True):
                    if not self.closed:
                        with suppress(FileNotFoundError):  # its owner took it back
                            self._carry(path, there / "in" / path.name)

    def _carry(self, path: Path, target: Path) -> None:
        if self.lose(path.name):
            path.unlink()
            return
        if self.twice and self.carried.count(path.name) >= 3:
            return
        if self.pieces:
            data = path.read_bytes()
            with target.open("wb") as file:
                file.write(data[: len(data) // 2])
                file.flush()
                time.sleep(0.15)
                file.write(data[len(data) // 2 :])
        else:
            part = target.with_name(f".{target.name}")
            shutil.copyfile(path, part)
            part.rename(target)
        self.carried.append(path.name)
        if not self.twice:
            path.unlink()
