"""The console: the form, the real call through a real gateway, what is shown, who may, and CSRF."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from lxml import html
from pydantic import ValidationError

from registry.config import RegistryConfig, TrySettings
from registry.web.calling import may_call
from registry.web.forms import filled, parsed
from registry.web.parts import known
from tests.interop.served import Served, served
from tests.page import world
from tests.page.client import Client
from tests.page.conftest import Open
from tests.page.foreign import FOREIGN, foreign_hospital
from tests.page.serving import registry_app, serving
from tests.page.test_overview import page
from tests.page.test_service import Kept, Versions

HIS = "/try/uddi:yilian:hx:hisservice"
LABS = "/try/uddi:yilian:hx:labresults"
PATIENT = "0000000001"


@pytest.fixture(scope="module")
def hospital() -> Iterator[Served]:
    with served() as running:
        yield running


@pytest.fixture(scope="module")
def live(hospital: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A registry of what a real node offers through a real gateway."""
    businesses = world.two(f"http://127.0.0.1:{hospital.gateway}")
    app = registry_app(tmp_path_factory.mktemp("live"), businesses)
    with serving(app) as url:
        yield Client(app, url)


def token(client: Client, path: str) -> str:
    (found,) = page(client, path).cssselect("form[method=post] input[name=token]")
    return str(found.get("value"))


def send(client: Client, path: str, operation: str, **fields: str) -> requests.Response:
    data = {"token": token(client, path), "operation": operation, **fields}
    return client.post(path, data=data, headers={"Origin": client.url})


def tried(client: Client, path: str, operation: str, **values: str) -> html.HtmlElement:
    """The page of the call that was sent."""
    answer = send(client, path, operation, **{f"v.{k}": v for k, v in values.items()})
    assert answer.status_code == 200 and "/tried/" in answer.url, answer.text
    return html.fromstring(answer.text)


def text(tree: html.HtmlElement, selector: str) -> str:
    return " ".join(" ".join(one.text_content() for one in tree.cssselect(selector)).split())


# --- the form ------------------------------------------------------------------------------------


def test_the_form_from_the_contract(live: Client) -> None:
    tree = page(live, "/try/uddi:yilian:hx:ordering?operation=PlaceLabOrder")
    sex = [one.get("value") for one in tree.cssselect("#v-Patient-Sex option")]
    assert sex == ["", "0", "1", "2", "9"]
    assert tree.cssselect("#v-Patient-BirthDate")[0].get("type") == "date"
    for one in tree.cssselect("form.form input:not([type=hidden]):not([type=checkbox]), select"):
        assert tree.cssselect(f"label[for='{one.get('id')}']"), one.get("id")
    generated = tree.cssselect("#v-RequestId")[0].get("value")
    assert generated.startswith("web-") and len(generated) <= 64
    again = page(live, "/try/uddi:yilian:hx:ordering?operation=PlaceLabOrder")
    assert again.cssselect("#v-RequestId")[0].get("value") != generated


def test_a_legacy_date_is_a_date_input(live: Client) -> None:
    tree = page(live, f"{HIS}?operation=getclinicforregist")
    assert tree.cssselect("#v-ClinicDate")[0].get("type") == "date"
    assert not tree.cssselect("#v-str"), "what is sent in the ref parameter means nothing"


def test_a_list_grows_by_a_line_and_keeps_what_was_typed(live: Client) -> None:
    path = "/try/uddi:yilian:hx:ordering"
    fields = {"more": "Items.OrderLine", "v.Items.OrderLine.0.ItemCode": "BRT"}
    answer = send(live, f"{path}?operation=PlaceLabOrder", "PlaceLabOrder", **fields)
    tree = html.fromstring(answer.text)
    values = [one.get("value") for one in tree.cssselect("input[id^=v-Items-OrderLine]")]
    assert values == ["BRT", ""]


def test_mistakes_are_told_beside_their_fields(live: Client) -> None:
    operation = "QueryLabMaster"
    answer = send(live, LABS, operation, **{"v.PatientId": "", "v.Since": "gestern"})
    assert answer.status_code == 422
    tree = html.fromstring(answer.text)
    (wrong,) = tree.cssselect("#v-PatientId")
    assert wrong.get("aria-invalid") == "true"
    assert "必填" in text(tree, f"#{wrong.get('aria-describedby')}")
    assert "应为时间" in text(tree, "#v-Since-about")


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"PatientId": "1"}, {}),
        ({"PatientId": "x" * 33}, {"PatientId": "problem_long"}),
        ({}, {"PatientId": "problem_required"}),
        ({"PatientId": "1", "Since": "2026-11-21T08:30"}, {}),
        ({"PatientId": "1", "Since": "21.11.2026"}, {"Since": "problem_dateTime"}),
    ],
)
def test_values_are_checked_by_the_contract(
    values: dict[str, str], problems: dict[str, str]
) -> None:
    operation = known()[("LabResults", "urn:yilian:LabResults:1")].operation("QueryLabMaster")
    found = filled(operation, values)
    assert found.problems == problems
    if "Since" in values and not problems:
        assert found.values["Since"] == "2026-11-21T08:30:00"


