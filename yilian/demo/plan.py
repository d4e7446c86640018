"""The demo's layout: two hospitals, four processes, their ports, files and configurations."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_config.opened import OPEN
from services.passwords import hash_password
from yilian.demo.processes import Program
from yilian.demo_data import FIRST_PATIENT, HOSPITALS

HOST = "127.0.0.1"
PATIENT = FIRST_PATIENT

#: code: whom to ask, as a node's [hospital.contacts] has it; the numbers are nobody's
CONTACTS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "hx": {
        "owner": {"name": "信息科 李工", "phone": "0571-0000 8101", "email": "li@hx.example"},
        "on_call": {"name": "信息科值班", "phone": "0571-0000 8120"},
    },
    "sq": {
        "owner": {"name": "办公室 陈主任", "phone": "0571-0000 6002"},
        "on_call": {"name": "联盟运维", "phone": "0571-0000 1234", "email": "ops@yilian.example"},
    },
}


@dataclass(frozen=True)
class DemoHospital:
    """``sources``: the [sources.NAME] tables of its node, by name."""

    code: str
    name: str
    name_en: str
    sources: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Plan:
    """``port`` is the gateway's; registry and nodes take the next ones."""

    folder: Path
    port: int
    hospitals: tuple[DemoHospital, ...] = ()

    @property
    def gateway(self) -> str:
        return self._url(0)

    @property
    def registry(self) -> str:
        return self._url(1)

    def node(self, hospital: DemoHospital) -> str:
        return self._url(2 + self.hospitals.index(hospital))

    @property
    def ports(self) -> tuple[int, ...]:
        return tuple(range(self.port, self.port + 2 + len(HOSPITALS)))

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def address(self, hospital: DemoHospital, service: str) -> str:
        """Of a service, through the gateway."""
        return f"{self.gateway}/{hospital.code}/{service}"

    def _url(self, offset: int) -> str:
        return f"http://{HOST}:{self.port + offset}"

    def registry_program(self) -> Program:
        return Program("registry", "registry", self._file("registry"), f"{self.registry}/health")

    def node_program(self, hospital: DemoHospital) -> Program:
        health = f"{self.node(hospital)}/health"
        return Program(f"node-{hospital.code}", "node", self._file(hospital.code), health)

    def gateway_program(self) -> Program:
        return Program("gateway", "gateway", self._file("gateway"), f"{self.gateway}/health")

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.toml"

    def write(self) -> None:
        """The four configurations. Passwords are made once and kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        passwords = {hospital.code: self._password(hospital.code) for hospital in self.hospitals}
        self._file("registry").write_text(self._registry_toml(passwords), "utf-8")
        self._file("gateway").write_text(self._gateway_toml(), "utf-8")
        for hospital in self.hospitals:
            self._file(hospital.code).write_text(self._node_toml(hospital), "utf-8")

    def _password(self, code: str) -> str:
        file = self.folder / f"{code}.password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(18) + "\n")
        return file.read_text().strip()

    def _registry_toml(self, passwords: Mapping[str, str]) -> str:
        publishers = "".join(
            toml_table("[publishers]", user=code, password_hash=hash_password(word))
            for code, word in passwords.items()
        )
        return (
            "# 注册中心 / the registry\n"
            + toml_table("listen", host=HOST, port=self.port + 1, public_url=self.registry)
            + toml_table("store", url="sqlite:///registry.db")
            + publishers
        )

    def _gateway_toml(self) -> str:
        return (
            "# 网关 / the gateway\n"
            + toml_table("listen", host=HOST, port=self.port, public_url=self.gateway)
            + toml_table(
                "registry", url=self.registry, refresh_seconds=2.0, table_file="routes.json"
            )
            + toml_table("forward", connect_timeout_seconds=1.0, timeout_seconds=30.0)
            + "\n# 演示：本机任何人都可调用 / for the demo: whoever asks from this machine\n"
            + "".join(toml_table(f"callers.{name}", **one) for name, one in OPEN["callers"].items())
            + "".join(toml_table("[policies]", **one) for one in OPEN["policies"])
        )

    def _node_toml(self, hospital: DemoHospital) -> str:
        url = self.node(hospital)
        listen = {"host": HOST, "port": int(url.rpartition(":")[2]), "public_url": url}
        return (
            f"# {hospital.name} / {hospital.name_en}\n"
            + toml_table(
                "hospital", code=hospital.code, name=hospital.name, name_en=hospital.name_en
            )
            + toml_table("hospital.contacts", **CONTACTS.get(hospital.code, {}))
            + toml_table("listen", **listen)
            + toml_table(
                "registry",
                url=self.registry,
                user=hospital.code,
                password_file=f"{hospital.code}.password",
            )
            + toml_table("alliance", gateway_url=self.gateway)
            + "".join(
                toml_table(f"sources.{name}", **source) for name, source in hospital.sources.items()
            )
        )


def toml_table(name: str, /, **values: Any) -> str:
    lines = "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())
    return f"\n[{name}]\n{lines}"


def _toml(value: Any) -> str:
    """Text, numbers, booleans, lists and tables. JSON's strings are TOML's, but for DEL."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
