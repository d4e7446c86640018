"""/health, passwords, keys, and the configuration. The pages: tests/page."""

import pytest
from pydantic import ValidationError
from registry_server import HASHES, config

from registry.config import Publisher, RegistryConfig
from registry.keys import generator_needed
from services.passwords import hash_password, verify


def test_health(registry):
    reply = registry.send("GET", "/health")
    assert reply.status == 200
    assert b'"passing"' in reply.body


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
