"""One gateway for all hostile inputs: callers, policies and narrow limits."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.binding import Binding
from services.passwords import hash_password
from tests.gateway.configured import open_configuration
from tests.gateway.conftest import FakeRegistry, Loop, RunningGateway
from tests.gateway.hostile.attack import KNOWN, LIMITED, NEEDS_ALL, OTHER
from tests.gateway.scripted_node import ScriptedNode

PASSWORD = "秘密 secret"


@dataclass(frozen=True)
class Outcome:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The Fault's code: of our detail, or the standard one where there must be no detail."""
        root = etree.fromstring(self.body)
        for path in ("//{urn:yilian:fault:1}Code", "//faultcode", "//{*}Code/{*}Value"):
            found = root.find("." + path)
            if found is not None and found.text:
                return found.text.rpartition(":")[2]
        raise AssertionError(f"no Fault: {self.body[:300]!r}")


class Target:
    """The gateway, as an attacker sees it, and what he does not see."""

    def __init__(self, gateway: RunningGateway, node: ScriptedNode) -> None:
        self.gateway = gateway
        self.node = node

    def send(self, raw: bytes, source: str = KNOWN) -> Outcome:
        address = ("127.0.0.1", self.gateway.port)
        with socket.create_connection(address, timeout=30, source_address=(source, 0)) as sock:
            # It may have answered before it had read everything.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(raw)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while part := sock.recv(65536):
                    received += part
        head, _, body = received.partition(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        headers = {n.strip().lower(): v.strip() for n, _, v in (h.partition(":") for h in rest)}
        return Outcome(int(line.split()[1]), headers, body)

    def line_of(self, outcome: Outcome) -> dict[str, Any]:
        """The log line of the call."""
        wanted = outcome.headers["x-request-id"]
        text = self.gateway.log_text.getvalue()
        begin = text.rindex("\n", 0, text.rindex(wanted)) + 1 if "\n" in text else 0
        line: dict[str, Any] = json.loads(text[begin : text.index("\n", begin)])
        assert line["event"] == "call"
        return line


@pytest.fixture(scope="module")
def target(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    (folder / "t.password").write_text(PASSWORD + "\n", "utf-8")
    (folder / "proxy.secret").write_text("s" * 40, "utf-8")
    hashed = hash_password(PASSWORD)
    node = ScriptedNode()
    loop.run(node.start())
    config = open_configuration(
        limits={
            "max_body_bytes": 200_000,
            "elements": 5000,
            "text_bytes": 50_000,
            "namespaces": 32,
            "parse_off_loop_bytes": 20_000,
            "max_headers": 40,
            "max_head_bytes": 8192,
        },
        hospitals={
            "hx": {},
            "sq": {"check_contract": True},
            "zz": {"rate": {"per_second": 0.0001, "burst": 1}},
        },
        proxy={"secret_file": str(folder / "proxy.secret"), "trusted": [OTHER]},
        callers={
            "his": {"networks": [f"{KNOWN}/32", f"{OTHER}/32"]},
            "both": {
                "networks": [f"{NEEDS_ALL}/32"],
                "basic": {"user": "both", "password_hash": hashed},
                "require": "all",
            },
            "lab": {"basic": {"user": "lab", "password_hash": hashed}},
            "token": {"username_token": {"user": "t", "password_file": str(folder / "t.password")}},
            "limited": {
                "networks": [f"{LIMITED}/32"],
                "rate": {"per_second": 0.0001, "burst": 1},
            },
        },
        policies=[
            {
                "name": "no-printing",
                "callers": ["*"],
                "hospitals": ["*"],
                "services": ["LabResults"],
                "operations": ["MarkLabPrinted"],
                "allow": False,
            },
            {
                "name": "results",
                "callers": ["his", "both", "lab", "token", "limited"],
                "hospitals": ["hx", "sq", "zz"],
                "services": ["LabResults", "HisService"],
                "operations": ["*"],
            },
            {
                "name": "numbers",
                "callers": ["lab"],
                "hospitals": ["hx"],
                "services": ["NumberSource"],
                "operations": ["QueryNumberSource"],
            },
        ],
    )
    bindings = [
        Binding(hospital, service, f"{node.url}/{hospital}/{path}")
        for hospital in ("hx", "sq", "zz")
        for service, path in (
            ("LabResults", "LabResults"),
            ("HisService", "HisService.asmx"),
            ("NumberSource", "NumberSource"),
        )
    ]
    gateway = RunningGateway(loop, config, FakeRegistry(bindings))
    yield Target(gateway, node)
    gateway.stop()
    loop.run(node.stop())
