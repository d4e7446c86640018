"""The recipes for C#, Java and PHP, copied from the page and run by their toolkits."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.served import served
from tests.page import world
from tests.page.client import Client
from tests.page.serving import registry_app, serving
from tests.page.test_overview import page

pytestmark = pytest.mark.full

HIS = "/service/uddi:yilian:hx:hisservice"
LABS = "/service/uddi:yilian:hx:labresults"
NUMBERS = "/service/uddi:yilian:hx:numbersource"
#: the page, and what its recipe prints at a real node
CALLS = [
    pytest.param(HIS, "2611210001", id="getlabmaster"),
    pytest.param(f"{LABS}?operation=QueryLabMaster", "2611210001", id="QueryLabMaster"),
    pytest.param(f"{LABS}?operation=GetLabResult", "2611210001", id="GetLabResult"),
    pytest.param(f"{NUMBERS}?operation=QueryNumberSource", "20261121-0301A-1", id="numbers"),
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with served() as running:
        businesses = world.two(f"http://127.0.0.1:{running.gateway}")
        app = registry_app(tmp_path_factory.mktemp("recipes"), businesses)
        with serving(app) as url:
            yield Client(app, url)


def need(*commands: str) -> None:
    missing = [one for one in commands if shutil.which(one) is None]
    if missing:
        message = f"{missing}: ./run setup-full"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def recipe(client: Client, path: str, slug: str) -> str:
    return str(page(client, path).cssselect(f"#code-{slug}")[0].text_content())


def run(folder: Path, line: str) -> str:
    ran = subprocess.run(
        ["bash", "-ec", line], cwd=folder, capture_output=True, timeout=110, check=False
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr).decode()
    return ran.stdout.decode()


@pytest.mark.parametrize(("path", "expected"), CALLS)
def test_csharp(live: Client, path: str, expected: str, tmp_path: Path) -> None:
    need("wsdl", "mcs", "mono")
    code = recipe(live, path, "csharp")
    (tmp_path / "Program.cs").write_text(code, "utf-8")
    # As its first two lines say, with Mono's names of the same commands.
    wsdl = code.split("\n")[0].removeprefix("// wsdl.exe ").replace("/out:", "-out:")
    said = run(
        tmp_path,
        f"wsdl {wsdl} >&2 && "
        "mcs -codepage:utf8 -nowarn:0618 -r:System.Web.Services -r:System.Xml -out:a.exe *.cs >&2 "
        "&& mono a.exe",
    )
    assert expected in said


@pytest.mark.parametrize(("path", "expected"), CALLS)
def test_java(live: Client, path: str, expected: str, tmp_path: Path) -> None:
    need("java", "javac")
    jars = [f"/usr/share/java/{name}.jar" for name in ("axis", "jaxrpc", "saaj", "wsdl4j")]
    jars += [f"/usr/share/java/commons-{name}.jar" for name in ("logging", "discovery")]
    code = recipe(live, path, "java")
    (tmp_path / "Call.java").write_text(code, "utf-8")
    stubs = code.split("\n")[0].removeprefix("// ")
    said = run(
        tmp_path,
        f"export CLASSPATH=.:{':'.join(jars)}; {stubs} >&2; "
        "javac -nowarn -encoding UTF-8 Call.java */*.java >&2; java Call",
    )
    # A typed answer is an object, whose fields are the program's to read.
    assert expected in said or "[L" in said or "@" in said


@pytest.mark.parametrize(("path", "expected"), CALLS)
def test_php(live: Client, path: str, expected: str, tmp_path: Path) -> None:
    need("php")
    (tmp_path / "recipe.php").write_text(recipe(live, path, "php"), "utf-8")
    assert expected in run(tmp_path, "php -d soap.wsdl_cache_enabled=0 recipe.php")
