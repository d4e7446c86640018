"""The files that a configuration names: whether they are there and hold what they should."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

from gateway_config.model import GatewayConfig
from gateway_config.section import WrongKey

#: characters of a shared secret at least
SECRET_LENGTH = 32


class Unreadable(ValueError):
    """A file that cannot be used; ``zh`` and ``en`` say why, without its content."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


def first_line(file: Path, least: int = 1) -> str:
    """A secret or password: the file's first line. Unreadable where there is none, or where it
    is shorter than ``least`` characters."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Unreadable(
            f"文件 {file} 无法读取：{reason}", f"the file {file} cannot be read: {reason}"
        ) from None
    line = lines[0].strip() if lines else ""
    if len(line) < least:
        raise Unreadable(
            f"文件 {file} 的第一行应至少有 {least} 个字符",
            f"the first line of {file} should have {least} characters or more",
        )
    return line


def proxy_secret(file: Path) -> str:
    """The secret shared with the proxy, fit to stand in an HTTP header and in HAProxy's file."""
    secret = first_line(file, SECRET_LENGTH)
    if not re.fullmatch(r"[A-Za-z0-9_.~+/=-]+", secret):
        raise Unreadable(
            f"文件 {file} 的第一行只能有字母、数字和 _ . ~ + / = -",
            f"the first line of {file} may hold letters, digits and _ . ~ + / = - only",
        )
    return secret


def wrong_files(config: GatewayConfig) -> Iterator[WrongKey]:
    """Every file or folder that is missing, unreadable or not what its key says."""
    yield from _tls(config)
    for code, hospital in config.hospitals.items():
        if hospital.ferry is not None:
            at = ("hospitals", code, "ferry")
            yield from _secret(hospital.ferry.key_file, 1, *at, "key_file")
            yield from _folder(hospital.ferry.out_folder, os.W_OK, *at, "out_folder")
            yield from _folder(hospital.ferry.in_folder, os.R_OK, *at, "in_folder")
    for name, caller in config.callers.items():
        token = caller.username_token
        if token is not None:
            yield from _secret(
                token.password_file, 1, "callers", name, "username_token", "password_file"
            )
    if config.proxy is not None:
        try:
            proxy_secret(config.proxy.secret_file)
        except Unreadable as error:
            yield WrongKey(error.zh, error.en, "proxy", "secret_file")
    table = config.registry.table_file
    if table is not None and not os.access(table.parent, os.W_OK):
        yield WrongKey(
            f"文件夹 {table.parent} 不可写",
            f"the folder {table.parent} cannot be written",
            *("registry", "table_file"),
        )


def _tls(config: GatewayConfig) -> Iterator[WrongKey]:
    tls = config.tls
    if tls is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.certificate_file, tls.key_file, password=_no_password)
    except (OSError, ValueError) as error:
        key = "certificate_file" if tls.key_file.exists() else "key_file"
        file = getattr(tls, key)
        yield WrongKey(
            f"证书 {tls.certificate_file} 与私钥 {tls.key_file} 不可用"
            f"（须为 PEM、私钥不加密、两者成对）：{_why(error, file)}",
            f"{tls.certificate_file} and {tls.key_file} are no usable pair of PEM certificate and "
            f"unencrypted key: {_why(error, file)}",
            *("tls", key),
        )
    if tls.client_ca_file is not None:
        try:
            context.load_verify_locations(tls.client_ca_file)
        except OSError as error:
            why = _why(error, tls.client_ca_file)
            yield WrongKey(
                f"{tls.client_ca_file} 不是可用的 CA 证书（PEM）：{why}",
                f"{tls.client_ca_file} holds no usable CA certificate in PEM: {why}",
                *("tls", "client_ca_file"),
            )


def _no_password() -> str:
    # Asked for only where the key is encrypted; OpenSSL would ask on the terminal otherwise.
    raise ValueError("the key is encrypted")


def _why(error: Exception, file: Path) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or "no PEM"
    if isinstance(error, OSError):
        return f"{file}: {error.strerror}"
    return str(error)


def _secret(file: Path, least: int, *where: str | int) -> Iterator[WrongKey]:
    try:
        first_line(file, least)
    except Unreadable as error:
        yield WrongKey(error.zh, error.en, *where)


def _folder(folder: Path, access: int, *where: str | int) -> Iterator[WrongKey]:
    if not folder.is_dir() or not os.access(folder, access | os.X_OK):
        yield WrongKey(
            f"文件夹 {folder} 不存在或没有权限",
            f"the folder {folder} does not exist or is not permitted",
            *where,
        )
