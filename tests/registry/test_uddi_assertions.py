"""Publisher assertions and related businesses on the wire, in versions 3 and 2."""

from __future__ import annotations

import pytest
from registry_server import Running, config, running, v3

from registry.older_keys import older_key

RELATIONSHIPS = "uddi:uddi.org:relationships"


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    with running(config(tmp_path_factory.mktemp("registry"))) as server:
        yield server


def token(registry: Running, user: str) -> str:
    return f"<authInfo>{registry.token(user)}</authInfo>"


def business(registry: Running, user: str, name: str) -> str:
    entity = f'<businessEntity businessKey=""><name>{name}</name></businessEntity>'
    saved = registry.uddi("publish", v3("save_business", token(registry, user) + entity))
    return saved.content[0].get("businessKey")


def assertion(one: str, other: str, value="parent-child", name="holds", tmodel=RELATIONSHIPS):
    return (
        f"<publisherAssertion><fromKey>{one}</fromKey><toKey>{other}</toKey>"
        f'<keyedReference tModelKey="{tmodel}" keyName="{name}" keyValue="{value}"/>'
        "</publisherAssertion>"
    )


def send(registry, user, operation, content="", port="publish"):
    return registry.uddi(port, v3(operation, token(registry, user) + content))


def statuses(registry, user, status=""):
    asked = f"<completionStatus>{status}</completionStatus>" if status else ""
    reply = send(registry, user, "get_assertionStatusReport", asked)
    assert reply.status == 200, reply.body
    return [
        (
            item.get("completionStatus"),
            item.findtext("{*}fromKey"),
            item.findtext("{*}toKey"),
            [e.text for e in item.find("{*}keysOwned")],
        )
        for item in reply.content
    ]


def related(registry, content, qualifiers=(), attributes=""):
    listed = "".join(f"<findQualifier>{q}</findQualifier>" for q in qualifiers)
    found = registry.uddi(
        "inquiry",
        v3(
            "find_relatedBusinesses",
            f"<findQualifiers>{listed}</findQualifiers>{content}",
            attributes,
        ),
    )
    assert found.status == 200, found.body
    return [
        (
            info.findtext("{*}businessKey"),
            [
                (s.get("direction"), [r.get("keyValue") for r in s])
                for s in info.findall("{*}sharedRelationships")
            ],
        )
        for info in found.content.iterfind(".//{*}relatedBusinessInfo")
    ]


@pytest.fixture
def pair(registry):
    return business(registry, "hx", "甲"), business(registry, "sq", "乙")


def test_an_assertion_is_complete_once_both_have_made_it(registry, pair):
    mine, theirs = pair
    said = assertion(mine, theirs)
    added = send(registry, "hx", "add_publisherAssertions", said)
    assert added.status == 200 and len(added.tree[0]) == 0
    assert ("status:toKey_incomplete", mine, theirs, [mine]) in statuses(registry, "hx")
    assert ("status:toKey_incomplete", mine, theirs, [theirs]) in statuses(registry, "sq")
    assert related(registry, f"<businessKey>{mine}</businessKey>") == []
    other_name = assertion(mine, theirs, name="other")
    assert send(registry, "sq", "add_publisherAssertions", other_name).status == 200
    assert related(registry, f"<businessKey>{mine}</businessKey>") == []
    assert send(registry, "sq", "add_publisherAssertions", said).status == 200
    assert ("status:complete", mine, theirs, [mine]) in statuses(registry, "hx", "status:complete")
    shared = [("fromKey", ["parent-child"])]
    assert related(registry, f"<businessKey>{mine}</businessKey>") == [(theirs, shared)]
    assert related(registry, f"<fromKey>{mine}</fromKey>") == [(theirs, shared)]
    assert related(registry, f"<toKey>{mine}</toKey>") == []
    back = [("toKey", ["parent-child"])]
    assert related(registry, f"<businessKey>{theirs}</businessKey>") == [(mine, back)]
    assert related(registry, f"<toKey>{theirs}</toKey>") == [(mine, back)]
    taken = send(registry, "sq", "delete_publisherAssertions", said)
    assert taken.status == 200
    assert related(registry, f"<businessKey>{mine}</businessKey>") == []
    assert ("status:toKey_incomplete", mine, theirs, [mine]) in statuses(registry, "hx")


