"""The configuration: what is taken, what is refused, and that every key is documented."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway_config.keys import documented_keys, table
from gateway_config.model import Forward, GatewayConfig, Listen, base_url

ROOT = Path(__file__).parents[2]
MINIMAL = {"registry": {"url": "http://127.0.0.1:8081"}}


def example() -> dict[str, Any]:
    """The gateway's TOML in docs/architecture.md."""
    blocks = re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs/architecture.md").read_text("utf-8"), re.S
    )
    (text,) = [block for block in blocks if block.startswith("# gateway")]
    return tomllib.loads(text)


def test_the_example_in_the_architecture_is_a_configuration() -> None:
    config = GatewayConfig.model_validate(example(), context={"folder": Path("/etc/yilian")})
    assert config.listen.public_url == "http://127.0.0.1:8080"
    assert config.registry.table_file == Path("/etc/yilian/routes.json")
    assert config.forward.connect_timeout_seconds == 1.0


def test_only_the_registrys_address_must_be_given() -> None:
    config = GatewayConfig.model_validate(MINIMAL)
    assert (config.listen, config.forward) == (Listen(), Forward())
    with pytest.raises(ValidationError):
        GatewayConfig.model_validate({})


@pytest.mark.parametrize(
    "section, key, value",
    [
        ("listen", "port", 0),
        ("listen", "port", 65536),
        ("listen", "host", "not a host"),
        ("listen", "public_url", "gw.example"),
        ("listen", "public_url", "http://gw.example/?x"),
        ("listen", "puplic_url", "http://gw.example"),
        ("registry", "url", "ftp://r.example"),
        ("registry", "refresh_seconds", 0),
        ("registry", "refresh_seconds", float("nan")),
        ("registry", "empty_grace_seconds", -1),
        ("registry", "user", "x"),
        ("forward", "timeout_seconds", 0),
        ("forward", "timeout_seconds", float("inf")),
        ("forward", "connect_timeout_seconds", -1),
        ("forward", "idle_seconds", 0),
        ("limits", "max_body_bytes", 10),
        ("forward", "max_request_bytes", 10),
        ("limits", "depth", 1),
        ("forward", "max_answer_bytes", 2**40),
        ("forwards", "timeout_seconds", 1),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(section: str, key: str, value: object) -> None:
    data: dict[str, dict[str, object]] = {"registry": {"url": "http://r.example"}}
    data.setdefault(section, {})[key] = value
    with pytest.raises(ValidationError) as refused:
        GatewayConfig.model_validate(data)
    where = refused.value.errors()[0]["loc"]
    assert where in {(section, key), (section,)}


@pytest.mark.parametrize(
    "text", ["http://gw", "https://gw.example:8443/union", "http://10.0.0.1:1", "http://[::1]:80"]
)
def test_the_addresses_that_are_taken(text: str) -> None:
    assert base_url(text) == base_url(text + "/") == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "gw", "//gw", "http://", "http://u@gw", "http://gw#x", "http://gw/ x", 'http://gw/"'),
        *("http://gw:0", "http://gw:70000", "http://gw:x", "http://[::1", "http://a..b", "x://gw"),
    ],
)
def test_the_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        base_url(text)


def test_every_key_is_documented_as_the_model_has_it() -> None:
    document = (ROOT / "docs/gateway.md").read_text("utf-8")
    assert table() in document, "run: yilian gateway keys --write"


def test_every_key_says_what_it_is_for_in_both_languages() -> None:
    for one in documented_keys():
        assert re.search("[\u4e00-\u9fff]", one.meaning), one.key
        assert re.search("[A-Za-z]{3}", one.meaning), one.key
