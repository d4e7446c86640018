"""What crosses a gate that passes only files: the cargo, sealed, in one file that is whole.

    yilian-ferry 1 request\\n
    {"id": ..., "created": ..., "sha256": <of the body>, ...}\\n
    <HMAC-SHA256 of the two lines before, hex>\\n
    <body>

The id names the file too. Whoever has not the key can neither make a file nor change one; a file
that comes again is known by its id, and one that is old by its time.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import stat
import time
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

#: what stands between id and extension in a file's name
REQUEST, ANSWER, RECEIPT = ".request", ".answer", ".receipt"
_VERSION = "yilian-ferry 1"
_SPOILT = ".spoilt"
_SETTLES_SECONDS = 5.0
_ID = re.compile(r"[0-9a-f]{32}")  # it becomes a file's name
_OWN = ("id", "created", "sha256")
#: bytes of a file's name
_LONGEST_NAME = 255
#: no link is followed, and nothing waited for; Windows has neither word, and wants the last
_READ = os.O_RDONLY
for _word in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _READ |= getattr(os, _word, 0)


class NotCargo(ValueError):
    """Not a whole, genuine file of the ferry."""


class Cargo(NamedTuple):
    """``created``: seconds since 1970 on the sender's clock; ``head``: what is said of the body,
    as JSON can."""

    id: str
    created: float
    head: dict[str, Any]
    body: bytes


def pack(kind: str, cargo: Cargo, key: bytes) -> bytes:
    """The file's content."""
    head = {
        **cargo.head,
        "id": cargo.id,
        "created": round(cargo.created, 3),
        "sha256": sha256(cargo.body).hexdigest(),
    }
    first = f"{_VERSION} {kind[1:]}\n{json.dumps(head, ensure_ascii=True)}\n".encode()
    return first + hmac.digest(key, first, "sha256").hex().encode() + b"\n" + cargo.body


def unpack(kind: str, data: bytes, key: bytes) -> Cargo:
    """NotCargo says why not."""
    version, _, rest = data.partition(b"\n")
    line, _, rest = rest.partition(b"\n")
    seal, end, body = rest.partition(b"\n")
    if not end or version != f"{_VERSION} {kind[1:]}".encode():
        raise NotCargo("不是完整的摆渡文件 / not a whole ferry file of this kind")
    first = version + b"\n" + line + b"\n"
    if not hmac.compare_digest(seal, hmac.digest(key, first, "sha256").hex().encode()):
        raise NotCargo("签名不符 / not sealed with this key")
    head = _head(line)
    if sha256(body).hexdigest() != head["sha256"]:
        raise NotCargo("内容不完整 / the body is not whole")
    rest_of_head = {name: value for name, value in head.items() if name not in _OWN}
    return Cargo(head["id"], float(head["created"]), rest_of_head, body)


def _head(line: bytes) -> dict[str, Any]:
    """Also whoever has the key may write what is none."""
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or not isinstance(head.get("created"), int | float):
        raise NotCargo("文件头不完整 / its head is not whole")
    if not _ID.fullmatch(str(head.get("id"))) or "sha256" not in head:
        raise NotCargo("id 不是 32 位十六进制 / its id is not 32 hex digits")
    return head


def read_cargo(kind: str, path: Path, key: bytes, max_bytes: int) -> Cargo:
    """What is in a file that has arrived. FileNotFoundError; OSError; NotCargo says why it is of
    no use, now at least.

    Whoever else may write in the folder can put there what is no file: a link to somebody's file,
    or what never ends, or never begins, when it is read. None of it holds up the others."""
    try:
        file = os.open(path, _READ)
    except FileNotFoundError:
        raise
    except OSError as error:  # a link, another's file, one that is being written (Windows)
        raise NotCargo(f"{type(error).__name__}: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NotCargo("不是普通文件 / it is no regular file")
    with os.fdopen(file, "rb") as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise NotCargo("larger than max_bytes")
    return unpack(kind, data, key)


def set_aside(path: Path) -> bool:
    """Rename a file that is of no use; whether that was done. Gates there are that write a file
    under its own name at once: it is given time to become whole. OSError: it is in the way and
    stays there."""
    try:
        if time.time() - path.lstat().st_mtime < _SETTLES_SECONDS:
            return False
        name = path.name + _SPOILT
        if len(os.fsencode(name)) > _LONGEST_NAME:
            name = sha256(os.fsencode(path.name)).hexdigest() + _SPOILT
        path.rename(path.with_name(name))
    except FileNotFoundError:
        return False
    return True


def write_whole(path: Path, data: bytes) -> None:
    """The file is there whole or not at all: written under another name, on the disk, renamed.
    OSError, with nothing left behind."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def load_key(path: Path) -> bytes:
    """The key that both ends share: at least 32 bytes in hex. OSError; ValueError says what is
    wrong."""
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        key = b""
    if len(key) < 32:
        raise ValueError(
            f"{path} 应为至少 64 个十六进制字符，可用 openssl rand -hex 32 生成 / "
            f"{path} should hold at least 64 hex digits; make it by: openssl rand -hex 32"
        )
    return key
