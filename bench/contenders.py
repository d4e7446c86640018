"""Who is measured by bench/host.py, and how each is started; what it needs is looked for first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "peers"
CACHE = Path(
    os.environ.get("YILIAN_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "yilian"
)


class Missing(Exception):
    """What a contender needs and this machine does not have."""


@dataclass(frozen=True)
class Contender:
    """``command`` makes what to run for a port and a folder for what it builds, or raises
    Missing."""

    name: str
    command: Callable[[int, Path], list[str]]
    path: str = "/hx/HisService.asmx"
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self, port: int, folder: Path, core: int) -> subprocess.Popen[bytes]:
        """The contender, held on one core. Its output is in ``folder``."""
        command = ["taskset", "-c", str(core), *self.command(port, folder)]
        log = (folder / f"{port}.log").open("wb")
        environment = os.environ | {"PYTHONPATH": str(PROJECT)} | dict(self.environment)
        return subprocess.Popen(
            command, stdout=log, stderr=log, cwd=PROJECT, env=environment, start_new_session=True
        )


def _node(*options: str) -> Callable[[int, Path], list[str]]:
    return lambda port, folder: [sys.executable, "-m", "bench.node", str(port), *options]


def _spyne(port: int, folder: Path) -> list[str]:
    if not (CACHE / "python" / "a2wsgi").is_dir():
        raise Missing(f"a2wsgi in {CACHE / 'python'}")
    return [sys.executable, "-m", "bench.peers.spyne_uvicorn", str(port)]


def _gsoap(port: int, folder: Path) -> list[str]:
    _need("soapcpp2", "gcc")
    built = folder / "gsoap"
    if not (built / "server").exists():
        built.mkdir(exist_ok=True)
        source = PEERS / "gsoap"
        _build(built, "soapcpp2", "-c", "-S", "-x", "-L", str(source / "hisservice.h"))
        made = [str(source / "server.c"), "soapC.c", "soapServer.c"]
        _build(built, "gcc", "-O2", "-I.", "-o", "server", *made, "-lgsoap", "-lpthread")
    return [str(built / "server"), str(port)]


def _asmx(port: int, folder: Path) -> list[str]:
    _need("mono", "mcs")
    site = folder / "asmx"
    host = site / "bin" / "host.exe"
    if not host.exists():
        host.parent.mkdir(parents=True)
        shutil.copy(PEERS / "asmx" / "HisService.asmx", site)
        source = str(PEERS / "asmx" / "host.cs")
        _build(site, "mcs", f"-out:{host}", "-r:System.Web", source)
    return ["mono", str(host), str(port), str(site)]


def _xsp4(port: int, folder: Path) -> list[str]:
    _need("xsp4")
    site = str(PEERS / "asmx")
    return ["xsp4", "--nonstop", "--address=127.0.0.1", f"--port={port}", f"--root={site}"]


def _npm(port: int, folder: Path) -> list[str]:
    _need("node")
    if not (CACHE / "npm" / "node_modules" / "soap").is_dir():
        raise Missing(f"npm's soap in {CACHE / 'npm'}")
    wsdl = PROJECT / "wsdl" / "HisService.wsdl"
    return ["node", str(PEERS / "soap_server.js"), str(port), str(wsdl)]


def _need(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise Missing(", ".join(missing))


def _build(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


CONTENDERS = (
    Contender("yilian", _node()),
    Contender("yilian, by its app", _node("--app")),
    Contender("gSOAP, C", _gsoap, "/"),
    Contender(
        "npm soap",
        _npm,
        environment={"NODE_PATH": str(CACHE / "npm" / "node_modules")},
    ),
    Contender("ASMX on xsp4", _xsp4, "/HisService.asmx"),
    Contender("ASMX, HttpListener", _asmx, "/HisService.asmx"),
    Contender(
        "spyne on uvicorn",
        _spyne,
        environment={"PYTHONPATH": os.pathsep.join([str(PROJECT), str(CACHE / "python")])},
    ),
)


def workshop() -> tempfile.TemporaryDirectory[str]:
    """Where contenders are built and write their logs."""
    return tempfile.TemporaryDirectory(prefix="yilian-bench-")
