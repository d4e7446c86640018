"""Other software's configuration from the gateway's: read, rendered, written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from gateway_config.files import proxy_secret
from gateway_config.haproxy import haproxy
from gateway_config.section import WrongKey
from yilian.boundary.checking import read
from yilian.loading import misconfigured, problem_at
from yilian.refused import Refused


def haproxy_of(path: Path) -> str:
    """HAProxy's configuration for a gateway's. Misconfigured names what it lacks."""
    config = read(path)
    secret = proxy_secret(config.proxy.secret_file) if config.proxy is not None else ""
    try:
        return haproxy(config, secret)
    except WrongKey as wrong:
        text = path.read_text("utf-8")
        found = problem_at(text, wrong.where, wrong.zh, wrong.en)
        raise misconfigured(path, [found]) from None


def written(path: Path, text: str) -> None:
    """Replace the file as a whole; nobody but its owner may read it. Refused where it cannot be."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 600
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except OSError as error:
        raise Refused(
            f"{path} 无法写入：{error.strerror}。", f"{path} cannot be written: {error.strerror}."
        ) from error
