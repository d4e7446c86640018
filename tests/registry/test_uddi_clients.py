"""Clients of UDDI that we did not write: UDDI4J in version 2, Apache jUDDI's in version 3."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from registry_server import PASSWORDS, Running, config, running, service_wsdl

CLIENTS = Path(__file__).parent / "clients"
SYSTEM = Path("/usr/share/java")
AXIS = ("axis", "jaxrpc", "saaj", "wsdl4j", "commons-logging", "commons-discovery")


def cache() -> Path:
    given = os.environ.get("YILIAN_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(home) / "yilian"


def class_path(client: str, *system: str) -> list[Path]:
    """The client's jars, and the system's. Skips where they are not there; in CI, fails."""
    jars = sorted((cache() / "uddi" / client).glob("*.jar"))
    jars += [SYSTEM / f"{name}.jar" for name in system]
    missing = not jars or not all(jar.exists() for jar in jars) or len(jars) == len(system)
    if missing or not shutil.which("javac"):
        reason = (
            f"{client} 未安装，安装：./run setup-full / not installed; ./run setup-full does it"
        )
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return jars


def run(program: str, jars: list[Path], folder: Path, *arguments: str) -> list[str]:
    """Compile and run it; the lines that it told. It must reach its end."""
    path = os.pathsep.join(map(str, [folder, *jars]))
    environment = {**os.environ, "CLASSPATH": path}

    def java(*command: str) -> str:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    java(
        "javac",
        "-nowarn",
        "-encoding",
        "UTF-8",
        "-d",
        str(folder),
        str(CLIENTS / f"{program}.java"),
    )
    told = java(
        "java",
        "-Dfile.encoding=UTF-8",
        "-Dsun.stdout.encoding=UTF-8",
        "-Dorg.uddi4j.TransportClassName=org.uddi4j.transport.ApacheAxisTransport",
        program,
        *arguments,
    ).splitlines()
    assert told[-1] == "done", told
    # Libraries talk too; what the program tells has this form.
    return [line for line in told if re.match(r"[A-Za-z0-9 ]+=", line)]


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    with running(config(tmp_path_factory.mktemp("registry"))) as server:
        yield server


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("sqlite")
def test_uddi4j(registry: Running, tmp_path: Path) -> None:
    told = run(
        "Uddi4jClient",
        class_path("uddi4j", *AXIS),
        tmp_path,
        f"{registry.url}/uddi/inquiry",
        f"{registry.url}/uddi/publish",
        "hx",
        PASSWORDS["hx"],
    )
    assert told == [
        "tModel prefix=uuid:",
        "businesses=2",
        "exact=1",
        "prefix is not exact=0",
        "by contract=2",
        "accessPoint=https://10.0.0.1/hx/LabResults",
        "URLType=https",
        "overviewURL=http://10.0.0.1/hx/LabResults?wsdl",
        "cut=true",
        "name=UDDI4J 医院",
        "phone=1",
        "extended=1",
        "service=LabResults",
        "asserted=true",
        "assertions=1",
        "complete=1",
        "related=1",
        "registered=2+1",
        "deleted=true",
        "deleted=true",
        "hidden=true",
        "found after=0",
        "discarded=true",
        "gone=10210 E_invalidKeyPassed",
        "no token=10120 E_authTokenRequired",
        "wrong password=10150 E_unknownUser",
    ]


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("sqlite")
def test_juddi_client(registry: Running, tmp_path: Path) -> None:
    jars = class_path("juddi")
    settings = tmp_path / "uddi.xml"
    text = (CLIENTS / "uddi.xml").read_text("utf-8")
    text = text.replace("REGISTRY", registry.url).replace("PASSWORD", escape(PASSWORDS["hx"]))
    settings.write_text(text, "utf-8")
    wsdl = tmp_path / "service.wsdl"
    wsdl.write_bytes(service_wsdl())
    told = run("JuddiClient", jars, tmp_path, str(settings), str(wsdl), "hx", PASSWORDS["hx"])
    assert told == [
        "generator=uddi:juddi.example:keygenerator",
        "business=jUDDI 医院",
        "services=1",
        "by portType=1",
        "by binding=1",
        "by namespace=1",
        "accessPoint=http://10.0.0.1/x",
        "instances=4",
        "complete=1",
        "subscribed to=1",
        "gone=10210",
    ]
