"""Subscriptions on the wire: saved, asked, and listeners told over HTTP."""

from __future__ import annotations

import http.server
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from registry_server import Running, config, running, v3

from registry.uddi import schema
from registry.uddi.notifier import Notifier

SUB = "urn:uddi-org:sub_v3"
V3 = "urn:uddi-org:api_v3"
ANSWERS = etree.XMLSchema(file=str(Path(schema.__file__).with_name("uddi_sub_v3.xsd")))
LOOPBACK = {"listener_networks": ["127.0.0.0/8", "::1/128"], "interval_seconds": 0.1}


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    settings = config(tmp_path_factory.mktemp("registry"), subscription=LOOPBACK)
    with running(settings) as server:
        yield server


def token(registry: Running, user: str) -> str:
    return f'<authInfo xmlns="{V3}">{registry.token(user)}</authInfo>'


def send(registry: Running, operation: str, content: str = "", user: str = "hx"):
    auth = token(registry, user) if user else ""
    return registry.uddi(
        "subscription", f'<{operation} xmlns="{SUB}">{auth}{content}</{operation}>'
    )


def ask(registry: Running, operation: str, content: str = "", user: str = "hx") -> etree._Element:
    """The answer, held against the schema."""
    reply = send(registry, operation, content, user)
    assert reply.status == 200, reply.body.decode()
    assert ANSWERS.validate(reply.content), (ANSWERS.error_log, reply.body.decode())
    return reply.content


def by_name(name: str, operation: str = "find_business", attributes: str = "") -> str:
    return (
        f'<{operation} xmlns="{V3}" {attributes}><findQualifiers><findQualifier>approximateMatch'
        f"</findQualifier></findQualifiers><name>{name}</name></{operation}>"
    )


def subscription(wanted: str, rest: str = "", key: str = "", attributes: str = "") -> str:
    own = f"<subscriptionKey>{key}</subscriptionKey>" if key else ""
    filtered = f"<subscriptionFilter>{wanted}</subscriptionFilter>"
    return f"<subscription {attributes}>{own}{filtered}{rest}</subscription>"


def saved(registry, wanted, rest="", key="", attributes="", user="hx") -> str:
    content = subscription(wanted, rest, key, attributes)
    (made,) = ask(registry, "save_subscription", content, user)
    return made.findtext(f"{{{SUB}}}subscriptionKey")


def save_business(registry, name, key="", inside="", user="hx") -> str:
    entity = f'<businessEntity businessKey="{key}"><name>{name}</name>{inside}</businessEntity>'
    auth = f"<authInfo>{registry.token(user)}</authInfo>"
    reply = registry.uddi("publish", v3("save_business", auth + entity))
    assert reply.status == 200, reply.body.decode()
    return reply.content[0].get("businessKey")


def delete_business(registry, key, user="hx"):
    auth = f"<authInfo>{registry.token(user)}</authInfo>"
    content = f"{auth}<businessKey>{key}</businessKey>"
    assert registry.uddi("publish", v3("delete_business", content)).status == 200


def period(start: str = "", end: str = "") -> str:
    first = f"<startPoint>{start}</startPoint>" if start else ""
    last = f"<endPoint>{end}</endPoint>" if end else ""
    return f"<coveragePeriod>{first}{last}</coveragePeriod>"


def moment() -> str:
    """Now, in a millisecond of its own."""
    time.sleep(0.002)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    time.sleep(0.002)
    return now


def results(registry, key, covered="", rest="", user="hx") -> etree._Element:
    content = f"<subscriptionKey>{key}</subscriptionKey>{covered or period()}{rest}"
    return ask(registry, "get_subscriptionResults", content, user)


def told(answer: etree._Element) -> tuple[list[str], list[str]]:
    """The keys of what is there, and of what is gone."""
    names = ("businessKey", "serviceKey", "bindingKey", "tModelKey")
    there = [
        info.get(name)
        for tag, name in (("businessInfo", "businessKey"), ("tModelInfo", "tModelKey"),
                          ("businessEntity", "businessKey"), ("bindingTemplate", "bindingKey"))
        for info in answer.iterfind(f"{{{V3}}}*//{{{V3}}}{tag}")
    ]  # fmt: skip
    there += [
        info.get("serviceKey")
        for info in answer.iterfind(f"{{{V3}}}serviceList//{{{V3}}}serviceInfo")
    ]
    there += [e.get("bindingKey") for e in answer.iterfind(f"{{{V3}}}bindingDetail/*[@bindingKey]")]
    there += [
        e.get("businessKey") for e in answer.iterfind(f"{{{V3}}}businessDetail/*[@businessKey]")
    ]
    bags = {"true": [], "false": there}
    for bag in answer.iterfind(f"{{{SUB}}}keyBag"):
        keys = [e.text for e in bag if etree.QName(e).localname in names]
        bags[bag.findtext(f"{{{SUB}}}deleted")].extend(keys)
    return there, bags["true"]


