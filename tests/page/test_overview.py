"""The overview and the hospital's page: what they show, filter and never do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import pytest
from lxml import html

from registry.model import BindingTemplate, BusinessEntity, BusinessService, LangText, UseText
from registry.web.overview import PER_PAGE
from registry.web.words import WORDS
from tests.page import world
from tests.page.client import Client
from tests.page.conftest import Open
from tests.page.world import Book, Health

HX = "uddi:yilian:hospital:hx"


def page(client: Client, path: str, status: int = 200) -> html.HtmlElement:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return html.fromstring(answer.text)


def names(tree: html.HtmlElement) -> list[str]:
    return [one.text_content() for one in tree.cssselect("tbody th.who > a")]


def test_hospitals_services_state_and_contacts(opened: Open) -> None:
    key = "uddi:yilian:hx:labresults:outside"
    book = Book({key: Health("critical", latency_ms=5000, zh="超时", en="timed out")})
    tree = page(opened(world.two(), book), "/")
    assert names(tree) == ["华夏中心医院", "石桥社区卫生服务中心"]
    (cell,) = tree.cssselect('a[href="/service/uddi:yilian:hx:labresults"]')
    assert "故障" in cell.text_content()
    assert "超时" in cell.get("title", "")
    assert cell.cssselect(".critical svg"), "a sign beside the colour"
    people = tree.cssselect("tbody tr")[0].cssselect(".people")[0].text_content()
    assert "李工" in people and "0571-0000 8120" in people
    heads = [one.text_content().strip() for one in tree.cssselect("thead th")]
    assert heads[2:5] == ["号源查询", "病人查询", "挂号"]


def test_a_latency_is_told_with_its_state_in_words(opened: Open) -> None:
    key = "uddi:yilian:hx:labresults:outside"
    tree = page(opened(world.two(), Book({key: Health("passing", latency_ms=12.4)})), "/")
    (cell,) = tree.cssselect('a[href="/service/uddi:yilian:hx:labresults"]')
    assert cell.text_content().split() == ["正常", "12", "ms"]


def test_the_worst_of_both_faces_counts(opened: Open) -> None:
    inside = "uddi:yilian:hx:labresults:inside"
    outside = "uddi:yilian:hx:labresults:outside"
    book = Book({inside: Health("critical", checked=world.NOW), outside: Health("passing")})
    tree = page(opened(world.two(), book), "/?only=problems")
    assert "华夏中心医院" in names(tree)


def test_the_language_is_asked_for_and_kept(opened: Open) -> None:
    client = opened(world.two(), Book())
    assert page(client, "/").get("lang") == "zh-CN"
    tree = page(client, "/?lang=en")
    assert tree.get("lang") == "en"
    assert names(tree)[0] == "Huaxia Central Hospital"
    assert page(client, "/").get("lang") == "en", "kept in a cookie"
    assert page(client, f"/hospital/{HX}").get("lang") == "en"
    assert page(client, "/?lang=zh").get("lang") == "zh-CN"


def test_switching_the_language_stays_on_the_page(client: Client) -> None:
    tree = page(client, "/?q=hx&letter=H")
    assert tree.cssselect("a.switch")[0].get("href") == "/?q=hx&letter=H&lang=en"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("华夏", ["华夏中心医院"]),
        ("hxzx", ["华夏中心医院"]),
        ("HuaXia", ["华夏中心医院"]),
        ("central", ["华夏中心医院"]),
        ("shequ", ["石桥社区卫生服务中心"]),
        ("sq", ["石桥社区卫生服务中心"]),
        ("100%", []),
    ],
)
def test_hospitals_by_chinese_pinyin_initials_and_english(
    client: Client, query: str, found: list[str]
) -> None:
    assert names(page(client, f"/?q={quote(query)}")) == found
    quick = client.get("/search", params={"q": query}).json()
    assert [one["title"] for one in quick["hospitals"]] == found


@pytest.mark.parametrize(
    ("query", "kind", "title", "place"),
    [
        ("getlabm", "operation", "getlabmaster", "/service/uddi:yilian:hx:hisservice"),
        ("jyzjl", "operation", "QueryLabMaster", "/service/uddi:yilian:hx:labresults"),
        ("检验结果", "service", "LabResults", "/service/uddi:yilian:hx:labresults"),
        ("specimen", "field", "Specimen", "/service/uddi:yilian:hx:"),
        ("费别", "field", "ChargeType", "/service/uddi:yilian:hx:"),
        ("石桥 getlabmaster", "operation", "getlabmaster", "/service/uddi:yilian:sq:hisservice"),
    ],
)  # fmt: skip
def test_services_operations_and_fields(
    client: Client, query: str, kind: str, title: str, place: str
) -> None:
    first = client.get("/search", params={"q": query}).json()["entries"]
    found = [one for one in first if (one["kind"], one["title"]) == (kind, title)]
    assert found and found[0]["href"].startswith(place), first


def test_an_operation_is_found_only_where_it_is_offered(client: Client) -> None:
    assert client.get("/search", params={"q": "石桥 PlaceLabOrder"}).json()["entries"] == []


def test_the_answer_to_what_is_typed_is_bounded(opened: Open) -> None:
    client = opened(world.many(60))
    found = client.get("/search", params={"q": "院"}).json()
    assert len(found["hospitals"]) == 6 < found["hospital_total"]
    assert client.get("/search", params={"q": "x " * 10_000}).status_code == 200
    assert client.get("/search").json()["entries"] == []


def test_pages_and_letters(opened: Open) -> None:
    client = opened(world.many(90))
    first = page(client, "/")
    assert len(names(first)) == PER_PAGE
    assert len(names(page(client, "/?page=3"))) == 90 - 2 * PER_PAGE
    assert first.cssselect("a[rel=next]")[0].get("href") == "/?page=2"
    chong = names(page(client, "/?letter=C"))
    assert chong and all(name.startswith(("重庆", "长安", "春江", "淳安")) for name in chong)
    assert not names(page(client, "/?letter=Z"))


@pytest.mark.parametrize("number", ["0", "-1", "x", "²", "9" * 5000, "999999", ""])
def test_a_page_number_that_makes_no_sense(client: Client, number: str) -> None:
    assert len(names(page(client, f"/?page={quote(number)}"))) == 2


def test_the_list_follows_the_registry(opened: Open) -> None:
    client = opened(world.two())
    store = client.app.state.store
    assert len(names(page(client, "/"))) == 2
    store.save("hx", [world.hospital("nc", "南城医院", services=["LabResults"])])
    assert names(page(client, "/")) == ["华夏中心医院", "南城医院", "石桥社区卫生服务中心"]
    page(client, "/service/uddi:yilian:nc:labresults")
    store.delete("hx", "business", [HX])
    assert names(page(client, "/")) == ["南城医院", "石桥社区卫生服务中心"]
    page(client, f"/hospital/{HX}", 404)
    store.delete("hx", "service", ["uddi:yilian:nc:labresults"])
    (row,) = [
        row for row in page(client, "/").cssselect("tbody tr") if "南城" in row.text_content()
    ]
    assert not row.cssselect("td.cell a")
    store.save("hx", [world.service("nc", "Patients")])
    assert page(client, "/").cssselect('a[href="/service/uddi:yilian:nc:patients"]')


def test_an_empty_registry_says_what_to_do(opened: Open) -> None:
    client = opened()
    assert WORDS["zh"]["none_hint"] in client.get("/").text
    assert WORDS["en"]["none_hint"] in client.get("/?lang=en&q=nobody").text


def test_a_hospital(client: Client) -> None:
    tree = page(client, f"/hospital/{HX}")
    text = tree.text_content()
    for words in ("华夏中心医院", "李工", "0571-0000 8101", "urn:yilian:LabResults:1", HX):
        assert words in text
    links = [one.get("href") for one in tree.cssselect("table.services a")]
    assert f"{world.GATEWAY}/hx/LabResults?wsdl" in links
    assert "http://10.9.0.1:8082/hx/LabResults?wsdl" in links
    page(client, "/hospital/uddi:nobody", 404)


HOSTILE = '"><img src=x onerror=alert(1)><script>alert(1)</script>'


def test_what_is_published_is_never_markup_nor_a_script_link(opened: Open) -> None:
    bad = BusinessEntity(
        names=(LangText(f"{HOSTILE}医院"),),
        descriptions=(LangText(HOSTILE),),
        services=(
            BusinessService(
                names=(LangText(HOSTILE),),
                bindings=(BindingTemplate(access_point=UseText("javascript:alert(1)")),),
            ),
            BusinessService(),
        ),
    )
    client = opened([bad])
    key = client.app.state.site.listing.names()[0].key
    for path in ("/", "/?q=alert", f"/?q={quote(HOSTILE)}", f"/hospital/{key}"):
        tree = page(client, path)
        assert not tree.cssselect("[onerror], img[src=x]"), path
        assert all(one.get("src") for one in tree.cssselect("script")), path
        hrefs = [one.get("href") or "" for one in tree.cssselect("a")]
        assert not any(one.lower().startswith("javascript:") for one in hrefs), path


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(client: Client) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert " style=" not in answer.text
    assert not re.search(r"\son\w+=", answer.text)
    addresses = re.findall(r'<(?:link|img|script)[^>]*(?:href|src)="([^"]*)"', answer.text)
    assert len(addresses) > 3
    for address in addresses:
        assert client.get(address).status_code == 200


@pytest.mark.parametrize("path", ["/", "/search?q=hx", f"/hospital/{HX}", "/static/page.css"])
def test_a_page_is_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


def test_a_database_that_is_away_is_told_in_words(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def away(self: object) -> int:
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr("registry.store.Store.last_index", away)
    assert WORDS["zh"]["busy"] in page(client, "/", 503).text_content()


def test_both_languages_have_all_words() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    assert all(text.strip() for words in WORDS.values() for text in words.values())


@dataclass(frozen=True)
class Lease:
    state: str
    renewed: datetime | None = None
    expires: datetime | None = None


class Leases:
    """A node renews its services' leases; its business has none of its own."""

    def __init__(self, **states: str) -> None:
        self.states = states

    def of(self, keys: Iterable[str]) -> dict[str, Lease]:
        return {key: Lease(self.states.get(key.rpartition(":")[2], "none")) for key in keys}


def test_a_node_that_no_longer_renews_is_marked(opened: Open) -> None:
    client = opened([world.hospital("hx", "华夏中心医院", services=["LabResults", "Patients"])])
    client.app.state.site.leases = Leases(labresults="alive", patients="alive")
    assert "租约过期" not in page(client, "/").text_content()
    assert "有效至" in page(client, f"/hospital/{HX}").text_content()
    client.app.state.site.leases = Leases(labresults="alive", patients="expired")
    assert "租约过期" in page(client, "/").cssselect("tbody th.who")[0].text_content()
    client.app.state.site.leases = Leases(patients="hidden")
    assert "已隐藏" in page(client, "/").text_content()
    assert "已隐藏" in page(client, f"/hospital/{HX}").text_content()
    client.app.state.site.leases = Leases()
    assert "手工登记" in page(client, f"/hospital/{HX}").text_content()
