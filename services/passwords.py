"""Password hashes for publishers and callers: scrypt, as one line that stands in a configuration.

scrypt$<n>$<r>$<p>$<salt>$<hash>       salt and hash in base64
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

_N, _R, _P = 2**14, 8, 1
_SALT_BYTES, _HASH_BYTES = 16, 32
# A hash line is configuration, but a mistyped n must not eat the machine's memory.
_MAX_MEMORY = 128 * 1024 * 1024


def hash_password(password: str) -> str:
    """A new hash line for the password, with a fresh salt. ValueError for an empty password."""
    if not password:
        raise ValueError("密码不能为空 / the password must not be empty")
    if "\0" in password:
        raise ValueError("密码不能含 NUL 字符 / the password must hold no NUL character")
    salt = os.urandom(_SALT_BYTES)
    digest = _scrypt(password, salt, _N, _R, _P, _HASH_BYTES)
    return "$".join(["scrypt", str(_N), str(_R), str(_P), _encode(salt), _encode(digest)])


def verify(password: str, line: str) -> bool:
    """Whether the password belongs to the hash line. ValueError where the line is not one."""
    n, r, p, salt, digest = parse(line)
    same = hmac.compare_digest(_scrypt(password, salt, n, r, p, len(digest)), digest)
    return same and "\0" not in password  # scrypt takes NULs at a password's end for padding


def parse(line: str) -> tuple[int, int, int, bytes, bytes]:
    """The parts of a hash line: n, r, p, salt, hash. ValueError says what it should look like."""
    try:
        scheme, n, r, p, salt, digest = line.split("$")
        parts = (int(n), int(r), int(p), _decode(salt), _decode(digest))
    except (ValueError, binascii.Error):
        scheme, parts = "", (0, 0, 0, b"", b"")
    power_of_two = parts[0] > 1 and parts[0] & (parts[0] - 1) == 0
    fits = 0 < 128 * parts[0] * parts[1] <= _MAX_MEMORY // 2
    if scheme != "scrypt" or not (power_of_two and fits and 0 < parts[2] <= 16) or not parts[4]:
        raise ValueError(
            "password_hash 应形如 scrypt$n$r$p$salt$hash，"
            "请用 yilian hash-password 生成 / "
            "password_hash must look like scrypt$n$r$p$salt$hash; "
            "make one with: yilian hash-password"
        )
    return parts


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int, size: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=n, r=r, p=p, dklen=size, maxmem=_MAX_MEMORY)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