# --- keeping ---------------------------------------------------------------------------------


def test_a_subscription_is_adopted_kept_renewed_and_deleted(registry):
    key = saved(registry, by_name("kept%"), "<maxEntities>5</maxEntities>", attributes='brief="1"')
    (made,) = [
        s for s in ask(registry, "get_subscriptions")
        if s.findtext(f"{{{SUB}}}subscriptionKey") == key
    ]  # fmt: skip
    assert made.get("brief") == "true"
    assert made.findtext(f"{{{SUB}}}maxEntities") == "5"
    ends = datetime.fromisoformat(made.findtext(f"{{{SUB}}}expiresAfter"))
    assert timedelta(days=365) < ends - datetime.now(UTC) < timedelta(days=367)
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    again = saved(
        registry, by_name("other%"), f"<expiresAfter>{soon}</expiresAfter>", key=key.upper()
    )
    assert again == key
    assert ask(registry, "get_subscriptions", user="sq").find("*") is None
    reply = send(registry, "delete_subscription", f"<subscriptionKey>{key}</subscriptionKey>")
    assert reply.status == 200 and len(reply.tree[0]) == 0
    gone = send(registry, "delete_subscription", f"<subscriptionKey>{key}</subscriptionKey>")
    assert gone.error == (10210, "E_invalidKeyPassed")


def test_a_subscription_that_has_expired_is_gone(registry):
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    key = saved(registry, by_name("x"), f"<expiresAfter>{soon}</expiresAfter>")
    deadline = time.monotonic() + 30
    asked = f"<subscriptionKey>{key}</subscriptionKey>{period()}"
    while (reply := send(registry, "get_subscriptionResults", asked)).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert reply.error == (10210, "E_invalidKeyPassed")


def test_the_token_of_a_filter_is_not_kept(registry):
    secret = registry.token("hx")
    wanted = by_name("secret%").replace(
        "<findQualifiers>", f"<authInfo>{secret}</authInfo><findQualifiers>", 1
    )
    key = saved(registry, wanted)
    kept = send(registry, "get_subscriptions").body.decode()
    assert key in kept and secret not in kept


# --- asking ----------------------------------------------------------------------------------


def test_what_changed_in_a_time_and_what_went(registry):
    before = moment()
    one = save_business(registry, "asked one")
    key = saved(registry, by_name("asked%"))
    between = moment()
    two = save_business(registry, "asked two")
    save_business(registry, "not that")
    after = moment()
    assert told(results(registry, key, period(before, between)))[0] == [one]
    assert told(results(registry, key, period(between, after)))[0] == [two]
    assert sorted(told(results(registry, key))[0]) == sorted([one, two])
    assert told(results(registry, key, period(after))) == ([], [])
    delete_business(registry, one)
    save_business(registry, "renamed", two)
    there, gone = told(results(registry, key, period(after)))
    assert (there, sorted(gone)) == ([], sorted([one, two]))
    assert told(results(registry, key, period(before, after))) == ([], [])
    back = moment()
    save_business(registry, "asked again", two)
    assert told(results(registry, key, period(back))) == ([two], [])


def test_a_change_inside_is_a_change(registry):
    inside = '<businessServices><businessService serviceKey=""><name>s</name></businessService></businessServices>'  # noqa: E501
    business = save_business(registry, "outer", inside=inside)
    key = saved(registry, by_name("outer"))
    before = moment()
    (info,) = registry.uddi("inquiry", v3("get_businessDetail",
                            f"<businessKey>{business}</businessKey>")).content  # fmt: skip
    service = info.find(f".//{{{V3}}}businessService").get("serviceKey")
    auth = f"<authInfo>{registry.token('hx')}</authInfo>"
    binding = (
        f'<bindingTemplate serviceKey="{service}"><accessPoint>http://x</accessPoint>'
        "</bindingTemplate>"
    )
    assert registry.uddi("publish", v3("save_binding", auth + binding)).status == 200
    assert told(results(registry, key, period(before)))[0] == [business]


