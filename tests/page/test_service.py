"""The service page: documentation from contract or kept WSDL, addresses, versions, recipes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from registry.model import BusinessEntity, LangText
from registry.web.parts import known
from registry.web.recipes import recipes
from registry.web.recipes.given import Service
from registry.web.words.faults import FAULTS
from registry.web.wsdl_parts import documented_wsdl
from services import faults
from services.soap.wsdl_diff import Change, Comparison, NotWsdl
from tests.interop.served import served
from tests.page import world
from tests.page.client import Client
from tests.page.conftest import Open
from tests.page.foreign import FOREIGN, foreign_hospital
from tests.page.serving import registry_app, serving
from tests.page.test_overview import page

LABS = "/service/uddi:yilian:hx:labresults"
HIS = "/service/uddi:yilian:hx:hisservice"
WSDLS = sorted((Path(__file__).parents[2] / "wsdl").glob("*.wsdl"))


@dataclass(frozen=True)
class Kept:
    """A version as the registry keeps it."""

    namespace: str
    wsdl: bytes
    publisher: str = "hx"
    published: datetime = datetime(2026, 11, 20, tzinfo=UTC)


class Versions:
    def __init__(self, **kept: list[Kept]) -> None:
        self._kept = kept

    def of(self, service: str) -> list[Kept]:
        return self._kept.get(service, [])


def test_documentation_from_the_contract(client: Client) -> None:
    tree = page(client, LABS)
    (operation,) = tree.cssselect("#op-QueryLabMaster")
    request, response = operation.cssselect("table.fields")
    (row,) = [r for r in request.cssselect("tbody tr") if "PatientId" in r.text_content()]
    cells = [" ".join(cell.text_content().split()) for cell in row]
    assert cells == ["PatientId", "病人标识号", "string", "1–32", "是", "0000000001"]
    assert "男" in response.text_content(), "the code table"
    assert "只读" in operation.text_content() and "探测用" in operation.text_content()
    assert "写" in tree.cssselect("#op-MarkLabPrinted h3")[0].text_content()


def test_the_delimited_rows_fields_in_order(client: Client) -> None:
    tree = page(client, HIS)
    tables = tree.cssselect("#op-getlabmaster table.fields")
    names = [cell.text_content() for cell in tables[2].cssselect("tbody th")]
    assert len(names) == 17 and names[0] == "TestNo" and names[-1] == "VerifiedBy"
    assert "LabResults.QueryLabMaster" in tree.cssselect("#op-getlabmaster")[0].text_content()


def test_documentation_in_english(opened: Open) -> None:
    tree = page(opened(world.two()), f"{LABS}?lang=en")
    assert "patient id" in tree.cssselect("#op-QueryLabMaster")[0].text_content()


def test_addresses_wsdl_and_contacts(client: Client) -> None:
    (facts,) = page(client, LABS).cssselect("#addresses")
    text = facts.text_content()
    for part in (
        f"{world.GATEWAY}/hx/LabResults?wsdl",
        "http://10.9.0.1:8082/hx/LabResults",
        "urn:yilian:LabResults:1",
        "李工",
        "石桥社区卫生服务中心",
    ):
        assert part in text
    assert facts.cssselect(f'button[data-copy="{world.GATEWAY}/hx/LabResults?wsdl"]')


def test_every_fault_is_explained(client: Client) -> None:
    leaves = {
        name
        for name, one in vars(faults).items()
        if isinstance(one, type) and issubclass(one, faults.Fault) and not one.__subclasses__()
    }
    assert leaves == set(FAULTS)
    assert all(all(words) for words in FAULTS.values())
    assert "NotFound" in page(client, LABS).cssselect("#faults")[0].text_content()


# --- the WSDL ------------------------------------------------------------------------------------


def test_the_wsdl_to_read_and_to_download(client: Client) -> None:
    shown = page(client, LABS.replace("service", "wsdl", 1))
    code = shown.cssselect("#wsdl")[0].text_content()
    assert f'location="{world.GATEWAY}/hx/LabResults"' in code
    assert shown.cssselect("#wsdl .x-tag")
    answer = client.get(LABS.replace("service", "wsdl", 1) + "?download=1")
    assert answer.headers["content-type"].startswith("text/xml")
    assert 'filename="LabResults.wsdl"' in answer.headers["content-disposition"]
    assert documented_wsdl(answer.content).name == "LabResults"


def test_a_kept_wsdl_is_shown_with_this_services_address(opened: Open) -> None:
    client = opened([foreign_hospital()])
    client.app.state.site.versions = Versions(Weather=[Kept("urn:weather", FOREIGN)])
    answer = client.get("/wsdl/uddi:yilian:foreign:weather?download=1")
    assert b"http://gateway.example:8080/fx/Weather" in answer.content
    page(opened([foreign_hospital()]), "/wsdl/uddi:yilian:foreign:weather", 404)


@pytest.mark.parametrize("path", WSDLS, ids=lambda path: path.stem)
def test_our_own_wsdls_are_understood_as_the_contract_says(path: Path) -> None:
    """The same operations and elements, whichever way they were learnt."""
    read = documented_wsdl(path.read_bytes())
    ours = known()[(read.name, read.namespace)]

    def shape(parts: tuple) -> list:  # type: ignore[type-arg]
        return [(p.name, p.kind, p.many, p.longest, p.namespace, shape(p.parts)) for p in parts]

    assert [one.name for one in read.operations] == [one.name for one in ours.operations]
    for mine, theirs in zip(ours.operations, read.operations, strict=True):
        assert theirs.callable
        assert theirs.soap_action == mine.soap_action
        if not mine.delimited:
            assert shape(theirs.request) == shape(mine.request)
            assert shape(theirs.response) == shape(mine.response)


def test_a_foreign_service(opened: Open) -> None:
    client = opened([foreign_hospital()])
    client.app.state.site.versions = Versions(Weather=[Kept("urn:weather", FOREIGN)])
    tree = page(client, "/service/uddi:yilian:foreign:weather")
    text = tree.cssselect("#op-Ask")[0].text_content()
    for part in ("City", "Where it is asked for.", "≤ 40", "red", "Days", "int"):
        assert part in text
    assert "not callable" not in text
    assert tree.cssselect("#op-Old .note"), "rpc: told, and not guessed"
    assert tree.cssselect("#recipes pre")


def test_without_contract_or_wsdl_the_page_says_so(opened: Open) -> None:
    tree = page(opened([foreign_hospital()]), "/service/uddi:yilian:foreign:weather")
    assert "没有保存在注册中心" in tree.cssselect("#operations")[0].text_content()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>',
    ],
)
def test_what_is_no_wsdl(document: bytes) -> None:
    with pytest.raises(NotWsdl):
        documented_wsdl(document)


def test_a_type_that_holds_itself_ends() -> None:
    circular = FOREIGN.replace(b'name="Days" type="xs:int"', b'name="Days" type="t:Forecast"')
    assert documented_wsdl(circular).operation("Ask").response


def test_versions_and_their_differences(opened: Open) -> None:
    client = opened([foreign_hospital()])
    newer = FOREIGN.replace(b'name="Days"', b'name="Days2"')
    kept = [Kept("urn:weather", FOREIGN), Kept("urn:weather", newer)]
    client.app.state.site.versions = Versions(Weather=kept)
    client.app.state.site.compare = lambda old, new: Comparison(
        [Change("元素没有了", "an element is gone", "Ask/Days")] if old != new else []
    )
    text = (
        page(client, "/service/uddi:yilian:foreign:weather")
        .cssselect("#versions")[0]
        .text_content()
    )
    assert "元素没有了" in text and "Ask/Days" in text and "不兼容" in text


# --- recipes -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A registry of what a real node offers through a real gateway."""
    with served() as running:
        businesses = world.two(f"http://127.0.0.1:{running.gateway}")
        app = registry_app(tmp_path_factory.mktemp("live"), businesses)
        with serving(app) as url:
            yield Client(app, url)


