"""The page, /health, and the configuration."""

import re
from urllib.parse import quote

import pytest
from pydantic import ValidationError
from registry_server import HASHES, PASSWORDS, config, service_wsdl

from registry.config import Publisher, RegistryConfig
from registry.keys import generator_needed
from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    LangText,
    UseText,
)
from registry.publisher import HospitalEntry, ServiceEntry, publish_node
from registry.web.words import WORDS
from services.passwords import hash_password, verify


def get(registry, path):
    reply = registry.send("GET", path)
    assert reply.status == 200
    html = reply.body.decode()
    assert "built-in method" not in html
    return html


def publish(registry, hospital):
    address = f"gw/{hospital.code}/LabResults"
    entry = ServiceEntry(
        "LabResults",
        service_wsdl(),
        f"http://out.{address}",
        f"http://in.{address}",
        "检验结果查询",
    )
    publish_node(registry.client(), "admin", PASSWORDS["admin"], hospital, [entry])


def test_the_page_lists_hospitals_services_and_both_wsdls(registry):
    publish(registry, HospitalEntry("hx", "华夏中心医院", "Huaxia Central Hospital"))
    html = get(registry, "/")
    for text in (
        "华夏中心医院",
        "检验结果查询",
        "LabResults",
        "urn:yilian:LabResults:1",
        "院外",
        "院内",
    ):
        assert text in html
    assert 'href="http://out.gw/hx/LabResults?wsdl"' in html
    assert 'href="http://in.gw/hx/LabResults?wsdl"' in html
    assert html.index("http://out.") < html.index("http://in.")


def test_the_page_in_english(registry):
    publish(registry, HospitalEntry("hx", "华夏中心医院", "Huaxia Central Hospital"))
    html = get(registry, "/?lang=en")
    assert '<html lang="en">' in html
    assert "<span>Huaxia Central Hospital</span>" in html
    assert 'href="/"' in html


def test_an_empty_registry_says_what_to_do(registry):
    assert WORDS["zh"]["none_hint"] in get(registry, "/")
    assert WORDS["en"]["no_match_hint"] in get(registry, "/?lang=en&q=nobody")


def test_search_and_pages(registry):
    token = registry.token("admin")
    names = [f"第{n:02}医院" for n in range(45)] + ["100%_医院"]
    businesses = [BusinessEntity(names=(LangText(name),)) for name in names]
    registry.client().save_businesses(token, businesses)
    assert get(registry, "/").count("<section") == 20
    assert get(registry, "/?page=3").count("<section") == 6
    assert get(registry, "/?q=%25_").count("<section") == 1
    assert get(registry, f"/?q={quote('第0')}").count("<section") == 10
    assert 'href="/?page=2"' in get(registry, "/")


@pytest.mark.parametrize("page", ["0", "-1", "x", "²", "9" * 5000, "999999", ""])
def test_a_page_number_that_makes_no_sense(registry, page):
    assert "医联" in get(registry, f"/?page={quote(page)}")


def test_published_text_is_never_markup_nor_a_script_link(registry):
    bad = BusinessEntity(
        names=(LangText("<script>alert(1)</script>"),),
        services=(
            BusinessService(
                names=(LangText('"><img src=x>'),),
                bindings=(BindingTemplate(access_point=UseText("javascript:alert(1)")),),
            ),
            BusinessService(),
        ),
    )
    registry.client().save_businesses(registry.token(), [bad])
    html = get(registry, "/")
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html


def test_the_page_loads_nothing_from_elsewhere_and_runs_no_script(registry):
    reply = registry.send("GET", "/")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    html = reply.body.decode()
    assert "<script" not in html
    assert " style=" not in html
    for address in re.findall(r'<(?:link|img)[^>]*(?:href|src)="([^"]*)"', html):
        assert registry.send("GET", address).status == 200


def test_health(registry):
    reply = registry.send("GET", "/health")
    assert reply.status == 200
    assert b'"passing"' in reply.body


def test_both_languages_have_all_words():
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    assert all(text.strip() for words in WORDS.values() for text in words.values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"lisen": {}},
        {"listen": {"prot": 1}},
        {"listen": {"port": 70000}},
        {"listen": {"public_url": "10.0.0.1:8081"}},
        {"store": {"url": "sqlite://"}},
        {"store": {"url": "registry.db"}},
        {"publishers": [{"user": "hx"}]},
        {"publishers": [{"user": "hx", "password_hash": "secret"}]},
        {"publishers": [{"user": "hx", "password_hash": "scrypt$3$8$1$AAAA$AAAA"}]},
        {"publishers": [{"user": "hx", "password_hash": "scrypt$16777216$8$1$AAAA$AAAA"}]},
        {"publishers": [{"user": "hx", "password_hash": HASHES["hx"]}] * 2},
        {"publishers": [{"user": "uddi:yilian:registry", "password_hash": HASHES["hx"]}]},
        {"security": {"token_lifetime_minutes": 0}},
        {"inquiry": {"max_rows": 0}},
    ],
)
def test_a_wrong_configuration_is_refused(wrong):
    with pytest.raises(ValidationError):
        RegistryConfig.model_validate(wrong)


def test_a_configuration_may_be_empty():
    assert RegistryConfig.model_validate({}).listen.port == 8081


def test_passwords():
    line = hash_password("密码 secret")
    assert line.startswith("scrypt$")
    assert "secret" not in line
    assert verify("密码 secret", line)
    assert not verify("密码 Secret", line)
    assert hash_password("a") != hash_password("a")
    with pytest.raises(ValueError, match="空"):
        hash_password("")


@pytest.mark.parametrize(
    ("hospitals", "code", "allowed"),
    [
        ((), "hx", True),
        ((), "HX", True),
        ((), "sq", False),
        (("sq",), "hx", False),
        (("*",), "x", True),
    ],
)
def test_whom_a_publisher_may_speak_for(hospitals, code, allowed):
    publisher = Publisher(user="hx", password_hash=HASHES["hx"], hospitals=hospitals)
    assert publisher.may_speak_for(code) is allowed


@pytest.mark.parametrize(
    ("key", "generator"),
    [
        ("uddi:4fa1a7b2-6d0e-4f6e-8c32-1d2a0f6b7c11", None),
        ("uddi:yilian:anything:at:all", None),
        ("uddi:acme.org:keygenerator", None),
        ("uddi:acme.org", "uddi:acme.org:keygenerator"),
        ("uddi:acme.org:x", "uddi:acme.org:keygenerator"),
        ("uddi:acme.org:hr:keygenerator", "uddi:acme.org:keygenerator"),
        ("uddi:acme.org:hr:x", "uddi:acme.org:hr:keygenerator"),
        ("uddi:yilian:hx:keygenerator", "uddi:yilian:keygenerator"),
        ("uddi:yilian:keygenerator", "uddi:yilian:keygenerator"),
        ("uddi:uddi.org:keygenerator", "uddi:uddi.org:keygenerator"),
        ("uddi:uddi.org:x", "uddi:uddi.org:keygenerator"),
    ],
)
def test_the_generator_that_a_key_needs(key, generator):
    assert generator_needed(key) == generator


def test_the_registry_starts_from_its_configuration_alone(tmp_path):
    from registry.app import create_app

    app = create_app(config(tmp_path))
    app.state.store.close()
    assert (tmp_path / "registry.db").exists()
