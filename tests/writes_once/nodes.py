"""Nodes that die at a step of a call and are started anew, and what is asked of them."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from services.soap.values import escape


class Nodes:
    """Nodes at one address, one after the other."""

    def __init__(
        self, folder: Path, source: Mapping[str, Any], nursery: subprocess.Popen[str]
    ) -> None:
        """``source`` is the node's only one, as in its configuration."""
        self._nursery = nursery
        self._steps = folder / "steps"
        self._config = folder / "node.toml"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._pid = 0
        #: what every node's clock says; None: the time
        self.now: datetime | None = None
        settings = ", ".join(f"{key} = {_toml(value)}" for key, value in source["settings"].items())
        self._config.write_text(
            f"""
            [hospital]
            code = "hx"
            name = "华夏"
            name_en = "Huaxia"
            [listen]
            port = {self._port}
            public_url = "http://127.0.0.1:{self._port}"
            [sources.his]
            adapter = "{source["adapter"]}"
            url = "{source["url"]}"
            offers = {json.dumps(source["offers"])}
            read_only = false
            settings = {{ {settings} }}
            """,
            "utf-8",
        )

    def start(self, request: str = "", step: int = 0) -> None:
        """A node that dies at that step of that request."""
        self._steps.write_text("")
        self._pid = self._order(
            config=str(self._config),
            request=request,
            step=step,
            steps=str(self._steps),
            now=self.now.isoformat() if self.now else "",
        )
        deadline = time.monotonic() + 20
        while not self._listens():
            assert time.monotonic() < deadline, "the node did not start"
            time.sleep(0.002)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def died(self) -> list[str]:
        """Wait until the node was killed; the steps that it came to."""
        assert self._order(wait=self._pid) == signal.SIGKILL
        self._pid = 0
        return self._steps.read_text().splitlines()

    def steps(self) -> list[str]:
        return self._steps.read_text().splitlines()

    def end(self) -> None:
        if self._pid:
            subprocess.run(["kill", "-KILL", str(self._pid)], check=True)
            self._order(wait=self._pid)
            self._pid = 0

    def ask(
        self, operation: str, service: str = "Registration", **arguments: str
    ) -> dict[str, str]:
        """The answer's fields. ConnectionError: the node died."""
        inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in arguments.items())
        return self.send(operation, service, inner)

    def send(self, operation: str, service: str, inner: str) -> dict[str, str]:
        """As ``ask``, with the arguments as XML."""
        body = (
            '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>'
            f'<{operation} xmlns="urn:yilian:{service}:1">{inner}</{operation}>'
            "</Body></Envelope>"
        )
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            headers = {"Content-Type": "text/xml; charset=utf-8"}
            connection.request("POST", f"/hx/{service}", body.encode(), headers)
            answer = connection.getresponse().read().decode()
        finally:
            connection.close()
        assert "Fault" not in answer, answer
        return dict(re.findall(r"<(\w+)>([^<]*)</\1>", answer))

    def _order(self, **order: Any) -> int:
        assert self._nursery.stdin and self._nursery.stdout
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