@pytest.mark.parametrize(
    ("operation", "holder"),
    [("get_businessDetail", "businessDetail"), ("find_business", "businessList")],
)
def test_brief_results_are_keys(registry, operation, holder):
    business = save_business(registry, f"brief {operation}")
    wanted = (
        by_name(f"brief {operation}")
        if operation.startswith("find")
        else f'<{operation} xmlns="{V3}"><businessKey>{business}</businessKey></{operation}>'
    )
    full = results(registry, saved(registry, wanted))
    assert full.find(f"{{{V3}}}{holder}") is not None
    brief = results(registry, saved(registry, wanted, attributes='brief="true"'))
    assert brief.find(f"{{{V3}}}{holder}") is None
    assert told(brief)[0] == [business]


@pytest.mark.parametrize(
    ("wanted", "holder", "count"),
    [
        (by_name("uddi-org:xml%", "find_tModel"), "tModelList", 2),
        (f'<get_tModelDetail xmlns="{V3}"><tModelKey>uddi:uddi.org:wsdl:types</tModelKey>'
         "</get_tModelDetail>", "tModelDetail", 1),
        (by_name("every service", "find_service"), "serviceList", 1),
    ],
)  # fmt: skip
def test_results_are_what_the_operation_answers(registry, wanted, holder, count):
    inside = '<businessServices><businessService serviceKey=""><name>every service</name></businessService></businessServices>'  # noqa: E501
    if "every service" in wanted:
        save_business(registry, "with a service", inside=inside)
    answer = results(registry, saved(registry, wanted)).find(f"{{{V3}}}{holder}")
    assert len(list(answer.iterfind(f".//{{{V3}}}name"))) == count


def test_assertions_can_be_subscribed_to(registry):
    one, two = save_business(registry, "as 1"), save_business(registry, "as 2")
    report = saved(registry, f'<get_assertionStatusReport xmlns="{V3}"/>')
    related = saved(
        registry,
        f'<find_relatedBusinesses xmlns="{V3}"><businessKey>{one}</businessKey>'
        "</find_relatedBusinesses>",
    )
    before = moment()
    assert results(registry, related, period(before)).find(f"{{{V3}}}*") is None
    auth = f"<authInfo>{registry.token('hx')}</authInfo>"
    said = (
        f"<publisherAssertion><fromKey>{one}</fromKey><toKey>{two}</toKey>"
        '<keyedReference tModelKey="uddi:uddi.org:relationships" keyName="" keyValue="identity"/>'
        "</publisherAssertion>"
    )
    assert registry.uddi("publish", v3("add_publisherAssertions", auth + said)).status == 200
    found = results(registry, related, period(before))
    assert found.findtext(f".//{{{V3}}}relatedBusinessInfo/{{{V3}}}businessKey") == two
    (item,) = results(registry, report, period(before)).iter(f"{{{V3}}}assertionStatusItem")
    assert item.get("completionStatus") == "status:complete"


def test_chunks_come_one_after_another(registry):
    keys = sorted(save_business(registry, f"chunk {n}") for n in range(5))
    key = saved(registry, by_name("chunk%"), "<maxEntities>2</maxEntities>")
    seen, rest, sizes = [], "", []
    covered = period(end=moment())
    while True:
        answer = results(registry, key, covered, rest)
        there, _ = told(answer)
        seen += there
        sizes.append(len(there))
        chunk = answer.findtext(f"{{{SUB}}}chunkToken")
        if chunk is None:
            break
        rest = f"<chunkToken>{chunk}</chunkToken>"
    assert (seen, sizes) == (keys, [2, 2, 1])


# --- refusals --------------------------------------------------------------------------------

