"""The alliance on that network: registry and gateway in the middle, a node in each hospital.

Hospital A's gate maps one port inwards (mode ``map``); hospital B's lets only the inside open
connections (mode ``reverse``), and has the clients.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from services.passwords import hash_password
from tests.conftest import SCALE
from tests.lab.namespaces import inside
from tests.lab.network import Mapped, Network
from yilian.demo.data import build
from yilian.demo.plan import DemoHospital, toml_table
from yilian.demo.processes import until
from yilian.refused import Refused
from yilian.screen import Screen
from yilian.soap_client import SoapClient

#: where hospital B's clients reach the gateway: their own gate
GATEWAY_FROM_B = "http://192.168.2.1:8080"
TIMEOUT = 4.0
#: how long a client waits, seconds
PATIENCE = TIMEOUT + 6


@dataclass
class Lab:
    network: Network
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]]
    clients: dict[tuple[str, int], SoapClient] = field(default_factory=dict)

    def from_b(self, function: Callable[[], Any]) -> Any:
        """In hospital B's net, as one of its clients."""
        return inside(self.network.b, function)

    def call(self, service: str, operation: str, **arguments: Any) -> Any:
        """A call of hospital B's client, to hospital A unless ``service`` names another."""
        path = service if "/" in service else f"hx/{service}"
        # A legacy client's proxy was generated long ago: the WSDL is read once.
        key = path, threading.get_ident()

        def ask() -> Any:
            try:
                if key not in self.clients:
                    url = f"{GATEWAY_FROM_B}/{path}?wsdl"
                    self.clients[key] = SoapClient(url, timeout=PATIENCE)
                return self.clients[key].call(operation, **arguments)
            except Refused as none_came:
                # The gate that forgets a connection forgets the client's own as well.
                self.clients.pop(key, None)
                raise OSError(none_came.en) from none_came

        return self.from_b(ask)

    def at_a(self, service: str, operation: str, **arguments: Any) -> Any:
        """The same asked at hospital A itself, past gates and gateway."""
        url = f"http://192.168.1.8:8088/hx/{service}?wsdl"
        return inside(
            self.network.a, lambda: SoapClient(url, timeout=30).call(operation, **arguments)
        )

    def gateway_health(self) -> dict[str, Any]:
        return dict(inside(self.network.middle, lambda: get("http://127.0.0.1:8080/health").json()))


def get(url: str, seconds: float = 10) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    return session.get(url, timeout=seconds)


@contextmanager
def alliance(folder: Path) -> Iterator[Lab]:
    hx, sq = build(folder, Screen(), fresh=False, seed=7, scale=SCALE)
    (folder / "token").write_text("reverse token")
    (folder / "hx.password").write_text("hx")
    (folder / "sq.password").write_text("sq")
    files = {
        "registry": REGISTRY.format(hx=hash_password("hx"), sq=hash_password("sq")),
        "gateway": GATEWAY.format(token=hash_password("reverse token"), timeout=TIMEOUT),
        "a": _node(hx, 1, 8, 8088, ""),
        "b": _node(sq, 2, 9, 8089, REVERSE),
    }
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    with Network() as network:
        to_middle = [Mapped(8080, "10.99.{}.1", 8080), Mapped(8081, "10.99.{}.1", 8081)]
        outwards = [
            [Mapped(one.port, one.target.format(n), one.target_port) for one in to_middle]
            for n in (1, 2)
        ]
        network.gate(
            network.gate_a,
            inwards=[Mapped(2019, "192.168.1.8", 8088)],
            outwards=outwards[0][1:],  # A publishes; it has no clients
        )
        network.gate(
            network.gate_b, inwards=[], outwards=[*outwards[1], Mapped(8090, "10.99.2.1", 8090)]
        )
        places = {
            "registry": network.middle,
            "gateway": network.middle,
            "a": network.a,
            "b": network.b,
        }
        processes: dict[str, subprocess.Popen[bytes]] = {}
        lab = Lab(network, folder, processes)
        try:
            for name, namespace in places.items():
                command = name if name in ("registry", "gateway") else "node"
                file = str(folder / f"{name}.toml")
                processes[name] = network.start(namespace, folder / f"{name}.log", command, file)
            assert until(lambda: _complete(lab), 90), logs(folder)
            yield lab
        finally:
            for process in processes.values():
                assert process.stdin is not None
                process.stdin.close()
            for process in processes.values():
                process.wait(30)


def _complete(lab: Lab) -> bool:
    try:
        health = lab.gateway_health()
    except requests.RequestException:
        return False
    served = {route["hospital"] for route in health["routes"]}
    return served == {"hx", "sq"} and health["ways"]["sq"]["connections"] > 0


def logs(folder: Path) -> str:
    return "\n".join(
        f"--- {path.name}\n{path.read_text('utf-8', 'replace')[-3000:]}"
        for path in folder.glob("*.log")
    )


REGISTRY = """
[listen]
host = "0.0.0.0"
port = 8081
[store]
url = "sqlite:///registry.db"
[[publishers]]
user = "hx"
password_hash = "{hx}"
[[publishers]]
user = "sq"
password_hash = "{sq}"
"""

GATEWAY = """
[listen]
host = "0.0.0.0"
port = 8080
public_url = "http://10.99.0.1:8080"
[registry]
url = "http://127.0.0.1:8081"
refresh_seconds = 1.0
[forward]
connect_timeout_seconds = 1.0
timeout_seconds = {timeout}
[dialled]
host = "0.0.0.0"
port = 8090
ping_seconds = 1.0
[sides.b]
networks = ["10.99.2.2/32"]
base_url = "http://192.168.2.1:8080"
[hospitals.hx]
mode = "map"
[[hospitals.hx.map]]
outer = "10.99.1.2:2019"
inner = "192.168.1.8:8088"
allowed_sources = ["10.99.1.1/32"]
idle_seconds = 60.0
[hospitals.sq]
mode = "reverse"
reverse = {{ token_hash = "{token}" }}
[callers.sq-his]
name = "B 院 HIS"
networks = ["10.99.2.2/32"]
hospital = "sq"
side = "b"
[[policies]]
name = "B 院的客户端 clients of B"
callers = ["sq-his"]
hospitals = ["*"]
services = ["*"]
operations = ["*"]
"""

REVERSE = """
[reverse]
urls = ["http://192.168.2.1:8090"]
token_file = "token"
connections = 2
"""


def _node(hospital: DemoHospital, number: int, host: int, port: int, more: str) -> str:
    address = f"192.168.{number}.{host}"
    url = f"http://{address}:{port}"
    names = {"code": hospital.code, "name": hospital.name, "name_en": hospital.name_en}
    registry = f"http://192.168.{number}.1:8081"
    password = f"{hospital.code}.password"
    return (
        toml_table("hospital", **names)
        + toml_table("listen", host=address, port=port, public_url=url)
        + toml_table("registry", url=registry, user=hospital.code, password_file=password)
        + toml_table("alliance", gateway_url="http://10.99.0.1:8080")
        + more
        + "".join(toml_table(f"sources.{name}", **one) for name, one in hospital.sources.items())
    )
