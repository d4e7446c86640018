"""find_* and get_*: names, bags, fingerprints, qualifiers, order and pages, over the wire."""

import pytest
from registry_server import config, running, v3

from registry.errors import UddiError
from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    CategoryBag,
    Find,
    KeyedReference,
    LangText,
    TModel,
    TModelInstanceInfo,
    UseText,
)
from registry.uddi.wellknown import GENERAL_KEYWORDS, HOSPITAL_CODE, TYPES, WSDL_TYPES

REGION = "uddi:yilian:test:region"
LEVEL = "uddi:yilian:test:level"
CONTRACT_A = "uddi:yilian:test:a"
CONTRACT_B = "uddi:yilian:test:b"


NO_BAG = CategoryBag()


def bag(*pairs: tuple[str, str]) -> CategoryBag:
    return CategoryBag(tuple(KeyedReference(key, value) for key, value in pairs))


def binding(*tmodels: str, category_bag: CategoryBag = NO_BAG) -> BindingTemplate:
    instances = tuple(TModelInstanceInfo(key) for key in tmodels)
    return BindingTemplate(
        access_point=UseText("http://x", "endPoint"), instances=instances, category_bag=category_bag
    )


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    folder = tmp_path_factory.mktemp("registry")
    with running(config(folder)) as server:
        client, token = server.client(), server.token("admin")
        client.save_tmodels(
            token, [TModel(key, LangText(key)) for key in (REGION, LEVEL, CONTRACT_A, CONTRACT_B)]
        )
        client.save_businesses(
            token,
            [
                BusinessEntity(
                    key="uddi:yilian:test:north",
                    names=(LangText("北方医院", "zh"), LangText("North Hospital", "en-US")),
                    identifier_bag=(KeyedReference(HOSPITAL_CODE, "N1"),),
                    category_bag=bag((REGION, "north"), (LEVEL, "3")),
                    services=(
                        BusinessService(
                            key="uddi:yilian:test:north:lab",
                            names=(LangText("Lab_100%", "en"),),
                            category_bag=bag((LEVEL, "service")),
                            bindings=(
                                binding(CONTRACT_A, CONTRACT_B, category_bag=bag((LEVEL, "deep"))),
                            ),
                        ),
                    ),
                ),
                BusinessEntity(
                    key="uddi:yilian:test:south",
                    names=(LangText("South Hospital", "en"),),
                    identifier_bag=(KeyedReference(HOSPITAL_CODE, "S1"),),
                    category_bag=bag((REGION, "south"), (LEVEL, "3")),
                    services=(
                        BusinessService(
                            key="uddi:yilian:test:south:lab",
                            names=(LangText("LabX100Y", "en"),),
                            bindings=(binding(CONTRACT_A), binding(CONTRACT_B)),
                        ),
                    ),
                ),
                BusinessEntity(
                    key="uddi:yilian:test:west",
                    names=(LangText("west hospital", "fr"),),
                    category_bag=CategoryBag((KeyedReference(GENERAL_KEYWORDS, "eye", "urn:a"),)),
                ),
            ],
        )
        yield server


def businesses(registry, *qualifiers, **criteria):
    keys = registry.client().find_business(Find(qualifiers=qualifiers, **criteria))
    return [key.rpartition(":")[2] for key in keys]


def services(registry, *qualifiers, **criteria):
    keys = registry.client().find_service(Find(qualifiers=qualifiers, **criteria))
    return [key.split(":")[3] for key in keys]


def names(*values, lang=""):
    return {"names": tuple(LangText(value, lang) for value in values)}


@pytest.mark.parametrize(
    ("qualifiers", "criteria", "found"),
    [
        ((), names("South Hospital"), ["south"]),
        ((), names("北方医院"), ["north"]),
        ((), names("South"), []),
        ((), names("south hospital"), []),
        ((), names("%"), []),
        ((), names("South Hospital", "west hospital"), ["south", "west"]),
        (("caseInsensitiveMatch",), names("SOUTH HOSPITAL"), ["south"]),
        (("approximateMatch",), names("%Hospital"), ["south", "north"]),
        (("approximateMatch",), names("South%"), ["south"]),
        (("approximateMatch",), names("south%"), []),
        (("approximateMatch", "caseInsensitiveMatch"), names("s_uth%"), ["south"]),
        (("uddi:uddi.org:findqualifier:APPROXIMATEmatch",), names("北%"), ["north"]),
        (("approximateMatch",), names("%", lang="en"), ["south", "north"]),
        (("approximateMatch",), names("%", lang="EN-us"), ["north"]),
        (("approximateMatch",), names("%", lang="e%"), []),
        (("approximateMatch", "sortByNameDesc"), names("%"), ["north", "west", "south"]),
        (("approximateMatch", "caseInsensitiveSort"), names("%hospital"), ["west"]),
    ],
)  # fmt: skip
def test_find_business_by_name(registry, qualifiers, criteria, found):
    assert businesses(registry, *qualifiers, **criteria) == found


