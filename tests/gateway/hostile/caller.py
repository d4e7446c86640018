"""Of the step "caller": who is not whom he says."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

from tests.gateway.admission.tokens import UTILITY, digest_token, moment, security, text_token
from tests.gateway.hostile.attack import (
    GOOD,
    KNOWN,
    NEEDS_ALL,
    OTHER,
    SOAP11,
    UNKNOWN,
    Attack,
    Twin,
    enveloped,
    lab,
    post,
)

PASSWORD = "秘密 secret"
SECRET = "s" * 40


def basic(user: str, password: str = PASSWORD) -> str:
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def refused(
    raw: bytes | Callable[[], bytes], rule: str = "callers", source: str = UNKNOWN
) -> Attack:
    return Attack(raw, "caller", rule, "NotAuthenticated", 401, source)


def forged(*headers: str, source: str = KNOWN) -> Attack:
    return Attack(post(GOOD, *headers), "caller", "proxy", "NotAuthenticated", 403, source)


def token(make: Callable[[], str], attributes: str = "") -> Callable[[], bytes]:
    return lambda: post(enveloped(lab(), security(make(), attributes)))


def wrong(make: Callable[[], str]) -> Attack:
    return refused(token(make), "username_token")


def now() -> float:
    return time.time()


MUST = f' xmlns:x="{SOAP11}" x:mustUnderstand="1"'

ATTACKS: dict[str, Attack] = {
    "nobody": refused(post()),
    "nobody, with a certificate's header": refused(post(GOOD, "X-SSL-Client-CN: his")),
    "nobody, forwarded for a known one": refused(post(GOOD, f"X-Forwarded-For: {KNOWN}")),
    "nobody, forwarded": refused(post(GOOD, f"Forwarded: for={KNOWN}")),
    "nobody, real ip": refused(post(GOOD, f"X-Real-IP: {KNOWN}")),
    "nobody, remote user": refused(post(GOOD, "X-Remote-User: lab")),
    "nobody, cookie": refused(post(GOOD, "Cookie: user=lab")),
    "nobody, proxy credentials": refused(post(GOOD, "Proxy-" + basic("lab"))),
    "one of two proofs": refused(post(), source=NEEDS_ALL),
    "the other one of two": refused(post(GOOD, basic("both")), "callers.both.require"),
    "two, for another": refused(post(GOOD, basic("lab", "x")), "basic", NEEDS_ALL),
    "wrong password": refused(post(GOOD, basic("lab", "wrong")), "basic"),
    "wrong password, known network": refused(post(GOOD, basic("lab", "wrong")), "basic", KNOWN),
    "empty password": refused(post(GOOD, basic("lab", "")), "basic"),
    "unknown user": refused(post(GOOD, basic("root", "root")), "basic"),
    "user of a token": refused(post(GOOD, basic("t")), "basic"),
    "empty user": refused(post(GOOD, basic("")), "basic"),
    "user in capitals": refused(post(GOOD, basic("LAB")), "basic"),
    "password and a NUL": refused(post(GOOD, basic("lab", PASSWORD + "\0")), "basic"),
    "password and a line": refused(post(GOOD, basic("lab", PASSWORD + "\n")), "basic"),
    "bearer": refused(post(GOOD, "Authorization: Bearer abc"), "basic"),
    "digest scheme": refused(post(GOOD, 'Authorization: Digest username="lab"'), "basic"),
    "no base64": refused(post(GOOD, "Authorization: Basic %%%"), "basic"),
    "no colon": refused(post(GOOD, "Authorization: Basic bGFi"), "basic"),
    "scheme alone": refused(post(GOOD, "Authorization: Basic"), "basic"),
    "credentials of 3 KB": refused(post(GOOD, "Authorization: Basic " + "QUFB" * 800), "basic"),
    "token, wrong password": wrong(lambda: digest_token("t", "wrong", now())),
    "token, unknown user": wrong(lambda: digest_token("root", "", now())),
    "token, user of Basic": wrong(lambda: digest_token("lab", PASSWORD, now())),
    "token, ten minutes old": wrong(lambda: digest_token("t", PASSWORD, now() - 600)),
    "token, in ten minutes": wrong(lambda: digest_token("t", PASSWORD, now() + 600)),
    "token, no time": wrong(lambda: digest_token("t", PASSWORD, 0, created="later")),
    "token, short nonce": wrong(lambda: digest_token("t", PASSWORD, now(), nonce=b"1")),
    "token, no nonce": wrong(lambda: digest_token("t", PASSWORD, now()).replace("Nonce", "Nance")),
    "token, password in text without TLS": wrong(lambda: text_token("t", PASSWORD)),
    "token, no type": wrong(lambda: "<UsernameToken><Username>t</Username></UsernameToken>"),
    "token, two": wrong(lambda: digest_token("t", PASSWORD, now()) * 2),
    "token, digest as text": wrong(
        lambda: digest_token("t", PASSWORD, now()).replace("PasswordDigest", "PasswordText")
    ),
    "token, expired timestamp": wrong(
        lambda: (
            f'<Timestamp xmlns="{UTILITY}"><Expires>{moment(now() - 900)}</Expires></Timestamp>'
            + digest_token("t", PASSWORD, now())
        )
    ),
    "token, known network": Attack(
        token(lambda: digest_token("t", "wrong", now())),
        *("caller", "username_token", "NotAuthenticated", 401, KNOWN),
    ),
    "token of another than Basic": Attack(
        lambda: post(enveloped(lab(), security(digest_token("t", PASSWORD, now()))), basic("lab")),
        *("caller", "callers", "NotAuthenticated", 401, UNKNOWN),
    ),
    "signature that nobody checks": Attack(
        token(lambda: '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>', MUST),
        *("caller", "username_token", "MustUnderstand", 500, KNOWN),
    ),
    "SAML assertion": Attack(
        token(lambda: '<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion"/>', MUST),
        *("caller", "username_token", "MustUnderstand", 500, KNOWN),
    ),
    "token addressed to another": refused(
        lambda: post(
            enveloped(
                lab(),
                security(
                    digest_token("t", PASSWORD, now()), f' xmlns:x="{SOAP11}" x:actor="urn:other"'
                ),
            )
        )
    ),
    "token in the body": refused(
        lambda: post(enveloped(lab(security(digest_token("t", PASSWORD, now())))))
    ),
    "identity header": forged("X-Yilian-Source: 127.0.0.1"),
    "identity header of nobody": forged("X-Yilian-Source: 127.0.0.1", source=UNKNOWN),
    "identity header, guessed secret": forged(
        "X-Yilian-Source: 127.0.0.1", "X-Yilian-Proxy: " + "t" * 40
    ),
    "right secret from elsewhere": forged(
        "X-Yilian-Source: 127.0.0.1", f"X-Yilian-Proxy: {SECRET}"
    ),
    "certificate's header": forged("X-Yilian-Client-Name: his"),
    "certificate's hash": forged("X-Yilian-Client-Sha256: " + "a" * 64),
    "TLS pretended": forged("X-Yilian-Tls: 1"),
    "proxy without the secret": forged("X-Yilian-Source: 127.0.0.1", source=OTHER),
    "proxy and a second source": forged(
        f"X-Yilian-Proxy: {SECRET}",
        "X-Yilian-Source: 127.0.0.9",
        "X-Yilian-Source: 127.0.0.1",
        source=OTHER,
    ),
    "proxy, for nobody": refused(
        post(GOOD, f"X-Yilian-Proxy: {SECRET}", "X-Yilian-Source: 127.0.0.9"), source=OTHER
    ),
    "proxy, for no address": Attack(
        post(GOOD, f"X-Yilian-Proxy: {SECRET}", "X-Yilian-Source: localhost"),
        *("caller", "proxy", "MalformedMessage", 400, OTHER),
    ),
}

TWINS: dict[str, Twin] = {
    "Basic": Twin(post(GOOD, basic("lab")), UNKNOWN),
    "both proofs": Twin(post(GOOD, basic("both")), NEEDS_ALL),
    "token": Twin(token(lambda: digest_token("t", PASSWORD, now())), UNKNOWN),
    "token that must be understood": Twin(
        token(lambda: digest_token("t", PASSWORD, now()), MUST), UNKNOWN
    ),
    "proxy": Twin(post(GOOD, f"X-Yilian-Proxy: {SECRET}", "X-Yilian-Source: 127.0.0.1"), OTHER),
    "token in text by the proxy's TLS": Twin(
        lambda: post(
            enveloped(lab(), security(text_token("t", PASSWORD))),
            *(f"X-Yilian-Proxy: {SECRET}", "X-Yilian-Source: 127.0.0.9", "X-Yilian-Tls: 1"),
        ),
        OTHER,
    ),
}