FUTURE = "2999-01-01T00:00:00Z"
PAST = "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("operation", "content", "error"),
    [
        ("save_subscription", subscription(by_name("a"), f"<expiresAfter>{PAST}</expiresAfter>"),
         40030),
        ("save_subscription", subscription(by_name("a"), key="uddi:nobody:knows"), 10210),
        ("save_subscription", subscription(by_name("a"), key="not a key"), 10210),
        ("save_subscription", subscription(by_name("a"), "<maxEntities>0</maxEntities>"), 20200),
        ("save_subscription", subscription(""), 10500),
        ("save_subscription", subscription(by_name("a").replace("approximateMatch", "soundsLike")),
         10050),
        ("save_subscription", subscription(
            by_name("a").replace("</findQualifiers>",
                                 "<findQualifier>exactMatch</findQualifier></findQualifiers>")),
         40500),
        ("save_subscription", subscription(
            by_name("a"), f'<bindingKey xmlns="{V3}">uddi:none</bindingKey>'
            "<notificationInterval>PT1H</notificationInterval>"), 10210),
        ("delete_subscription", "<subscriptionKey>uddi:none</subscriptionKey>", 10210),
        ("get_subscriptionResults", "<subscriptionKey>uddi:none</subscriptionKey>" + period(),
         10210),
        ("get_subscriptionResults", "{key}" + period(FUTURE), 40030),
        ("get_subscriptionResults", "{key}" + period("2021-01-01T00:00:00Z", PAST), 40030),
        ("get_subscriptionResults", "{key}" + period("0000-01-01T00:00:00Z"), 40030),
        ("get_subscriptionResults", "{key}" + period() + "<chunkToken>made-up</chunkToken>", 20200),
        ("get_subscriptionResults", "{key}" + period() + "<chunkToken>MS8yL3g=</chunkToken>",
         20200),
        ("get_subscriptionResults", "{key}", 10500),
        ("get_everything", "", 10050),
    ],
)  # fmt: skip
def test_refusals(registry, operation, content, error):
    if "{key}" in content:
        key = saved(registry, by_name("refused"))
        content = content.replace("{key}", f"<subscriptionKey>{key}</subscriptionKey>")
    reply = send(registry, operation, content)
    assert reply.status == 500
    # year 0 is no xs:dateTime for libxml2, which then says so first
    assert reply.error[0] in ({error, 10500} if "0000" in content else {error})


def test_subscriptions_are_their_publishers_own(registry):
    key = saved(registry, by_name("mine"))
    asked = f"<subscriptionKey>{key}</subscriptionKey>"
    for operation, content in (
        ("delete_subscription", asked),
        ("get_subscriptionResults", asked + period()),
        ("save_subscription", subscription(by_name("a"), key=key)),
    ):
        assert send(registry, operation, content, user="sq").error == (10140, "E_userMismatch")
        assert send(registry, operation, content, user="").error == (10120, "E_authTokenRequired")


def test_too_many_and_too_wide_subscriptions(tmp_path):
    settings = config(
        tmp_path, limits={"subscriptions": 2}, subscription={**LOOPBACK, "members": 3}
    )
    with running(settings) as registry:
        wide = subscription(by_name("uddi-org%", "find_tModel"))
        assert send(registry, "save_subscription", wide).error == (40300, "E_resultSetTooLarge")
        assert ask(registry, "get_subscriptions").find("*") is None
        for _ in range(2):
            saved(registry, by_name("a"))
        third = send(registry, "save_subscription", subscription(by_name("a")))
        assert third.error == (10160, "E_accountLimitExceeded")
        assert len(ask(registry, "get_subscriptions")) == 2


# --- listeners -------------------------------------------------------------------------------


class Listening:
    """A listener on a real socket: what it was told, and how it answers."""

    def __init__(self) -> None:
        self.heard: queue.Queue[etree._Element] = queue.Queue()
        self.statuses: queue.Queue[int] = queue.Queue()
        self.port = 0


@contextmanager
def listening() -> Iterator[Listening]:
    listener = Listening()

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                status = listener.statuses.get_nowait()
            except queue.Empty:
                status = 200
            if status == 200:
                listener.heard.put(etree.fromstring(body)[0][0])
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    listener.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)


def listener_binding(registry, url, user="hx") -> str:
    inside = (
        '<businessServices><businessService serviceKey=""><bindingTemplates>'
        f'<bindingTemplate bindingKey=""><accessPoint useType="endPoint">{url}</accessPoint>'
        "</bindingTemplate></bindingTemplates></businessService></businessServices>"
    )
    auth = f"<authInfo>{registry.token(user)}</authInfo>"
    entity = f'<businessEntity businessKey=""><name>listener</name>{inside}</businessEntity>'
    reply = registry.uddi("publish", v3("save_business", auth + entity))
    assert reply.status == 200, reply.body.decode()
    return reply.content.find(f".//{{{V3}}}bindingTemplate").get("bindingKey")