def test_whoever_owns_both_completes_it_at_once(registry):
    one, two = business(registry, "hx", "one"), business(registry, "hx", "two")
    assert send(registry, "hx", "add_publisherAssertions", assertion(one, two)).status == 200
    report = statuses(registry, "hx", "status:complete")
    assert ("status:complete", one, two, [one, two]) in report


def test_a_reference_narrows_related_businesses(registry, pair):
    mine, theirs = pair
    for user in ("hx", "sq"):
        both = assertion(mine, theirs, "peer-peer") + assertion(theirs, mine, "identity")
        assert send(registry, user, "add_publisherAssertions", both).status == 200
    key = f"<businessKey>{mine}</businessKey>"

    def narrowed(value, *qualifiers, name=""):
        reference = (
            f'<keyedReference tModelKey="{RELATIONSHIPS}" keyName="{name}" keyValue="{value}"/>'
        )
        return [shared for _, shared in related(registry, key + reference, qualifiers)]

    assert narrowed("identity") == [[("toKey", ["identity"])]]
    assert narrowed("Identity") == []
    assert narrowed("Identity", "caseInsensitiveMatch") == [[("toKey", ["identity"])]]
    assert narrowed("peer%", "approximateMatch") == [[("fromKey", ["peer-peer"])]]
    assert narrowed("peer-peer", name="nothing") == []
    assert narrowed("peer-peer", name="holds") == [[("fromKey", ["peer-peer"])]]


def test_related_businesses_come_in_order_and_in_pages(registry):
    centre = business(registry, "hx", "centre")
    others = {name: business(registry, "hx", name) for name in ("b", "a", "C")}
    said = "".join(assertion(centre, key) for key in others.values())
    assert send(registry, "hx", "add_publisherAssertions", said).status == 200
    key = f"<businessKey>{centre}</businessKey>"

    def order(*qualifiers, attributes=""):
        names = {found: name for name, found in others.items()}
        return "".join(names[k] for k, _ in related(registry, key, qualifiers, attributes))

    assert order() == "Cab"
    assert order("caseInsensitiveSort") == "abC"
    assert order("sortByNameDesc") == "baC"
    assert order("sortByDateAsc") == "baC"
    assert order("sortByDateDesc") == "Cab"
    assert order(attributes='maxRows="2"') == "Ca"
    assert order(attributes='maxRows="2" listHead="3"') == "b"


def test_setting_replaces_and_getting_tells(registry):
    one, two, three = (business(registry, "sq", n) for n in ("1", "2", "3"))
    send(registry, "sq", "set_publisherAssertions", assertion(one, two))
    answered = send(registry, "sq", "set_publisherAssertions", assertion(one, three))
    (only,) = answered.content
    assert only.findtext("{*}toKey") == three
    (told,) = send(registry, "sq", "get_publisherAssertions").content
    assert told.findtext("{*}toKey") == three
    assert len(send(registry, "sq", "set_publisherAssertions").content) == 0
    assert statuses(registry, "sq", "status:complete") == []


def test_what_is_said_of_a_business_outlives_saving_it_and_goes_with_it(registry, pair):
    mine, theirs = pair
    for user in ("hx", "sq"):
        send(registry, user, "add_publisherAssertions", assertion(mine, theirs))
    again = f'<businessEntity businessKey="{mine}"><name>again</name></businessEntity>'
    assert send(registry, "hx", "save_business", again).status == 200
    assert len(related(registry, f"<businessKey>{mine}</businessKey>")) == 1
    gone = send(registry, "sq", "delete_business", f"<businessKey>{theirs}</businessKey>")
    assert gone.status == 200
    assert related(registry, f"<businessKey>{mine}</businessKey>") == []
    told = send(registry, "hx", "get_publisherAssertions").content
    assert theirs not in [e.findtext("{*}toKey") for e in told]


