"""What docs/scale-out.md describes: two gateways, registry and audit on PostgreSQL, HAProxy.

Its configurations are the document's own, read from it; only addresses and ports are those of this
machine, and the rates let a busy test pass. Its commands are run as they stand there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.passwords import hash_password
from tests.conftest import Data
from tests.databases.targets import Target
from tests.gateway.conftest import Answered, asked_once, until
from tests.gateway.front import free_port
from tests.gateway.haproxy_process import HaproxyProcess, checked, haproxy_process
from tests.gateway.mortal import MortalGateway
from tests.gateway.pki import Authority
from yilian.demo.plan import DemoHospital, toml_table
from yilian.demo.processes import Processes, Program

PROJECT = Path(__file__).parents[2]
DOCUMENT = (PROJECT / "docs/scale-out.md").read_text("utf-8")
#: the gateways' machines
HOSTS = {"a": "127.0.0.11", "b": "127.0.0.12"}
#: files that they have in common
_COPIED = ("gateway.pem", "gateway.pem.key", "alliance-ca.pem", "proxy.secret", "audit.key")


def documented(first_line: str) -> str:
    """The document's TOML block that begins with this line."""
    (text,) = re.findall(rf"```toml\n({re.escape(first_line)}\n.*?)```", DOCUMENT, re.S)
    return str(text)


@dataclass(frozen=True)
class Ports:
    gateways: int
    plain: int
    tls: int
    registry: int
    node: int
    dialled_in_vain: int


@dataclass
class ScaledOut:
    """``folders``: those of the machines a and b, with gateway.toml and audit in each."""

    ports: Ports
    authority: Authority
    folders: dict[str, Path]
    gateways: dict[str, MortalGateway]
    processes: Processes
    registry: Program
    node: Program
    audit_url: str
    haproxy: HaproxyProcess = field(init=False)

    def context(self, common_name: str = "sq-his.region.example") -> ssl.SSLContext:
        """A caller with a certificate of the alliance's CA."""
        return self.authority.client_context(self.authority.issued("caller", f"/CN={common_name}"))

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Answered:
        """At HAProxy; by plain HTTP without ``tls``."""
        port = self.ports.plain if tls is None else self.ports.tls
        return asked_once(("127.0.0.10", port), method, path, body, headers, tls=tls)

    def configure(self, *changes: tuple[str, str]) -> None:
        """The same changes in both machines' files."""
        for folder in self.folders.values():
            file = folder / "gateway.toml"
            text = file.read_text("utf-8")
            for old, new in changes:
                assert old in text
                text = text.replace(old, new)
            file.write_text(text, "utf-8")

    def run(self, name: str, command: str) -> str:
        """A command of the document's, on the machine of gateway ``name``; it must succeed."""
        words = shlex.split(command, comments=True)
        if words[:2] == ["./run", "yilian"]:
            words = words[1:]
        if words[0] == "yilian":
            words = [sys.executable, "-P", "-m", *words]
        done = subprocess.run(
            words,
            cwd=self.folders[name],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUTF8": "1", "COLUMNS": "200"},
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def tell_haproxy(self, state: str) -> None:
        """The document's command for gateway a, by HAProxy's admin socket."""
        (command,) = re.findall(rf'echo "([^"]* state {state})" \\\| socat', DOCUMENT)
        assert self.haproxy.ask(command).strip() == ""

    def collect(self) -> None:
        """What the document says to run from a timer on each machine."""
        (command,) = re.findall(r"`(yilian audit collect [^`]*)…`", DOCUMENT)
        assert command.endswith("--to postgresql+psycopg://")
        for name in self.folders:
            to = command.replace("postgresql+psycopg://", shlex.quote(self.audit_url))
            assert "✗" not in self.run(name, f"{to} --check")


@contextmanager
def scaled_out(folder: Path, data: Data, haproxy: str) -> Iterator[ScaledOut]:
    database = Target("postgresql+psycopg")
    urls = {
        name: database.url(database.server.database()).render_as_string(hide_password=False)
        for name in ("registry", "audit")
    }
    ports = Ports(*(free_port() for _ in range(6)))
    folders = {name: folder / name for name in HOSTS}
    authority = _files(folder / "files", folders)
    gateways = {}
    for name, own in folders.items():
        file = own / "gateway.toml"
        file.write_text(_gateway(name, ports, folder), "utf-8")
        gateways[name] = MortalGateway(file, ports.gateways, 1, HOSTS[name])
    registry, node = _registry(folder, ports, urls["registry"]), _node(folder, ports, data)
    with ExitStack() as running:
        processes = running.enter_context(Processes(folder / "logs"))
        for program in (registry, node):
            processes.start(program)
            processes.wait(program)
        made = ScaledOut(
            ports, authority, folders, gateways, processes, registry, node, urls["audit"]
        )
        for gateway in gateways.values():
            running.callback(gateway.kill)  # nobody asks any more
            gateway.start()
        for command in _commands():
            made.run("a", command)
        rendered = folders["a"] / "haproxy.cfg"
        assert "haproxy -c -f haproxy.cfg" in DOCUMENT
        checked(haproxy, rendered)
        by_command = rendered.read_bytes()
        file = folders["a"] / "gateway.toml"
        made.haproxy = running.enter_context(haproxy_process(haproxy, file))
        assert rendered.read_bytes() == by_command
        until(lambda: made.haproxy.up() == {"a", "b"}, 60)
        yield made


def _commands() -> list[str]:
    """Section 1's, with which the configuration is checked and HAProxy's made."""
    (block,) = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.S)[:1]
    found = [line for line in block.splitlines() if line.strip()]
    assert [shlex.split(line)[3] for line in found] == ["check", "render"]
    return found


