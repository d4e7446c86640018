"""``yilian hash-password``: what stands in the registry's configuration for a password."""

from __future__ import annotations

import getpass
import sys

from yilian.refused import Refused


def hash_password() -> None:
    """为注册中心的 publishers 生成 password_hash / The password_hash of a registry's publisher.

    口令从终端或标准输入读取 / The password is read from the terminal or standard input.
    """
    from services.passwords import hash_password as hashed

    if sys.stdin.isatty():
        password = getpass.getpass("口令 / password: ")
        if getpass.getpass("再输一次 / again: ") != password:
            raise Refused("两次输入不同。请重试。", "The two differ. Try again.")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Refused("口令不能为空。", "The password must not be empty.")
    print(hashed(password))