def test_version_2_asserts_and_finds_by_its_own_keys(registry, pair):
    mine, theirs = map(older_key, pair)

    def older(user, operation, content="", port="publish"):
        auth = token(registry, user) if port == "publish" else ""
        message = (
            f'<{operation} generic="2.0" xmlns="urn:uddi-org:api_v2">{auth}{content}</{operation}>'
        )
        reply = registry.uddi(port, message)
        assert reply.status == 200, reply.body
        return reply.content

    tmodel = "uuid:807A2C6A-EE22-470D-ADC7-E0424A337C03"
    for user in ("hx", "sq"):
        done = older(user, "add_publisherAssertions", assertion(mine, theirs, tmodel=tmodel))
        assert done[0].get("errno") == "0"
    (info,) = older("", "find_relatedBusinesses", f"<businessKey>{mine}</businessKey>",
                    "inquiry").iterfind(".//{*}relatedBusinessInfo")  # fmt: skip
    assert info.findtext("{*}businessKey") == theirs
    assert info.find("{*}sharedRelationships")[0].get("tModelKey") == tmodel.lower()
    items = older("hx", "get_assertionStatusReport",
                  "<completionStatus>status:complete</completionStatus>")  # fmt: skip
    assert mine in [item.findtext("{*}fromKey") for item in items]
    made = older("sq", "get_publisherAssertions")
    assert made.get("authorizedName") == "sq"
    done = older("sq", "delete_publisherAssertions", assertion(mine, theirs, tmodel=tmodel))
    assert done[0].get("errno") == "0"


@pytest.mark.parametrize(
    ("operation", "content", "error"),
    [
        ("add_publisherAssertions", assertion("uddi:none", "uddi:none"), 10210),
        ("set_publisherAssertions", assertion("uddi:none", "uddi:none"), 10210),
        ("delete_publisherAssertions", assertion("uddi:none", "uddi:none"), 30000),
        ("get_assertionStatusReport", "<completionStatus>status:odd</completionStatus>", 30100),
        ("get_assertionStatusReport", "<completionStatus>status:both_incomplete"
         "</completionStatus>", 30100),
        ("add_publisherAssertions", "", 10500),
        ("add_publisherAssertions", assertion("{mine}", "{theirs}", "sibling"), 20200),
        ("add_publisherAssertions", assertion("{mine}", "{theirs}", tmodel="uddi:none"), 10210),
        ("add_publisherAssertions", assertion("{theirs}", "{theirs}"), 10140),
        ("delete_publisherAssertions", assertion("{mine}", "{theirs}", "identity"), 30000),
        ("add_publisherAssertions", assertion("{mine}", "{theirs}").replace(
            "</publisherAssertion>",
            '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></publisherAssertion>'), 40400),
    ],
)  # fmt: skip
def test_refusals(registry, pair, operation, content, error):
    content = content.replace("{mine}", pair[0]).replace("{theirs}", pair[1])
    assert send(registry, "hx", operation, content).error[0] == error


def test_refusals_of_related_businesses(registry):
    none = v3("find_relatedBusinesses", "<businessKey>uddi:none</businessKey>")
    assert registry.uddi("inquiry", none).error[0] == 10210
    two = "<businessKey>uddi:a</businessKey><fromKey>uddi:b</fromKey>"
    assert registry.uddi("inquiry", v3("find_relatedBusinesses", two)).error[0] == 10500
    assert registry.uddi("inquiry", v3("find_relatedBusinesses")).error[0] == 10500


@pytest.mark.parametrize("operation", ["add_publisherAssertions", "get_publisherAssertions",
                                       "set_publisherAssertions"])  # fmt: skip
def test_a_token_is_needed(registry, operation):
    content = "" if operation.startswith("get") else assertion("uddi:a", "uddi:b")
    assert registry.uddi("publish", v3(operation, content)).error == (
        10120,
        "E_authTokenRequired",
    )
