"""The real HAProxy, on free ports, by a rendered configuration, as whoever runs the tests."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.gateway.conftest import until
from tests.gateway.front import GatewayProcess, free_port, gateway_process
from yilian.boundary.rendering import haproxy_of, written

SECRET = "a-secret-between-the-proxy-and-its-gateways"
_PORT = re.compile(r"^port = (\d+)  # proxy$", re.MULTILINE)


def needs_haproxy() -> str:
    """Its path; without it the test is skipped, or fails where CI should have it."""
    found = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("haproxy is not installed; ./run setup-full installs it")
        pytest.skip("needs haproxy; ./run setup-full installs it")
    return found


def checked(path: str, file: Path) -> str:
    """What ``haproxy -c`` says to a file that it takes."""
    done = subprocess.run([path, "-c", "-f", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


_LOADED = "Loading success."


@dataclass
class HaproxyProcess:
    """Its master; ``reload`` renders anew and has it take that, as ``systemctl reload`` does."""

    process: subprocess.Popen[bytes]
    configuration: Path
    rendered: Path
    log_file: Path
    admin: Path

    def reload(self) -> None:
        before, loaded = self.answering(), self.log.count(_LOADED)
        written(self.rendered, haproxy_of(self.configuration))
        deadline = time.monotonic() + 60
        while self.log.count(_LOADED) <= loaded:
            assert time.monotonic() < deadline, self.log
            # a master that has only just begun loses the signal
            self.process.send_signal(signal.SIGUSR2)
            with contextlib.suppress(AssertionError):
                until(lambda: self.log.count(_LOADED) > loaded, 5)
        until(lambda: self.answering() not in ("", before), 60)

    def answering(self) -> str:
        """The process that has the admin socket now, which takes new calls too; "" if none."""
        try:
            told = self.ask("show info")
        except OSError:
            return ""
        return next((line for line in told.splitlines() if line.startswith("Pid:")), "")

    def ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(str(self.admin))
            sock.sendall(command.encode() + b"\n")
            answer = b""
            while part := sock.recv(65536):
                answer += part
            return answer.decode()

    def up(self) -> set[str]:
        """The workers that it sends calls to."""
        lines = [line.split(",") for line in self.ask("show stat").splitlines()]
        return {
            line[1]
            for line in lines
            if line[0] == "gateways" and line[1] != "BACKEND" and line[17].startswith("UP")
        }

    def under_way(self, worker: str) -> int:
        """Calls that a worker has now."""
        lines = [line.split(",") for line in self.ask("show stat").splitlines()]
        return next(int(line[4]) for line in lines if line[:2] == ["gateways", worker])

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")


@contextmanager
def haproxy_process(path: str, configuration: Path) -> Iterator[HaproxyProcess]:
    """Running, with at least one worker up. ``proxy.admin_socket`` must be admin.sock beside the
    configuration."""
    rendered = configuration.with_name("haproxy.cfg")
    written(rendered, haproxy_of(configuration))
    log_file = configuration.with_name("haproxy.log")
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [path, "-W", "-f", str(rendered)], stdout=log, stderr=subprocess.STDOUT
        )
    admin = configuration.with_name("admin.sock")
    running = HaproxyProcess(process, configuration, rendered, log_file, admin)
    try:
        until(lambda: process.poll() is not None or admin.exists(), 60)
        assert process.poll() is None, running.log
        until(lambda: _LOADED in running.log and running.up(), 60)
        yield running
    finally:
        process.terminate()
        process.wait(30)


def proxy_section(folder: Path, *workers: int, more: str = "") -> str:
    """[proxy] for gateways on these ports, with a port of its own and its files in ``folder``."""
    (folder / "proxy.secret").write_text(SECRET + "\n")
    lines = "".join(
        f'[[proxy.workers]]\nname = "w{index}"\naddress = "127.0.0.1:{port}"\n'
        for index, port in enumerate(workers)
    )
    return (
        f'\n[proxy]\nsecret_file = "proxy.secret"\nhost = "127.0.0.1"\n'
        f'port = {free_port()}  # proxy\nrun_as = ""\n'
        f'admin_socket = "{folder}/admin.sock"\nrate_per_source = 100000\n{more}{lines}'
    )


def port_of(section: str) -> int:
    """The port in what ``proxy_section`` has made."""
    (port,) = map(int, _PORT.findall(section))
    return port


@contextmanager
def perhaps_behind(
    haproxy: str, file: Path, text: str, port: int
) -> Iterator[tuple[GatewayProcess, int]]:
    """A gateway by the configuration ``text``, written into ``file``, and where its callers come
    to: itself at ``port``, or with ``haproxy`` (its path) the proxy in front of it."""
    section = proxy_section(file.parent, port) if haproxy else ""
    file.write_text(text + section, "utf-8")
    with gateway_process(file, port) as gateway:
        if not haproxy:
            yield gateway, port
            return
        with haproxy_process(haproxy, file):
            yield gateway, port_of(section)
