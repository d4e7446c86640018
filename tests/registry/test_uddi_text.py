"""Answers joined from strings say what the same answers as trees say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from registry.model import (
    Address,
    AddressLine,
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    CategoryBag,
    Contact,
    InstanceDetails,
    KeyedReference,
    KeyedReferenceGroup,
    LangText,
    OverviewDoc,
    TModel,
    TModelInstanceInfo,
    UseText,
)
from registry.rows import info_of
from registry.uddi import text, v3
from registry.uddi.soap import envelope, open_envelope

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"))
    | st.sampled_from("&<>\"'\t\n\r医院")
).map(lambda s: s.replace("\ufffe", "").replace("\uffff", ""))
few = 2


def many(strategy):
    return st.lists(strategy, max_size=few).map(tuple)


said = st.builds(LangText, words, st.sampled_from(["", "zh", "en-US"]))
used = st.builds(UseText, words, words)
reference = st.builds(KeyedReference, words, words, words)
group = st.builds(KeyedReferenceGroup, words, many(reference))
bag = st.builds(CategoryBag, many(reference), many(group))
overview = st.builds(OverviewDoc, st.none() | used, many(said))
details = st.builds(InstanceDetails, words, many(overview), many(said))
instance = st.builds(TModelInstanceInfo, words, st.none() | details, many(said))
line = st.builds(AddressLine, words, words, words)
address = st.builds(Address, many(line), st.sampled_from(["", "zh"]), words, words, words)
contact = st.builds(
    Contact, many(said), words, many(said), many(used), many(used), many(address)
)  # fmt: skip
binding = st.builds(
    BindingTemplate, words, words, st.none() | used, words, many(instance), bag, many(said)
)
service = st.builds(BusinessService, words, words, many(said), many(binding), bag, many(said))
business = st.builds(
    BusinessEntity,
    *(words, many(said), many(service), many(reference), bag, many(said), many(used)),
    many(contact),
)
tmodel = st.builds(
    TModel, words, said, many(overview), many(reference), bag, many(said), st.booleans()
)


def canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n")


@settings(max_examples=60, deadline=None)
@given(business | service | binding | tmodel)
def test_an_entity_is_the_same_as_text_and_as_a_tree(item):
    tree = v3.root("answer")
    v3.append(tree, item)
    assert canonical(etree.fromstring(text.details("answer", [item]))) == canonical(tree)


@settings(max_examples=60, deadline=None)
@given(business | service | tmodel)
def test_the_element_in_a_list_holds_what_the_entity_has(item):
    written = info_of(item) + ("</businessInfo>" if isinstance(item, BusinessEntity) else "")
    element = etree.fromstring(text.element("list", written))[0]
    names = (item.name,) if isinstance(item, TModel) else item.names
    shown = [(e.text or "", e.get(v3.XML_LANG, "")) for e in element.findall(v3.q("name"))]
    assert shown == [(n.value, n.lang) for n in names]
    assert item.key in element.attrib.values()


def test_characters_that_xml_has_not_are_replaced():
    item = TModel("uddi:x", LangText("a\x00b\x0b\ud800"))
    name = etree.fromstring(text.written(item)).findtext("name")
    assert name == "a\ufffdb\ufffd\ufffd"


def test_an_envelope_around_text_is_the_one_around_a_tree():
    item = TModel("uddi:x", LangText("医<院"))
    tree = v3.root("tModelDetail")
    v3.append(tree, item)
    as_text = text.details("tModelDetail", [item])
    assert envelope(as_text) == envelope(tree)
    assert canonical(open_envelope(envelope(as_text))) == canonical(tree)