def to_listener(binding: str, interval: str = "PT0S") -> str:
    return (
        f'<bindingKey xmlns="{V3}">{binding}</bindingKey>'
        f"<notificationInterval>{interval}</notificationInterval>"
    )


def test_a_listener_is_told_what_is_new_and_what_is_gone(registry):
    with listening() as listener:
        binding = listener_binding(registry, f"http://127.0.0.1:{listener.port}/hear?me=1")
        key = saved(registry, by_name("told%"), to_listener(binding))
        one = save_business(registry, "told one")
        message = listener.heard.get(timeout=60)
        assert message.tag == "{urn:uddi-org:subr_v3}notify_subscriptionListener"
        (list_,) = message
        assert ANSWERS.validate(list_), ANSWERS.error_log
        assert told(list_) == ([one], [])
        assert list_.findtext(f"{{{SUB}}}subscription/{{{SUB}}}subscriptionKey") == key
        two = save_business(registry, "told two")
        assert told(listener.heard.get(timeout=60)[0]) == ([two], [])
        delete_business(registry, one)
        assert told(listener.heard.get(timeout=60)[0]) == ([], [one])
        assert listener.heard.empty()
        send(registry, "delete_subscription", f"<subscriptionKey>{key}</subscriptionKey>")


def test_what_could_not_be_told_is_told_later(tmp_path, monkeypatch):
    monkeypatch.setattr("registry.uddi.notifier._FIRST_RETRY", 0.1)
    monkeypatch.setattr(Notifier.__init__, "__defaults__", (0.1,))
    with running(config(tmp_path, subscription=LOOPBACK)) as registry, listening() as listener:
        for status in (500, 302, 404):
            listener.statuses.put(status)
        binding = listener_binding(registry, f"http://localhost:{listener.port}/")
        saved(registry, by_name("later%"), to_listener(binding))
        one = save_business(registry, "later one")
        assert told(listener.heard.get(timeout=60)[0]) == ([one], [])
        assert listener.statuses.empty()


def test_what_changed_while_the_registry_was_down_is_told(tmp_path):
    settings = config(tmp_path, subscription={**LOOPBACK, "interval_seconds": 3})
    with listening() as listener:
        with running(settings) as registry:
            binding = listener_binding(registry, f"http://127.0.0.1:{listener.port}/")
            saved(registry, by_name("down%"), to_listener(binding))
            one = save_business(registry, "down one")
        assert listener.heard.empty()
        with running(settings):
            assert told(listener.heard.get(timeout=60)[0]) == ([one], [])


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("mailto:it@hospital.example", 10050),
        ("ftp://10.0.0.1/", 10050),
        ("http://169.254.169.254/latest/", 20250),
        ("http://192.0.2.1/", 20250),
        ("http://no-such-host.invalid/", 20250),
    ],
)
def test_listeners_that_are_refused(registry, url, error):
    binding = listener_binding(registry, url)
    reply = send(registry, "save_subscription", subscription(by_name("a"), to_listener(binding)))
    assert reply.error[0] == error
    if url.startswith("mailto"):
        assert "email is not supported" in reply.content.findtext("faultstring")


def test_loopback_is_refused_unless_it_is_allowed(tmp_path):
    with running(config(tmp_path)) as registry:
        binding = listener_binding(registry, "http://127.0.0.1:9/")
        reply = send(registry, "save_subscription",
                     subscription(by_name("a"), to_listener(binding)))  # fmt: skip
        assert reply.error == (20250, "E_requestDenied")


def test_a_listener_is_the_publishers_own_and_has_an_interval(registry):
    binding = listener_binding(registry, "http://127.0.0.1:9/", user="sq")
    content = subscription(by_name("a"), to_listener(binding))
    assert send(registry, "save_subscription", content).error == (10140, "E_userMismatch")
    without = subscription(by_name("a"), f'<bindingKey xmlns="{V3}">{binding}</bindingKey>')
    assert send(registry, "save_subscription", without, "sq").error == (20200, "E_invalidValue")
