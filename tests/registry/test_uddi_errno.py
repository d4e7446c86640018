"""Every error number of UDDI that applies here, on the wire: one table."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import pytest
from registry_server import PASSWORDS, Running, config, running, v3
from sqlalchemy import create_engine, update
from sqlalchemy.exc import OperationalError

from registry.errors import ERRNO
from registry.older_keys import older_key
from registry.tables import token as tokens

SUB = "urn:uddi-org:sub_v3"
V2 = "urn:uddi-org:api_v2"
RELATIONSHIPS = "uddi:uddi.org:relationships"
TYPES = "uddi:uddi.org:categorization:types"

#: Numbers of the specification that belong to parts which are not offered: custody transfer and
#: external value sets. Those parts answer 10050.
NOT_HERE = {"requestTimeout": 20240, "tokenAlreadyExists": 40070, "transferNotAllowed": 40600}


class World:
    """A registry with one business of hx, one of sq, and a system that wants checks."""

    def __init__(self, registry: Running, url: str) -> None:
        self.registry, self.url = registry, url
        self.hx, self.sq = self.business("hx", "甲"), self.business("sq", "乙")
        self.publish(
            "save_tModel",
            '<tModel tModelKey="uddi:yilian:checked"><name>checked</name><categoryBag>'
            f'<keyedReference tModelKey="{TYPES}" keyValue="checked"/></categoryBag></tModel>',
        )
        # Four more: as many as one publisher may have here.
        for _ in range(4):
            self.business("sq", "更多")

    def auth(self, user: str = "hx") -> str:
        return f'<authInfo xmlns="urn:uddi-org:api_v3">{self.registry.token(user)}</authInfo>'

    def business(self, user: str, name: str) -> str:
        reply = self.publish("save_business", saving(name), user)
        assert reply.status == 200, reply.body
        return reply.content[0].get("businessKey")

    def publish(self, operation: str, content: str, user: str = "hx"):
        return self.registry.uddi("publish", v3(operation, self.auth(user) + content))

    def subscribe(self, operation: str, content: str, user: str = "hx"):
        message = f'<{operation} xmlns="{SUB}">{self.auth(user)}{content}</{operation}>'
        return self.registry.uddi("subscription", message)

    def inquire(self, operation: str, content: str = ""):
        return self.registry.uddi("inquiry", v3(operation, content))


def saving(name: str = "x", key: str = "", inside: str = "") -> str:
    return f'<businessEntity businessKey="{key}"><name>{name}</name>{inside}</businessEntity>'


def reference(system: str, value: str, bag: str = "categoryBag") -> str:
    return f'<{bag}><keyedReference tModelKey="{system}" keyValue="{value}"/></{bag}>'


def assertion(one: str, other: str) -> str:
    return (
        f"<publisherAssertion><fromKey>{one}</fromKey><toKey>{other}</toKey>"
        f'<keyedReference tModelKey="{RELATIONSHIPS}" keyName="" keyValue="identity"/>'
        "</publisherAssertion>"
    )


def projecting(world: World) -> str:
    service = f'<businessService serviceKey="uddi:none" businessKey="{world.sq}"/>'
    return saving(inside=f"<businessServices>{service}</businessServices>")


def expired(world: World):
    auth = world.auth()
    engine = create_engine(world.url)
    with engine.begin() as connection:
        connection.execute(update(tokens).values(expires=int(time.time()) - 1))
    engine.dispose()
    return world.registry.uddi("publish", v3("save_business", auth + saving()))


def find_of(tmodels: str) -> str:
    return (
        '<find_tModel xmlns="urn:uddi-org:api_v3"><findQualifiers><findQualifier>approximateMatch'
        f"</findQualifier></findQualifiers><name>{tmodels}</name></find_tModel>"
    )


def subscribing(wanted: str, rest: str = "") -> str:
    filtered = f"<subscriptionFilter>{wanted}</subscriptionFilter>"
    return f"<subscription>{filtered}{rest}</subscription>"


def far_listener(world: World):
    inside = (
        "<businessServices><businessService><bindingTemplates><bindingTemplate>"
        "<accessPoint>http://192.0.2.1/</accessPoint></bindingTemplate></bindingTemplates>"
        "</businessService></businessServices>"
    )
    saved = world.publish("save_business", saving(key=world.hx, inside=inside))
    (binding,) = saved.content.iter("{*}bindingTemplate")
    key = f'<bindingKey xmlns="urn:uddi-org:api_v3">{binding.get("bindingKey")}</bindingKey>'
    wanted = subscribing(find_of("x"), key + "<notificationInterval>PT1H</notificationInterval>")
    return world.subscribe("save_subscription", wanted)


def locked(world: World):
    def fail(*_arguments):
        cause = sqlite3.OperationalError("database is locked")
        cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise OperationalError("SELECT", {}, cause)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("registry.search.find_keys", fail)
        return world.inquire("find_business", "<name>a</name>")


def older(operation: str, content: str, port: str = "inquiry"):
    def ask(world: World):
        message = f'<{operation} generic="2.0" xmlns="{V2}">{content}</{operation}>'
        return world.registry.uddi(port, message)

    return ask


QUALIFIERS = "<findQualifiers>{}</findQualifiers>"
ONE = "<findQualifier>{}</findQualifier>"

# ruff: noqa: E501
CASES: list[tuple[int, str, Callable[[World], object]]] = [
    (10040, "unrecognizedVersion", lambda w: w.registry.uddi("inquiry", '<find_business xmlns="urn:uddi-org:api_v9"/>')),
    (10040, "unrecognizedVersion", lambda w: w.registry.uddi("inquiry", f'<find_business generic="9" xmlns="{V2}"/>')),
    (10050, "unsupported", lambda w: w.registry.uddi("publish", '<transfer_entities xmlns="urn:uddi-org:custody_v3"/>')),
    (10050, "unsupported", lambda w: w.registry.uddi("publish", '<get_transferToken xmlns="urn:uddi-org:custody_v3"/>')),
    (10050, "unsupported", lambda w: w.registry.uddi("inquiry", '<get_changeRecords xmlns="urn:uddi-org:repl_v3"/>')),
    (10050, "unsupported", lambda w: w.registry.uddi("inquiry", '<validate_values xmlns="urn:uddi-org:vs_v3"/>')),
    (10050, "unsupported", lambda w: w.registry.uddi("inquiry", '<get_allValidValues xmlns="urn:uddi-org:vscache_v3"/>')),
    (10050, "unsupported", lambda w: w.registry.uddi("subscription", '<notify_subscriptionListener xmlns="urn:uddi-org:subr_v3"/>')),
    (10050, "unsupported", lambda w: w.inquire("find_business", QUALIFIERS.format(ONE.format("diacriticInsensitiveMatch")) + "<name>a</name>")),
    (10050, "unsupported", older("validate_values", "")),
    (10110, "authTokenExpired", expired),
    (10120, "authTokenRequired", lambda w: w.registry.uddi("publish", v3("save_business", saving()))),
    (10120, "authTokenRequired", older("delete_business", "<businessKey>x</businessKey>", "publish")),
    (10140, "userMismatch", lambda w: w.publish("save_business", saving(key=w.sq))),
    (10140, "userMismatch", lambda w: w.publish("delete_business", f"<businessKey>{w.sq}</businessKey>")),
    (10140, "userMismatch", lambda w: w.publish("add_publisherAssertions", assertion(w.sq, w.sq))),
    (10150, "unknownUser", lambda w: w.registry.uddi("security", v3("get_authToken", attributes='userID="hx" cred="wrong"'))),
    (10160, "accountLimitExceeded", lambda w: w.publish("save_business", saving(), "sq")),
    (10160, "accountLimitExceeded", lambda w: w.publish("save_business", saving(key=w.hx, inside="<businessServices>" + "<businessService/>" * 4 + "</businessServices>"))),
    (10160, "accountLimitExceeded", lambda w: w.publish("save_tModel", "".join(f"<tModel><name>{n}</name></tModel>" for n in range(4)))),
    (10160, "accountLimitExceeded", lambda w: w.publish("add_publisherAssertions", assertion(w.hx, w.sq) + assertion(w.sq, w.hx) + assertion(w.hx, w.hx))),
    (10210, "invalidKeyPassed", lambda w: w.inquire("get_businessDetail", "<businessKey>uddi:none</businessKey>")),
    (10210, "invalidKeyPassed", older("get_businessDetail", f"<businessKey>{older_key('uddi:none')}</businessKey>")),
    (10400, "busy", locked),
    (10500, "fatalError", lambda w: w.inquire("find_business", "<colour/>")),
    (20200, "invalidValue", lambda w: w.publish("save_business", saving(inside=reference(TYPES, "teapot")))),
    (20200, "invalidValue", lambda w: w.publish("save_business", saving(inside=reference("uddi:uddi.org:wsdl:types", "teapot")))),
    (20200, "invalidValue", lambda w: w.publish("save_tModel", "<tModel><name>b</name>" + reference("uddi:uddi.org:wsdl:porttypereference", "uddi:none") + "</tModel>")),
    (20210, "valueNotAllowed", lambda w: w.publish("save_business", saving(inside=reference("uddi:yilian:hospital-code", "sq", "identifierBag")))),
    (20210, "valueNotAllowed", lambda w: w.publish("save_business", saving(inside=reference("uddi:uddi.org:wsdl:types", "binding")))),
    (20220, "unvalidatable", lambda w: w.publish("save_business", saving(inside=reference("uddi:yilian:checked", "x")))),
    (20230, "invalidProjection", lambda w: w.publish("save_business", projecting(w))),
    (20250, "requestDenied", far_listener),
    (30000, "assertionNotFound", lambda w: w.publish("delete_publisherAssertions", assertion(w.hx, w.sq))),
    (30100, "invalidCompletionStatus", lambda w: w.publish("get_assertionStatusReport", "<completionStatus>done</completionStatus>")),
    (30110, "messageTooLarge", lambda w: w.inquire("get_tModelDetail", "<tModelKey>uddi:x</tModelKey>" * 3000)),
    (30110, "messageTooLarge", lambda w: w.inquire("find_business", "<name>a</name>" * 101)),
    (40030, "invalidTime", lambda w: w.subscribe("save_subscription", subscribing(find_of("x"), "<expiresAfter>2001-01-01T00:00:00Z</expiresAfter>"))),
    (40100, "keyUnavailable", lambda w: w.publish("save_business", saving(key="uddi:acme.example:x"))),
    (40300, "resultSetTooLarge", lambda w: w.subscribe("save_subscription", subscribing(find_of("%")))),
    (40400, "unacceptableSignature", lambda w: w.publish("save_business", saving(inside='<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'))),
    (40500, "invalidCombination", lambda w: w.inquire("find_business", QUALIFIERS.format(ONE.format("andAllKeys") + ONE.format("orAllKeys")) + "<name>a</name>")),
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory, backend):
    settings = config(
        tmp_path_factory.mktemp("registry"),
        inquiry={"max_body_bytes": 60_000},
        limits={"businesses": 5, "services": 3, "tmodels": 3, "assertions": 2},
        subscription={"members": 3},
    )
    with running(settings) as server:
        yield World(server, settings.store.url)


@pytest.mark.parametrize(
    ("errno", "code", "ask"), CASES, ids=lambda v: v if isinstance(v, int) else ""
)
def test_the_number_on_the_wire(world, errno, code, ask):
    reply = ask(world)
    assert reply.status == 500, reply.body.decode()
    assert reply.error == (errno, f"E_{code}")
    said = reply.content.findtext("faultstring")
    assert " / " in said, "in Chinese and in English"
    server = reply.content.findtext("faultcode") == "soap:Server"
    assert server == (code == "busy")


def test_every_number_has_a_row():
    assert {(ERRNO[code], code) for code in ERRNO} == {(errno, code) for errno, code, _ in CASES}
    assert not NOT_HERE.keys() & ERRNO.keys()


def test_what_was_refused_changed_nothing(world):
    """Whole or not at all: nothing of a refused call stays."""
    (mine,) = world.inquire("get_businessDetail", f"<businessKey>{world.hx}</businessKey>").content
    assert mine.findtext("{*}name") in ("甲", "x")
    assert len(mine.findall(".//{*}businessService")) <= 1
    assert len(world.publish("get_publisherAssertions", "").content) == 0
    told = world.publish("get_registeredInfo", "").content
    assert told is not None


def test_password_is_right_after_all_this(world):
    assert world.registry.client().get_auth_token("hx", PASSWORDS["hx"])
