"""UsernameTokens: what proves a name, and every way in which it does not."""

from __future__ import annotations

import itertools

import pytest
from lxml import etree

from gateway.admission import replay
from gateway.admission.replay import NoRoom, UsedOnce
from gateway.admission.shared import SharedMemory
from gateway.admission.username_token import WINDOW, UsernameTokens
from services.faults import MustUnderstand, NotAuthenticated
from services.soap.version import SOAP_1_1
from tests.gateway.admission.tokens import (
    UTILITY,
    digest_of,
    digest_token,
    moment,
    security,
    text_token,
)

NOW = 1_763_700_000.0
MUST = f' xmlns:s="{SOAP_1_1.envelope}" s:mustUnderstand="1"'


def fresh(clock: float = NOW) -> UsernameTokens:
    used = UsedOnce(SharedMemory(None, replay.SIZE))
    return UsernameTokens({"sq": "秘密 secret", "hx": "other"}, used, clock=lambda: clock)


def user(tokens: UsernameTokens, content: str, attributes: str = "", tls: bool = False) -> object:
    return tokens.user(etree.fromstring(security(content, attributes)), tls=tls)


def test_a_digest_proves_who_it_is() -> None:
    assert user(fresh(), digest_token("sq", "秘密 secret", NOW)) == "sq"
    assert user(fresh(), digest_token("hx", "other", NOW), MUST) == "hx"


def test_a_digest_computed_elsewhere() -> None:
    # printf '1234567890123456%s%s' 2026-11-21T08:00:00Z password | openssl sha1 -binary | base64
    digest = "qmnJv5eQBt+n48iWb28NGXtifnA="
    tokens = UsernameTokens(
        {"u": "password"},
        UsedOnce(SharedMemory(None, replay.SIZE)),
        clock=lambda: 1795248000.0,
    )
    made = digest_token(
        "u", "", 0, nonce=b"1234567890123456", created="2026-11-21T08:00:00Z", digest=digest
    )
    assert user(tokens, made) == "u"


def test_a_password_in_text_needs_tls() -> None:
    assert user(fresh(), text_token("sq", "秘密 secret"), tls=True) == "sq"
    with pytest.raises(NotAuthenticated, match="TLS"):
        user(fresh(), text_token("sq", "秘密 secret"))


@pytest.mark.parametrize("offset", [-WINDOW + 1, 0, WINDOW - 1])
def test_clocks_may_differ_a_little(offset: float) -> None:
    assert user(fresh(), digest_token("sq", "秘密 secret", NOW + offset)) == "sq"


GOOD = ("sq", "秘密 secret", NOW)
WRONG = {
    "wrong password": digest_token("sq", "secret", NOW),
    "unknown user": digest_token("nobody", "", NOW),
    "another one's password": digest_token("hx", "秘密 secret", NOW),
    "empty user": digest_token("", "秘密 secret", NOW),
    "too old": digest_token("sq", "秘密 secret", NOW - WINDOW - 2),
    "from the future": digest_token("sq", "秘密 secret", NOW + WINDOW + 2),
    "another moment than was signed": digest_token(
        *GOOD, digest=digest_of(b"0" * 16, moment(NOW), "秘密 secret"), nonce=b"1" * 16
    ),
    "no moment": digest_token(*GOOD, created="now"),
    "a moment of letters": digest_token(*GOOD, created="２０２６-11-21T08:00:00Z"),
    "month 13": digest_token(*GOOD, created="2026-13-21T08:00:00Z"),
    "short nonce": digest_token(*GOOD, nonce=b"1234567"),
    "long nonce": digest_token(*GOOD, nonce=b"1" * 257),
    "empty nonce": digest_token(*GOOD, nonce=b""),
    "nonce that is no base64": digest_token(*GOOD).replace("<Nonce>", "<Nonce>!"),
    "no nonce": digest_token(*GOOD).replace("Nonce", "Nunce"),
    "two nonces": digest_token(*GOOD).replace("<Nonce>", "<Nonce>MTIzNDU2Nzg=</Nonce><Nonce>"),
    "two users": digest_token(*GOOD).replace("<Username>", "<Username>hx</Username><Username>"),
    "two passwords": digest_token(*GOOD).replace("<Password ", "<Password>x</Password><Password "),
    "no password": "<UsernameToken><Username>sq</Username></UsernameToken>",
    "two tokens": digest_token(*GOOD) + digest_token("hx", "other", NOW),
    "password of another kind": digest_token(*GOOD).replace("#PasswordDigest", "#PasswordHash"),
    "digest sent as text": digest_token(*GOOD).replace("#PasswordDigest", "#PasswordText"),
    "digest in hexadecimal": digest_token(*GOOD, digest="00" * 20),
    "empty digest": digest_token(*GOOD, digest=""),
    "coded nonce": digest_token(*GOOD).replace("<Nonce>", '<Nonce EncodingType="#HexBinary">'),
    "expired": f'<Timestamp xmlns="{UTILITY}"><Expires>{moment(NOW - 900)}</Expires></Timestamp>'
    + digest_token(*GOOD),
    "not yet": f'<Timestamp xmlns="{UTILITY}"><Created>{moment(NOW + 900)}</Created></Timestamp>'
    + digest_token(*GOOD),
    "elements in the password": digest_token(*GOOD).replace("</Password>", "<x/></Password>"),
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_proves_nothing(content: str) -> None:
    for tls in (False, True):
        with pytest.raises(NotAuthenticated) as refused:
            user(fresh(), content, tls=tls)
        assert refused.value.rule == "username_token"
        assert "secret" not in str(refused.value)


def test_once_is_once() -> None:
    tokens = fresh()
    content = digest_token("sq", "秘密 secret", NOW)
    assert user(tokens, content) == "sq"
    with pytest.raises(NotAuthenticated, match="used before"):
        user(tokens, content)


def test_a_wrong_password_does_not_use_up_the_nonce() -> None:
    tokens = fresh()
    with pytest.raises(NotAuthenticated):
        user(tokens, digest_token("sq", "wrong", NOW, nonce=b"n" * 16))
    assert user(tokens, digest_token("sq", "秘密 secret", NOW, nonce=b"n" * 16)) == "sq"


def test_what_else_must_be_understood_is_not() -> None:
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'
    with pytest.raises(MustUnderstand):
        user(fresh(), signature + digest_token(*GOOD), MUST)
    assert user(fresh(), signature) is None  # and so says nothing about who calls


def test_nothing_is_forgotten_too_early_and_nothing_kept_for_ever() -> None:
    used = UsedOnce(SharedMemory(None, replay.SIZE))
    assert used.first_time(b"a", 100, 200)
    assert not used.first_time(b"a", 200, 300)
    assert used.first_time(b"a", 200.1, 300)
    things = (b"%d" % n for n in itertools.count())
    with pytest.raises(NoRoom):  # it refuses rather than forget
        for thing in things:
            used.first_time(thing, 1000, 2000)
    assert used.first_time(b"later", 2001, 3000)


def test_workers_share_what_was_used(tmp_path: object) -> None:
    name = f"yilian-test-{id(tmp_path)}.tokens"
    first, second = (SharedMemory(name, replay.SIZE) for _ in range(2))
    try:
        assert UsedOnce(first).first_time(b"a", 100, 200)
        assert not UsedOnce(second).first_time(b"a", 150, 250)
    finally:
        second.close()
        first.remove()