def code(client: Client, path: str, slug: str) -> str:
    (found,) = page(client, path).cssselect(f"#code-{slug}")
    return str(found.text_content())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (HIS, "<getlabmasterResult>2</getlabmasterResult>"),
        (f"{HIS}?operation=getlabresult", "白细胞计数"),
        (LABS, "<TestNo>2611210001</TestNo>"),
        (
            "/service/uddi:yilian:hx:numbersource?operation=QueryNumberSource",
            "20261121-0301A-1",
        ),
    ],
)
def test_the_recipe_for_curl_runs(live: Client, path: str, expected: str) -> None:
    ran = subprocess.run(
        ["bash", "-c", code(live, path, "curl")], capture_output=True, timeout=60, check=True
    )
    assert expected in ran.stdout.decode(), ran.stdout.decode()
    assert b"Fault" not in ran.stdout


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (HIS, "'TestNo': '2611210001'"),
        (LABS, "'2611210001'"),
        (f"{LABS}?operation=GetLabResult", "白细胞计数"),
        ("/service/uddi:yilian:hx:numbersource?operation=QueryNumberSource", "心血管内科"),
    ],
)
def test_the_recipe_for_python_runs(live: Client, path: str, expected: str, tmp_path: Path) -> None:
    script = tmp_path / "recipe.py"
    script.write_text(code(live, path, "python"), "utf-8")
    ran = subprocess.run(
        [sys.executable, "-X", "utf8", str(script)],
        capture_output=True,
        timeout=110,
        env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*"},
        check=False,
    )
    assert expected in ran.stdout.decode(), ran.stderr.decode()


