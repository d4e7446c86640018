"""The last known bindings on disk: a JSON file, replaced as a whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from gateway.binding import Binding
from gateway.durable import sync_folder

#: bytes; a hundred thousand bindings take some 10 MB
_LARGEST = 256 * 1024 * 1024


class TableFileError(Exception):
    """The file cannot be read or written, or what it holds is not a table."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    saved: AwareDatetime
    bindings: list[Binding]


def load(file: Path) -> tuple[list[Binding], datetime] | None:
    """The bindings and the time they were saved; None where there is no file yet."""
    try:
        found = file.stat()
        # A pipe or a device would hold up the start for ever.
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
            raise TableFileError(f"{file}: 不是路由表 / no routing table")
        document = _Document.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TableFileError(f"{file}: {error.strerror or error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise TableFileError(f"{file}: {where + ': ' if where else ''}{first['msg']}") from error
    return document.bindings, document.saved


def save(file: Path, bindings: Iterable[Binding]) -> None:
    """Replace the file. After a return it is on the disk, also if the power fails; a reader, or
    a start after a crash, sees the old table or the new one and nothing between."""
    document = _Document(
        saved=datetime.now(UTC),
        bindings=sorted(bindings, key=lambda b: (b.hospital, b.service, b.access_point)),
    )
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(document.model_dump_json(indent=2) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(file.parent)
    except OSError as error:
        raise TableFileError(f"{file}: {error.strerror or error}") from error
