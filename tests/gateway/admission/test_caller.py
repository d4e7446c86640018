"""Who calls: every proof, all and any, and what is shown but wrong."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from gateway.admission.basic import BasicPasswords
from gateway.admission.caller import Callers, Shown
from gateway.admission.origin import Origin, Proxies
from gateway.head import Refused
from gateway_config.callers import Caller
from services.faults import NotAuthenticated, Overloaded
from services.passwords import hash_password

HASH = hash_password("秘密 secret")
A, B, C = "a" * 64, "b" * 64, "c" * 64
TOKEN = {"user": "t", "password_file": "t.password"}


class Certificate(NamedTuple):
    common_name: str
    sha256: str


ENTRIES: dict[str, dict[str, Any]] = {
    "by-cn": {"certificate": {"common_name": "sq-his"}},
    "by-hash": {"certificate": {"sha256": A}},
    "by-both": {"certificate": {"common_name": "hx-his", "sha256": B}},
    "by-basic": {"basic": {"user": "lab", "password_hash": HASH}},
    "by-token": {"username_token": TOKEN},
    "wide": {"networks": ["10.0.0.0/8", "fd00::/8"]},
    "narrow": {"networks": ["10.2.0.0/16"]},
    "all": {
        "networks": ["10.3.0.0/16"],
        "basic": {"user": "all", "password_hash": HASH},
        "require": "all",
    },
    "any": {"networks": ["10.4.0.0/16"], "basic": {"user": "any", "password_hash": HASH}},
    "cert-and-basic": {
        "certificate": {"common_name": "two"},
        "basic": {"user": "two", "password_hash": HASH},
        "require": "all",
    },
    "token-and-net": {
        "username_token": {"user": "tn", "password_file": "t.password"},
        "networks": ["10.5.0.0/16"],
        "require": "all",
    },
}


def basic(user: str, password: str = "秘密 secret") -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


@pytest.fixture(scope="module")
def callers() -> Iterator[Callers]:
    made = Callers({name: Caller.model_validate(entry) for name, entry in ENTRIES.items()})
    yield made
    made.close()


def name(
    callers: Callers,
    peer: str = "192.0.2.1",
    certificate: Certificate | None = None,
    authorization: bytes | None = None,
    token: str | None = None,
) -> str:
    async def found() -> str:
        standing = await callers.before_message(Shown(peer, certificate, authorization))
        return callers.caller(standing, token)

    return asyncio.run(found())


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({"certificate": Certificate("sq-his", C)}, "by-cn"),
        ({"certificate": Certificate("whoever", A)}, "by-hash"),
        ({"certificate": Certificate("hx-his", B)}, "by-both"),
        ({"authorization": basic("lab")}, "by-basic"),
        ({"authorization": basic("lab").replace(b"Basic", b"bAsIc")}, "by-basic"),
        ({"token": "t"}, "by-token"),
        ({"peer": "10.9.9.9"}, "wide"),
        ({"peer": "::ffff:10.9.9.9"}, "wide"),
        ({"peer": "fd00::1%eth0"}, "wide"),
        ({"peer": "10.2.3.4"}, "narrow"),
        ({"peer": "10.3.0.1", "authorization": basic("all")}, "all"),
        ({"peer": "10.3.0.1"}, "wide"),  # not enough for "all", but enough for the wider one
        ({"peer": "10.4.0.1"}, "any"),
        ({"peer": "192.0.2.1", "authorization": basic("any")}, "any"),
        ({"peer": "10.2.3.4", "authorization": basic("lab")}, "by-basic"),
        ({"peer": "10.2.3.4", "certificate": Certificate("sq-his", C)}, "by-cn"),
        ({"certificate": Certificate("two", C), "authorization": basic("two")}, "cert-and-basic"),
        ({"peer": "10.5.0.1", "token": "tn"}, "token-and-net"),
        ({"peer": "10.2.0.1", "certificate": Certificate("unknown", C)}, "narrow"),
    ],
)
def test_who_it_is(callers: Callers, shown: dict[str, Any], expected: str) -> None:
    assert name(callers, **shown) == expected


@pytest.mark.parametrize(
    ("shown", "rule"),
    [
        ({}, "callers"),
        ({"peer": ""}, "callers"),
        ({"peer": "not an address"}, "callers"),
        ({"peer": "11.0.0.1"}, "callers"),
        ({"certificate": Certificate("", C)}, "callers"),
        ({"certificate": Certificate("SQ-HIS", C)}, "callers"),
        ({"certificate": Certificate("hx-his", C)}, "callers"),  # the name, but not the key
        ({"certificate": Certificate("other", B)}, "callers"),
        ({"certificate": Certificate("two", C)}, "callers.cert-and-basic.require"),
        ({"authorization": basic("two")}, "callers.cert-and-basic.require"),
        ({"authorization": basic("all")}, "callers.all.require"),
        ({"token": "tn"}, "callers.token-and-net.require"),
        ({"authorization": basic("lab", "wrong")}, "basic"),
        ({"authorization": basic("lab", "")}, "basic"),
        ({"authorization": basic("nobody")}, "basic"),
        ({"peer": "10.2.0.1", "authorization": basic("lab", "wrong")}, "basic"),
        ({"peer": "10.2.0.1", "authorization": b"Bearer abc"}, "basic"),
        ({"peer": "10.2.0.1", "authorization": b"Basic"}, "basic"),
        ({"peer": "10.2.0.1", "authorization": b"Basic !!!"}, "basic"),
        ({"peer": "10.2.0.1", "authorization": b"Basic bGFi"}, "basic"),  # no colon
        ({"peer": "10.2.0.1", "authorization": b"Basic " + b"QUFB" * 400}, "basic"),
        ({"peer": "10.2.0.1", "authorization": b""}, "basic"),
        ({"certificate": Certificate("sq-his", C), "authorization": basic("lab")}, "callers"),
        ({"authorization": basic("lab"), "token": "t"}, "callers"),
        ({"certificate": Certificate("sq-his", C), "token": "t"}, "callers"),
        (
            {"peer": "10.2.0.1", "certificate": Certificate("two", C)},
            "callers.cert-and-basic.require",
        ),
    ],
)
def test_who_is_refused(callers: Callers, shown: dict[str, Any], rule: str) -> None:
    with pytest.raises(Refused) as refused:
        name(callers, **shown)
    assert (refused.value.status, refused.value.step, refused.value.rule) == (401, "caller", rule)
    assert isinstance(refused.value.fault, NotAuthenticated)
    assert dict(refused.value.headers)["WWW-Authenticate"].startswith("Basic realm=")


def test_without_basic_there_is_no_challenge() -> None:
    only = Callers({"n": Caller.model_validate({"networks": ["10.0.0.0/8"]})})
    with pytest.raises(Refused) as refused:
        name(only)
    assert (refused.value.status, refused.value.headers) == (403, ())
    # and credentials that nobody here is known by are not judged
    assert name(only, peer="10.0.0.1", authorization=b"Basic dXNlcjpwYXNz") == "n"


def test_scrypt_runs_once_for_a_credential_right_or_wrong() -> None:
    passwords = BasicPasswords({"lab": HASH})

    async def ask() -> None:
        both = await asyncio.gather(*(passwords.user(basic("lab"), "10.0.0.1") for _ in range(50)))
        assert set(both) == {"lab"}
        assert passwords.checked == 1
        assert passwords.known(basic("lab")) == "lab"
        for _ in range(5):
            with pytest.raises(NotAuthenticated):
                await passwords.user(basic("lab", "wrong"), "10.0.0.1")
        assert passwords.checked == 2

    asyncio.run(ask())
    passwords.close()


def test_who_guesses_keeps_nobody_from_a_first_call() -> None:
    passwords = BasicPasswords({"lab": HASH})

    async def ask() -> None:
        guesses = [
            asyncio.ensure_future(passwords.user(basic("lab", str(n)), "192.0.2.66"))
            for n in range(40)
        ]
        assert await passwords.user(basic("lab"), "10.0.0.1") == "lab"
        outcomes = await asyncio.gather(*guesses, return_exceptions=True)
        assert sum(isinstance(one, Overloaded) for one in outcomes) == 36
        assert sum(isinstance(one, NotAuthenticated) for one in outcomes) == 4

    asyncio.run(ask())
    passwords.close()


SECRET = "s" * 32
SEEN = Origin("10.1.0.1", None, False)
TOLD = (
    (b"x-yilian-proxy", SECRET.encode()),
    (b"x-yilian-source", b"10.2.0.7"),
    (b"x-yilian-tls", b"1"),
    (b"x-yilian-client-name", "上海 hx".encode()),
    (b"x-yilian-client-sha256", b"AB" * 32),
)


def test_what_a_trusted_proxy_hands_on() -> None:
    proxies = Proxies(["10.1.0.1"], SECRET)
    told = proxies.origin(SEEN, TOLD)
    assert told == ("10.2.0.7", ("上海 hx", "ab" * 32), True)
    assert proxies.origin(SEEN, TOLD[:2]) == ("10.2.0.7", None, False)
    assert proxies.origin(SEEN, ()) == SEEN  # its own health checks


@pytest.mark.parametrize(
    ("seen", "headers"),
    [
        (Origin("10.1.0.2", None, False), TOLD),
        (SEEN, TOLD[1:]),
        (SEEN, TOLD[4:]),
        (SEEN, ((b"x-yilian-proxy", b"t" * 32), *TOLD[1:])),
        (SEEN, ((b"x-yilian-proxy", b""), *TOLD[1:])),
        (SEEN, (*TOLD, (b"x-yilian-source", b"10.3.0.1"))),
        (SEEN, TOLD[:1]),
        (SEEN, (TOLD[0], (b"x-yilian-source", b"10.2.0.7, 10.3.0.1"))),
    ],
)
def test_identity_headers_that_are_forged(
    seen: Origin, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    with pytest.raises(Refused) as refused:
        Proxies(["10.1.0.1"], SECRET).origin(seen, headers)
    assert (refused.value.step, refused.value.rule) == ("caller", "proxy")
    with pytest.raises(Refused):
        Proxies().origin(seen, headers)