def test_every_operation_has_all_recipes_and_python_compiles() -> None:
    for (name, namespace), documentation in known().items():
        service = Service(name, namespace, f"http://g/hx/{name}", f"http://g/hx/{name}?wsdl")
        for operation in documentation.operations:
            made = {one.slug: one.code for one in recipes(service, operation)}
            assert list(made) == ["curl", "python", "csharp", "java", "php", "powerbuilder"]
            compile(made["python"], operation.name, "exec")
            assert "None" not in made["csharp"] + made["java"]


def test_a_hostile_name_stays_text_in_every_recipe() -> None:
    hostile = "http://x/'\"$(touch /tmp/pwned)`id`\\\n?wsdl"
    operation = known()[("LabResults", "urn:yilian:LabResults:1")].usual
    assert operation is not None
    made = {
        one.slug: one.code
        for one in recipes(Service("LabResults", "urn:x", hostile, hostile), operation)
    }
    for slug in ("csharp", "java", "python"):
        assert "\n?wsdl" not in made[slug], slug
    ran = subprocess.run(
        ["bash", "-n"], input=made["curl"].encode(), capture_output=True, check=False
    )
    assert ran.returncode == 0
    words = subprocess.run(
        ["bash", "-c", made["curl"].replace("curl -sS", "printf '%s\\0'", 1)],
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    assert hostile.encode() in words, "one word, and nothing was run"
    compile(made["python"], "recipe", "exec")


def test_a_name_that_is_none_has_no_recipe() -> None:
    operation = known()[("LabResults", "urn:yilian:LabResults:1")].usual
    assert operation is not None
    assert recipes(Service("a; rm -rf /", "urn:x", "http://x", "http://x?wsdl"), operation) == []


def test_hostile_service_names_are_text(opened: Open) -> None:
    hostile = foreign_hospital('"><script>alert(1)</script>')
    client = opened([hostile])
    tree = page(client, "/service/uddi:yilian:foreign:weather")
    assert all(one.get("src") for one in tree.cssselect("script"))


def test_a_business_without_services(opened: Open) -> None:
    client = opened([BusinessEntity("uddi:yilian:empty", (LangText("空医院"),))])
    assert "目前没有服务" in page(client, "/hospital/uddi:yilian:empty").text_content()
