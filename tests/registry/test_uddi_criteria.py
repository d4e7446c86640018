"""Finds by groups of references and discoveryURLs, projections, and signaturePresent."""

from __future__ import annotations

import pytest
from registry_server import config, running, v3

from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    CategoryBag,
    Find,
    KeyedReference,
    KeyedReferenceGroup,
    LangText,
    TModel,
    TModelInstanceInfo,
    UseText,
)

ADDRESS, STREET, CITY = "uddi:yilian:address", "uddi:yilian:street", "uddi:yilian:city"


def group(*pairs, key=ADDRESS):
    return KeyedReferenceGroup(key, tuple(KeyedReference(t, v) for t, v in pairs))


def at(*pairs, key=ADDRESS):
    return {"category_bag": CategoryBag(groups=(group(*pairs, key=key),))}


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    with running(config(tmp_path_factory.mktemp("registry"))) as server:
        client, token = server.client(), server.token("admin")
        client.save_tmodels(token, [TModel(k, LangText(k)) for k in (ADDRESS, STREET, CITY)])
        client.save_businesses(
            token,
            [
                BusinessEntity(
                    key="uddi:yilian:t:one",
                    names=(LangText("one"),),
                    category_bag=CategoryBag(
                        (KeyedReference(CITY, "plain"),),
                        (
                            group((STREET, "Main"), (CITY, "Ningbo")),
                            group((STREET, "Side"), (CITY, "Hangzhou")),
                        ),
                    ),
                    discovery_urls=(
                        UseText("http://one.example/Page", "homepage"),
                        UseText("http://one.example/" + "x" * 400, ""),
                    ),
                    services=(
                        BusinessService(
                            key="uddi:yilian:t:one:s",
                            names=(LangText("shared"),),
                            category_bag=CategoryBag((KeyedReference(CITY, "inner"),)),
                            bindings=(
                                BindingTemplate(
                                    access_point=UseText("http://one/"),
                                    instances=(TModelInstanceInfo(STREET),),
                                    category_bag=CategoryBag(
                                        groups=(group((CITY, "Deep"), key=CITY),)
                                    ),
                                ),
                            ),
                        ),
                    ),
                ),
                BusinessEntity(
                    key="uddi:yilian:t:two",
                    names=(LangText("two"),),
                    category_bag=CategoryBag(groups=(group((STREET, "Main"), (CITY, "Hangzhou")),)),
                    discovery_urls=(UseText("http://two.example/", "homepage"),),
                ),
            ],
        )
        client.save_tmodels(
            token,
            [TModel("uddi:yilian:grouped", LangText("g"), category_bag=CategoryBag(
                groups=(group((CITY, "Ningbo")),)))],
        )  # fmt: skip
        yield server


def found(registry, *qualifiers, **criteria):
    keys = registry.client().find_business(Find(qualifiers=qualifiers, **criteria))
    return [key.rpartition(":")[2] for key in keys]


@pytest.mark.parametrize(
    ("qualifiers", "criteria", "names"),
    [
        ((), at((STREET, "Main"), (CITY, "Ningbo")), ["one"]),
        ((), at((CITY, "Ningbo"), (STREET, "Main")), ["one"]),
        ((), at((CITY, "Hangzhou")), ["one", "two"]),
        ((), at((STREET, "Main"), (CITY, "Hangzhou")), ["two"]),
        ((), at((STREET, "Side"), (CITY, "Ningbo")), []),
        ((), at((STREET, "Main"), key=CITY), []),
        ((), at(), ["one", "two"]),
        ((), at((CITY, "ningbo")), []),
        (("caseInsensitiveMatch",), at((CITY, "ningbo")), ["one"]),
        (("approximateMatch",), at((CITY, "%zhou")), ["one", "two"]),
        (("bindingSubset",), at((CITY, "Deep"), key=CITY), ["one"]),
        (("combineCategoryBags",), at((CITY, "Deep"), key=CITY), ["one"]),
        ((), at((CITY, "Deep"), key=CITY), []),
    ],
)
def test_a_group_matches_as_a_whole(registry, qualifiers, criteria, names):
    assert found(registry, *qualifiers, **criteria) == names