def _files(folder: Path, machines: dict[str, Path]) -> Authority:
    """Certificates and secrets, made once and copied to each machine."""
    folder.mkdir()
    authority = Authority(folder, "alliance-ca")
    authority.issued("gateway", "/CN=gateway.region.example", address="127.0.0.10")
    for command in re.findall(r"(?:head -c|openssl rand) [^\n]*> \S+", DOCUMENT):
        subprocess.run(["bash", "-c", command], cwd=folder, check=True)
    for machine in machines.values():
        machine.mkdir()
        for name in _COPIED:
            shutil.copy(folder / name, machine / name)
    return authority


def _gateway(name: str, ports: Ports, folder: Path) -> str:
    """The document's gateway.toml as it is on machine ``name``."""
    text = documented("# gateway")
    here = {
        'host = "10.0.0.11"': f'host = "{HOSTS[name]}"',
        "[proxy]\n": '[proxy]\nhost = "127.0.0.10"\nrun_as = ""\n'
        f'admin_socket = "{folder}/a/admin.sock"\n',
        "port = 8080                         # 不": f"port = {ports.plain} # 不",
        "port = 8080\n": f"port = {ports.gateways}\n",
        'host = "0.0.0.0"\nport = 443': f'host = "127.0.0.10"\nport = {ports.tls}',
        'trusted = ["10.0.0.10"]': 'trusted = ["127.0.0.1"]',
        "10.0.0.11:8080": f"{HOSTS['a']}:{ports.gateways}",
        "10.0.0.12:8080": f"{HOSTS['b']}:{ports.gateways}",
        "http://10.0.0.20:8081": f"http://127.0.0.20:{ports.registry}",
        'networks = ["10.0.0.0/8"]': 'networks = ["127.0.0.0/8"]',
        "172.20.1.1:2019": f"127.0.0.1:{ports.node}",
        "192.168.1.8:8088": f"127.77.0.8:{ports.dialled_in_vain}",
        "rate_per_source = 200": "rate_per_source = 100000",
        "per_second = 200, burst = 400": "per_second = 100000, burst = 100000",
        "per_second = 50, burst = 100": "per_second = 100000, burst = 100000",
        'name = "gateway-a"': f'name = "gateway-{name}"',
    }
    for old, new in here.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def _registry(folder: Path, ports: Ports, url: str) -> Program:
    text = documented("# registry")
    here = {
        'host = "0.0.0.0"': 'host = "127.0.0.20"',
        "port = 8081": f"port = {ports.registry}",
        "http://10.0.0.20:8081": f"http://127.0.0.20:{ports.registry}",
        '"postgresql+psycopg://registry@10.0.0.30/registry"': f"'''{url}'''",
    }
    for old, new in here.items():
        assert old in text, old
        text = text.replace(old, new)
    text += toml_table("[publishers]", user="hx", password_hash=hash_password("secret"))
    file = folder / "registry.toml"
    file.write_text(text, "utf-8")
    health = f"http://127.0.0.20:{ports.registry}/health"
    return Program("registry", "registry", file, health)


def _node(folder: Path, ports: Ports, data: Data) -> Program:
    """hx's node behind its gate; what it publishes is its address inside."""
    hx: DemoHospital = data[1][0]
    for one in data[0].glob("*.db"):
        shutil.copy(one, folder)  # of its own: it is written to
    (folder / "hx.password").write_text("secret\n")
    inner = f"http://127.77.0.8:{ports.dialled_in_vain}"
    file = folder / "hx.toml"
    file.write_text(
        toml_table("hospital", code=hx.code, name=hx.name, name_en=hx.name_en)
        + toml_table("listen", host="127.0.0.1", port=ports.node, public_url=inner)
        + toml_table(
            "registry",
            url=f"http://127.0.0.20:{ports.registry}",
            user="hx",
            password_file="hx.password",
        )
        + toml_table("alliance", gateway_url="https://gateway.region.example")
        + "".join(toml_table(f"sources.{name}", **one) for name, one in hx.sources.items()),
        "utf-8",
    )
    return Program("node", "node", file, f"http://127.0.0.1:{ports.node}/health")