@pytest.mark.parametrize(
    ("qualifiers", "name", "found"),
    [
        (("approximateMatch",), "Lab%", ["south", "north"]),
        (("approximateMatch",), "Lab_100_", ["south", "north"]),
        (("approximateMatch",), "Lab\\_100\\%", ["north"]),
        (("approximateMatch",), "Lab\\\\%", []),
        (("approximateMatch",), "Lab\\", []),
        ((), "Lab_100%", ["north"]),
    ],
)
def test_wildcards_and_their_escape(registry, qualifiers, name, found):
    assert sorted(services(registry, *qualifiers, **names(name))) == sorted(found)


@pytest.mark.parametrize(
    ("qualifiers", "pairs", "found"),
    [
        ((), [(REGION, "north")], ["north"]),
        ((), [(REGION, "north"), (LEVEL, "3")], ["north"]),
        ((), [(REGION, "north"), (REGION, "south")], []),
        (("orAllKeys",), [(REGION, "north"), (REGION, "south")], ["south", "north"]),
        (("orLikeKeys",), [(REGION, "north"), (REGION, "south"), (LEVEL, "3")], ["south", "north"]),
        (("orLikeKeys",), [(REGION, "north"), (REGION, "south"), (LEVEL, "1")], []),
        ((), [(REGION.upper(), "north")], ["north"]),
        ((), [(REGION, "North")], []),
        (("caseInsensitiveMatch",), [(REGION, "North")], ["north"]),
        (("approximateMatch",), [(REGION, "%th")], ["south", "north"]),
        ((), [(LEVEL, "service")], []),
        (("combineCategoryBags",), [(LEVEL, "service"), (REGION, "north")], ["north"]),
        (("combineCategoryBags",), [(LEVEL, "deep")], ["north"]),
        (("serviceSubset",), [(LEVEL, "service")], ["north"]),
        (("serviceSubset",), [(REGION, "north")], []),
        (("bindingSubset",), [(LEVEL, "deep")], ["north"]),
        (("bindingSubset",), [(LEVEL, "service")], []),
    ],
)
def test_find_business_by_category(registry, qualifiers, pairs, found):
    assert sorted(businesses(registry, *qualifiers, category_bag=bag(*pairs))) == sorted(found)


def test_the_key_name_counts_among_general_keywords_only(registry):
    def by(key_name, tmodel=GENERAL_KEYWORDS, value="eye"):
        reference = KeyedReference(tmodel, value, key_name)
        return businesses(registry, category_bag=CategoryBag((reference,)))

    assert by("urn:a") == ["west"]
    assert by("urn:b") == []
    assert by("whatever", REGION, "north") == ["north"]


def test_identifiers_are_alternatives_unless_said_otherwise(registry):
    both = tuple(KeyedReference(HOSPITAL_CODE, code) for code in ("N1", "S1"))
    assert sorted(businesses(registry, identifier_bag=both)) == ["north", "south"]
    assert businesses(registry, "andAllKeys", identifier_bag=both) == []


def test_one_binding_must_have_the_whole_fingerprint(registry):
    both = (CONTRACT_A, CONTRACT_B)
    assert businesses(registry, tmodel_bag=both) == ["north"]
    assert services(registry, tmodel_bag=both) == ["north"]
    assert sorted(businesses(registry, "orAllKeys", tmodel_bag=both)) == ["north", "south"]
    assert len(registry.client().find_binding(Find(tmodel_bag=(CONTRACT_A,)))) == 2


def test_an_embedded_find_tmodel_adds_to_the_fingerprint(registry):
    by_name = Find(names=(LangText(CONTRACT_B),))
    assert services(registry, find_tmodel=by_name, tmodel_bag=(CONTRACT_A,)) == ["north"]
    nothing = Find(names=(LangText("no such contract"),))
    assert services(registry, find_tmodel=nothing) == []


def test_criteria_are_combined(registry):
    criteria = {**names("%Hospital"), "category_bag": bag((REGION, "south"))}
    assert businesses(registry, "approximateMatch", **criteria) == ["south"]