def test_groups_and_references_combine_as_the_qualifiers_say(registry):
    bag = CategoryBag((KeyedReference(CITY, "plain"),), (group((CITY, "Ningbo")),))
    assert found(registry, category_bag=bag) == ["one"]
    other = CategoryBag((KeyedReference(CITY, "nowhere"),), (group((CITY, "Hangzhou")),))
    assert found(registry, category_bag=other) == []
    assert found(registry, "orAllKeys", category_bag=other) == ["one", "two"]
    two = CategoryBag(groups=(group((CITY, "Ningbo")), group((CITY, "Hangzhou"))))
    assert found(registry, category_bag=two) == ["one"]
    assert found(registry, "orAllKeys", category_bag=two) == ["one", "two"]


def test_a_tmodels_groups_go_when_it_is_saved_without(registry):
    client, wanted = registry.client(), Find(**at((CITY, "Ningbo")))
    assert client.find_tmodel(wanted) == ["uddi:yilian:grouped"]
    token = registry.token("admin")
    (before,) = client.get_tmodel_detail(["uddi:yilian:grouped"])
    client.save_tmodels(token, [TModel("uddi:yilian:grouped", LangText("g"))])
    assert client.find_tmodel(wanted) == []
    client.save_tmodels(token, [before])
    assert client.find_tmodel(wanted) == ["uddi:yilian:grouped"]


@pytest.mark.parametrize(
    ("qualifiers", "urls", "names"),
    [
        ((), [("http://one.example/Page", "")], ["one"]),
        ((), [("http://one.example/Page", "homepage")], ["one"]),
        ((), [("http://one.example/Page", "other")], []),
        ((), [("http://one.example/page", "")], []),
        (("caseInsensitiveMatch",), [("http://one.example/page", "")], ["one"]),
        (("approximateMatch",), [("%example/%", "homepage")], ["one", "two"]),
        ((), [("http://one.example/" + "x" * 400, "")], ["one"]),
        ((), [("http://one.example/" + "x" * 399, "")], []),
        ((), [("http://nowhere/", ""), ("http://two.example/", "")], ["two"]),
    ],
)
def test_find_business_by_discovery_url(registry, qualifiers, urls, names):
    criteria = {"discovery_urls": tuple(UseText(*url) for url in urls)}
    assert found(registry, *qualifiers, **criteria) == names


def test_nothing_here_is_signed(registry):
    assert found(registry, "signaturePresent", names=(LangText("one"),)) == []
    qualified = (
        "<findQualifiers><findQualifier>uddi:uddi.org:findqualifier:SIGNATUREPRESENT"
        "</findQualifier></findQualifiers><name>one</name>"
    )
    for operation in ("find_business", "find_service", "find_tModel"):
        reply = registry.uddi("inquiry", v3(operation, qualified))
        assert reply.status == 200 and len(reply.content) == 0


# --- projections -----------------------------------------------------------------------------

PROJECTED = BusinessService(key="uddi:yilian:t:one:s", business_key="uddi:yilian:t:one")


@pytest.fixture
def projecting(registry):
    """A business of another publisher that shows the first one's service."""
    client, token = registry.client(), registry.token("sq")
    own = BusinessService(names=(LangText("own"),))
    business = BusinessEntity(
        key="uddi:yilian:t:three", names=(LangText("three"),), services=(own, PROJECTED)
    )
    (saved,) = client.save_businesses(token, [business])
    yield saved
    client.delete_businesses(token, [saved.key])


def test_a_projection_shows_the_service_as_it_is(registry, projecting):
    assert [s.business_key for s in projecting.services] == [
        "uddi:yilian:t:three",
        "uddi:yilian:t:one",
    ]
    shown = projecting.services[1]
    (real,) = registry.client().get_service_detail([PROJECTED.key])
    assert shown == real and shown.bindings
    (again,) = registry.client().get_business_detail([projecting.key])
    assert again == projecting
    assert registry.client().save_businesses(registry.token("sq"), [again]) == [again]


def test_finds_see_through_projections_unless_told_not_to(registry, projecting):
    suppress = "suppressProjectedServices"
    inner = {"category_bag": CategoryBag((KeyedReference(CITY, "inner"),))}
    assert found(registry, "serviceSubset", **inner) == ["one", "three"]
    assert found(registry, "serviceSubset", suppress, **inner) == ["one"]
    assert found(registry, tmodel_bag=(STREET,)) == ["one", "three"]
    assert found(registry, suppress, tmodel_bag=(STREET,)) == ["one"]
    client = registry.client()
    inside = client.find_service(Find(parent_key=projecting.key))
    assert PROJECTED.key in inside and len(inside) == 2
    assert len(client.find_service(Find((suppress,), parent_key=projecting.key))) == 1
    for qualifier, count in ((suppress, 1), ("exactMatch", 2)):
        reply = registry.uddi(
            "inquiry",
            v3("find_business", f"<findQualifiers><findQualifier>{qualifier}</findQualifier>"
               "</findQualifiers><name>three</name>"),
        )  # fmt: skip
        assert len(list(reply.content.iter("{*}serviceInfo"))) == count