def test_an_optional_record_is_checked_once_it_is_begun() -> None:
    operation = known()[("Ordering", "urn:yilian:Ordering:1")].operation("PlaceLabOrder")
    typed = {"Patient.Sex": "7", "Items.OrderLine.1.ItemCode": "BRT"}
    found = filled(operation, typed)
    assert found.problems["Patient.Sex"] == "problem_code"
    assert found.problems["Patient.Name"] == "problem_required"
    assert found.values["Items.OrderLine.1.ItemCode"] == "BRT", "an empty line is none"


def test_a_form_with_too_many_fields() -> None:
    with pytest.raises(ValueError, match="fields"):
        parsed("&".join(f"v.a{n}=1" for n in range(2000)).encode())


# --- the call ------------------------------------------------------------------------------------


def test_delimited_rows_are_split_into_columns(live: Client) -> None:
    tree = tried(live, HIS, "getlabmaster", PatientId=PATIENT)
    assert "成功" in text(tree, ".verdict") and "HTTP 200" in text(tree, ".verdict")
    heads = [one.text_content() for one in tree.cssselect("table.data thead code")]
    assert len(heads) == 17 and heads[0] == "TestNo"
    rows = tree.cssselect("table.data tbody tr")
    assert len(rows) == 2
    cells = [cell.text_content() for cell in rows[0].cssselect("td")]
    assert (cells[0] == "2611210001" and cells[1] == "吉田㐂喆") or "喆" in cells[1]
    assert f"<PatientId>{PATIENT}</PatientId>" in text(tree, "#sent")
    assert "getlabmasterResult" in text(tree, "#received")


def test_a_typed_answer_as_values_and_a_table(live: Client) -> None:
    tree = tried(live, LABS, "GetLabResult", TestNo="2611210001")
    assert "确认报告" in text(tree, "dl.facts"), "the code with its meaning"
    heads = [one.text_content() for one in tree.cssselect("table.data thead code")]
    assert heads[:3] == ["ItemNo", "ItemCode", "ItemName"]
    assert len(tree.cssselect("table.data tbody tr")) == 2


def test_a_fault_is_explained(live: Client) -> None:
    tree = tried(live, LABS, "GetLabResult", TestNo="0")
    verdict = text(tree, ".verdict")
    assert "NotFound" in verdict and "HTTP 500" in verdict
    assert "按编号找不到" in verdict and "核对编号" in verdict
    assert "faultstring" in text(tree, "#received")


def test_a_negative_result_is_explained(live: Client) -> None:
    verdict = text(tried(live, HIS, "getlabresult", TestNo="0"), ".verdict")
    assert "业务错误" in verdict and "-2" in verdict and "NotFound" in verdict


def test_sent_as_typed_it_shows_the_services_own_fault(live: Client) -> None:
    answer = send(live, LABS, "QueryLabMaster", **{"v.PatientId": "x" * 40, "unchecked": "yes"})
    verdict = text(html.fromstring(answer.text), ".verdict")
    assert "MalformedMessage" in verdict or "InvalidArgument" in verdict


def test_the_curl_line_repeats_the_call(live: Client) -> None:
    tree = tried(live, LABS, "GetLabResult", TestNo="2611210001")
    line = tree.cssselect("#curl")[0].text_content()
    ran = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60, check=True)
    assert "白细胞计数" in ran.stdout.decode()