def test_services_and_bindings_of_one_parent(registry):
    client = registry.client()
    assert services(registry, parent_key="uddi:yilian:test:SOUTH") == ["south"]
    south = Find(parent_key="uddi:yilian:test:south:lab")
    assert len(client.find_binding(south)) == 2
    assert services(registry, parent_key="uddi:yilian:test:west") == []


def test_find_tmodel_by_name_and_category(registry):
    client = registry.client()
    found = client.find_tmodel(Find(names=(LangText("uddi-org:wsdl:types"),)))
    assert found == [WSDL_TYPES]
    protocols = client.find_tmodel(Find(category_bag=bag((TYPES, "protocol"))))
    assert protocols == [
        "uddi:uddi.org:protocol:http",
        "uddi:uddi.org:protocol:soap",
        "uddi:yilian:protocol:soap12",
    ]


@pytest.mark.parametrize(
    "operation", ["find_business", "find_service", "find_binding", "find_tModel"]
)
def test_a_find_without_criteria_finds_nothing(registry, operation):
    reply = registry.uddi("inquiry", v3(operation))
    assert reply.status == 200
    assert len(reply.content) == 0


def test_a_find_without_criteria_finds_all_where_that_is_switched_on(tmp_path):
    with running(config(tmp_path, inquiry={"find_all_without_criteria": True})) as registry:
        token = registry.token()
        registry.client().save_businesses(token, [BusinessEntity(names=(LangText("甲"),))])
        assert len(registry.client().find_business(Find())) == 1
        assert len(registry.client().find_tmodel(Find())) > 10


def test_pages_do_not_overlap_and_are_described(registry):
    everything = "<findQualifiers><findQualifier>approximateMatch</findQualifier></findQualifiers>"
    everything += "<name>%</name>"
    seen = []
    for head, count in ((1, 2), (3, 1)):
        reply = registry.uddi(
            "inquiry", v3("find_business", everything, f'maxRows="2" listHead="{head}"')
        )
        described = [element.text for element in reply.content[0]]
        assert described == [str(count), "3", str(head)]
        assert reply.content.get("truncated") is None
        seen += [info.get("businessKey") for info in reply.content[1]]
    assert len(set(seen)) == 3
    beyond = registry.uddi("inquiry", v3("find_business", everything, 'listHead="4"'))
    assert [element.text for element in beyond.content[0]] == ["0", "3", "4"]


def test_a_list_that_was_cut_without_paging_is_marked(registry):
    everything = "<findQualifiers><findQualifier>approximateMatch</findQualifier></findQualifiers>"
    cut = registry.uddi(
        "inquiry", v3("find_business", everything + "<name>%</name>", 'maxRows="2"')
    )
    assert cut.content.get("truncated") == "true"
    assert cut.content.find("{*}listDescription") is None
    whole = registry.uddi("inquiry", v3("find_business", everything + "<name>%</name>"))
    assert whole.content.get("truncated") is None


def test_the_registrys_own_limit_cuts_too(tmp_path):
    with running(config(tmp_path, inquiry={"max_rows": 2})) as registry:
        find = v3("find_tModel", "<categoryBag><keyedReference "
                  f'tModelKey="{TYPES}" keyValue="categorization"/></categoryBag>')  # fmt: skip
        reply = registry.uddi("inquiry", find)
        assert len(reply.content[0]) == 2
        assert reply.content.get("truncated") == "true"


def test_details_come_in_the_order_asked_for_with_everything_inside(registry):
    keys = ["uddi:yilian:test:south", "UDDI:yilian:test:NORTH"]
    south, north = registry.client().get_business_detail(keys)
    assert (south.key, north.key) == (keys[0], keys[1].lower())
    (lab,) = north.services
    assert lab.business_key == north.key
    assert [i.tmodel_key for i in lab.bindings[0].instances] == [CONTRACT_A, CONTRACT_B]
    assert len(south.services[0].bindings) == 2


def test_one_unknown_key_refuses_the_whole_call(registry):
    with pytest.raises(UddiError) as refused:
        registry.client().get_business_detail(["uddi:yilian:test:south", "uddi:nobody"])
    assert refused.value.errno == 10210
    assert "uddi:nobody" in refused.value.message


def test_operational_info(registry):
    content = "<entityKey>uddi:yilian:test:north</entityKey>"
    (info,) = registry.uddi("inquiry", v3("get_operationalInfo", content)).content
    assert info.get("entityKey") == "uddi:yilian:test:north"
    assert info.findtext("{*}authorizedName") == "admin"
    assert info.findtext("{*}created").endswith("Z")