def test_saving_the_real_business_leaves_projections(registry, projecting):
    client, token = registry.client(), registry.token("admin")
    (one,) = client.get_business_detail(["uddi:yilian:t:one"])
    client.save_businesses(token, [one])
    (three,) = client.get_business_detail([projecting.key])
    assert [s.key for s in three.services][1] == PROJECTED.key


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        ("uddi:yilian:t:one:s", "uddi:yilian:t:two"),
        ("uddi:yilian:t:none", "uddi:yilian:t:one"),
        ("", "uddi:yilian:t:one"),
    ],
)
def test_a_projection_of_what_is_not_there(registry, key, owner):
    token = f"<authInfo>{registry.token('sq')}</authInfo>"
    service = f'<businessService serviceKey="{key}" businessKey="{owner}"/>'
    entity = (
        '<businessEntity businessKey=""><name>x</name><businessServices>'
        f"{service}</businessServices></businessEntity>"
    )
    reply = registry.uddi("publish", v3("save_business", token + entity))
    assert reply.error == (20230, "E_invalidProjection")


# --- qualifiers ------------------------------------------------------------------------------

SHORT = (
    "andAllKeys", "orAllKeys", "orLikeKeys", "approximateMatch", "exactMatch",
    "caseSensitiveMatch", "caseInsensitiveMatch", "caseSensitiveSort", "caseInsensitiveSort",
    "sortByNameAsc", "sortByNameDesc", "sortByDateAsc", "sortByDateDesc", "binarySort",
    "combineCategoryBags", "serviceSubset", "bindingSubset", "suppressProjectedServices",
    "signaturePresent", "diacriticSensitiveMatch",
)  # fmt: skip


@pytest.mark.parametrize("form", ["{}", "uddi:uddi.org:findqualifier:{}"])
@pytest.mark.parametrize("case", [str, str.lower, str.upper], ids=["as is", "lower", "upper"])
def test_every_qualifier_by_name_and_by_tmodel_key_in_any_case(registry, form, case):
    for short in SHORT:
        for operation in ("find_business", "find_service", "find_tModel"):
            qualifier = f"<findQualifier>{case(form.format(short))}</findQualifier>"
            content = f"<findQualifiers>{qualifier}</findQualifiers><name>one</name>"
            assert registry.uddi("inquiry", v3(operation, content)).status == 200, short


@pytest.mark.parametrize(
    "clash",
    [
        ("andAllKeys", "orAllKeys"), ("andAllKeys", "orLikeKeys"), ("orAllKeys", "orLikeKeys"),
        ("exactMatch", "approximateMatch"), ("exactMatch", "caseInsensitiveMatch"),
        ("caseSensitiveMatch", "caseInsensitiveMatch"),
        ("caseSensitiveSort", "caseInsensitiveSort"), ("binarySort", "caseInsensitiveSort"),
        ("sortByNameAsc", "sortByNameDesc"), ("sortByDateAsc", "sortByDateDesc"),
        ("combineCategoryBags", "serviceSubset"), ("combineCategoryBags", "bindingSubset"),
        ("serviceSubset", "bindingSubset"),
    ],
)  # fmt: skip
def test_exclusive_groups_in_every_operation(registry, clash):
    first, second = clash[0].upper(), f"uddi:uddi.org:findqualifier:{clash[1]}"
    listed = f"<findQualifier>{first}</findQualifier><findQualifier>{second}</findQualifier>"
    qualifiers = f"<findQualifiers>{listed}</findQualifiers>"
    for operation, rest in (
        ("find_business", "<name>a</name>"),
        ("find_service", "<name>a</name>"),
        ("find_binding", "<tModelBag><tModelKey>uddi:x</tModelKey></tModelBag>"),
        ("find_tModel", "<name>a</name>"),
        ("find_relatedBusinesses", "<businessKey>uddi:yilian:t:one</businessKey>"),
    ):
        reply = registry.uddi("inquiry", v3(operation, qualifiers + rest))
        assert reply.error == (40500, "E_invalidCombination"), operation