def test_arguments_stand_in_no_address_and_no_log(
    live: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = send(live, HIS, "getlabmaster", **{"v.PatientId": "SECRET-77"})
    places = [one.url for one in (*answer.history, answer)]
    assert not any("SECRET" in place for place in places)
    tree = html.fromstring(answer.text)
    assert not any("SECRET" in (one.get("href") or "") for one in tree.cssselect("a"))
    said = capsys.readouterr()
    assert "tried" in said.out + said.err
    assert "SECRET" not in said.out + said.err


def test_a_call_is_shared_repeated_and_deleted(live: Client) -> None:
    answer = send(live, HIS, "getlabmaster", **{"v.PatientId": PATIENT})
    path = answer.url.removeprefix(live.url)
    other = Client(live.app, live.url)
    shared = page(other, path)
    assert f"{live.url}{path}" in text(shared, "section")
    (again,) = [one for one in shared.cssselect("a.button") if "from=" in one.get("href")]
    form = page(other, again.get("href"))
    assert form.cssselect("#v-PatientId")[0].get("value") == PATIENT
    assert live.post(f"{path}/delete", data={"token": "no"}).status_code == 403
    page(other, path)
    data = {"token": token(live, path)}
    assert live.post(f"{path}/delete", data=data).status_code == 200
    page(other, path, 404)
    page(other, "/tried/guessed", 404)


def test_a_kept_call_expires(hospital: Served, opened: Open) -> None:
    settings = {"keep": 2}
    client = opened(world.two(f"http://127.0.0.1:{hospital.gateway}"), **{"try": settings})
    urls = [send(client, HIS, "getlabmaster", **{"v.PatientId": str(n)}).url for n in range(3)]
    assert client.get(urls[0].removeprefix(client.url)).status_code == 404, "the oldest goes"
    calls = client.app.state.site.calls
    name = urls[2].rpartition("/")[2]
    assert calls.get(name) is not None
    calls._clock = lambda: 1e12
    assert calls.get(name) is None


# --- writes --------------------------------------------------------------------------------------


def test_a_write_is_warned_of_and_wants_confirming(live: Client) -> None:
    path = f"{LABS}?operation=MarkLabPrinted"
    assert "这是写操作" in text(page(live, path), "#writing")
    values = {"v.RequestId": "R-1", "v.TestNo": "2611210001"}
    refused = send(live, path, "MarkLabPrinted", **values)
    assert refused.status_code == 422 and "/tried/" not in refused.url
    done = send(live, path, "MarkLabPrinted", confirm="yes", **values)
    assert "/tried/" in done.url
    assert "<RequestId>R-1</RequestId>" in text(html.fromstring(done.text), "#sent")


def test_writes_can_be_switched_off(opened: Open) -> None:
    client = opened(world.two(), **{"try": {"writes": False}})
    path = f"{LABS}?operation=MarkLabPrinted"
    values = {"v.RequestId": "R-1", "v.TestNo": "1", "confirm": "yes"}
    assert send(client, path, "MarkLabPrinted", **values).status_code == 403


# --- who may, and from where ---------------------------------------------------------------------


def test_a_post_without_the_pages_token_is_refused(live: Client) -> None:
    data = {"operation": "getlabmaster", "v.PatientId": "1"}
    good = token(live, HIS)
    for fields, headers in (
        ({}, {}),
        ({"token": "0" * 64}, {}),
        ({"token": "é"}, {}),
        ({"token": good}, {"Origin": "http://evil.example"}),
        ({"token": good}, {"Origin": "null"}),
        ({"token": good}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = live.post(HIS, data={**data, **fields}, headers=headers)
        assert answer.status_code == 403, (fields, headers)
    stranger = Client(live.app, live.url)
    assert stranger.post(HIS, data={**data, "token": good}).status_code == 403
    assert live.post(HIS, data=b"\xff").status_code == 400
    assert live.post(HIS, data=b"v.a=" + b"x" * 600_000).status_code == 400


def test_nothing_is_sent_by_a_get(live: Client) -> None:
    before = len(live.app.state.site.calls._calls)
    live.get(f"{HIS}?operation=getlabmaster&v.PatientId=1&token={token(live, HIS)}")
    assert len(live.app.state.site.calls._calls) == before


def test_the_forms_cookie_is_not_for_scripts_nor_other_sites(opened: Open) -> None:
    cookie = opened(world.two()).get(HIS).headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie


@pytest.mark.parametrize("settings", [{"enabled": False}, {"networks": ["10.0.0.0/8"]}])
def test_the_console_is_closed_to_others(opened: Open, settings: dict[str, Any]) -> None:
    client = opened(world.two(), **{"try": settings})
    assert client.get(HIS).status_code == 403
    assert client.get("/tried/x").status_code == 403
    assert client.post(HIS, data={"operation": "getlabmaster"}).status_code == 403
    assert client.post("/tried/x/delete").status_code == 403


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.1.2.3", False),
        ("fe80::1%eth0", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_networks(address: str, admitted: bool) -> None:
    assert TrySettings().admits(address) is admitted


@pytest.mark.parametrize(
    ("address", "origins", "allowed"),
    [
        ("http://gw:8080/hx/LabResults", (), True),
        ("http://gw:8080/hx/LabResults", ("http://gw:8080",), True),
        ("http://GW/hx", ("http://gw:80",), True),
        ("http://gw:9090/hx", ("http://gw:8080",), False),
        ("https://gw:8080/hx", ("http://gw:8080",), False),
        ("http://gw:8080@evil/hx", ("http://gw:8080",), False),
        ("http://user@gw/", (), False),
        ("file:///etc/passwd", (), False),
        ("ftp://gw/", (), False),
        ("http://gw:port/", (), False),
        ("http:///x", (), False),
        ("", (), False),
    ],
)
def test_where_a_call_may_go(address: str, origins: tuple[str, ...], allowed: bool) -> None:
    assert may_call(address, TrySettings(origins=origins)) is allowed


def test_an_inside_address_alone_is_never_called(opened: Open) -> None:
    from dataclasses import replace

    business = world.two()[0]
    inside = tuple(replace(one, bindings=one.bindings[1:]) for one in business.services)
    client = opened([replace(business, services=inside)])
    assert client.get(HIS).status_code == 403


def test_an_address_outside_the_origins_is_refused(opened: Open) -> None:
    client = opened(world.two(), **{"try": {"origins": ["http://other.example:8080"]}})
    assert client.get(HIS).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": "console"},
        {"user": "console", "password_file": "x"},
        {"origins": ["http://gw/path"]},
        {"origins": ["http://user:pw@gw"]},
        {"networks": ["everybody"]},
        {"timeout_seconds": 0},
        {"unknown": 1},
    ],
)
def test_a_wrong_try_section_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RegistryConfig.model_validate({"try": wrong})


# --- what anybody's server may answer ------------------------------------------------------------


class _Hostile(BaseHTTPRequestHandler):
    """Answers by the last part of the path."""

    seen: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        kind = self.path.rpartition("/")[2]
        body = {
            "html": b"<html>secret-of-another-server</html>",
            "big": b"<a>" + b"x" * 200_000,
            "script": b"""<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
                <soap:Body><AskResponse xmlns="urn:weather"><Forecast><Days>1</Days>
                <Words>&lt;script&gt;alert(1)&lt;/script&gt;</Words></Forecast></AskResponse>
                </soap:Body></soap:Envelope>""",
            "bomb": b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
            "moved": b"",
        }[kind]
        self.send_response(302 if kind == "moved" else 200)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hostile)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("html", "不是 SOAP"),
        ("bomb", "不是 SOAP"),
        ("moved", "不是 SOAP"),
        ("big", "太长"),
        ("script", "成功"),
    ],
)
def test_what_a_strange_server_answers(opened: Open, hostile: str, kind: str, verdict: str) -> None:
    client = opened(
        [foreign_hospital(address=f"{hostile}/{kind}")], **{"try": {"max_answer_bytes": 100_000}}
    )
    client.app.state.site.versions = Versions(Weather=[Kept("urn:weather", FOREIGN)])
    path = "/try/uddi:yilian:foreign:weather"
    assert "不知道" in text(page(client, path), "#writing"), "whether it writes is not known"
    answer = send(client, path, "Ask", confirm="yes", **{"v.City": "杭州"})
    tree = html.fromstring(answer.text)
    assert verdict in text(tree, ".verdict")
    assert "secret-of-another-server" not in answer.text
    assert all(one.get("src") for one in tree.cssselect("script"))
    if kind == "script":
        assert "<script>alert(1)</script>" in text(tree, "table.data, dl.facts")


def test_nobody_listens(opened: Open) -> None:
    client = opened(world.two("http://127.0.0.1:1"))
    tree = tried(client, HIS, "getlabmaster", PatientId="1")
    assert "连不上" in text(tree, ".verdict")
    assert "信息科值班" in text(tree, ".verdict"), "whom to call"


def test_basic_goes_to_the_origins(opened: Open, hostile: str, tmp_path: Any) -> None:
    password = tmp_path / "console.password"
    password.write_text("geheim\n")
    settings = {"user": "console", "password_file": str(password), "origins": [hostile]}
    client = opened([foreign_hospital(address=f"{hostile}/html")], **{"try": settings})
    client.app.state.site.versions = Versions(Weather=[Kept("urn:weather", FOREIGN)])
    send(client, "/try/uddi:yilian:foreign:weather", "Ask", confirm="yes", **{"v.City": "a"})
    assert re.fullmatch("Basic [A-Za-z0-9=]+", _Hostile.seen[-1])
