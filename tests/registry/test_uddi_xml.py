"""Model to XML and back, for whatever the model can hold."""

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from registry import rows
from registry.matching import like_pattern
from registry.model import (
    Address,
    AddressLine,
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    CategoryBag,
    Contact,
    Find,
    InstanceDetails,
    KeyedReference,
    KeyedReferenceGroup,
    LangText,
    OverviewDoc,
    TModel,
    TModelInstanceInfo,
    UseText,
)
from registry.uddi import schema
from registry.uddi.soap import EnvelopeError, envelope, open_envelope, printable
from registry.uddi.v3 import read, write

# What XML carries unchanged: no control characters, and no carriage return, which it normalizes.
CHARS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
TEXT = st.text(CHARS, max_size=20)
NAME = st.text(CHARS, min_size=1, max_size=20).filter(lambda s: any(not c.isspace() for c in s))
NAME = NAME.filter(lambda s: bool(s.strip(" \t\r\n")))
WORD = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12)
KEY = WORD.map(lambda word: f"uddi:yilian:{word.lower()}")
LANG = st.sampled_from(["", "zh", "en", "en-US"])


def many(items):
    return st.lists(items, max_size=2).map(tuple)


LANGTEXT = st.builds(LangText, NAME, LANG)
DESCRIPTION = st.builds(LangText, TEXT, LANG)
URL = st.builds(UseText, WORD.map(lambda word: f"http://{word}/?a=1&b=<"), TEXT)
USE = st.builds(UseText, TEXT, TEXT)
REFERENCE = st.builds(KeyedReference, KEY, TEXT, TEXT)
GROUP = st.builds(KeyedReferenceGroup, KEY, many(REFERENCE))
BAG = st.builds(CategoryBag, many(REFERENCE), many(GROUP))
OVERVIEW = st.builds(OverviewDoc, st.none() | URL, many(DESCRIPTION))
DETAILS = st.builds(InstanceDetails, TEXT, many(OVERVIEW), many(DESCRIPTION))
INSTANCE = st.builds(TModelInstanceInfo, KEY, st.none() | DETAILS, many(DESCRIPTION))
BINDING = st.one_of(
    st.builds(BindingTemplate, KEY, KEY, URL, st.just(""), many(INSTANCE), BAG, many(DESCRIPTION)),
    st.builds(BindingTemplate, KEY, KEY, st.none(), KEY, many(INSTANCE), BAG, many(DESCRIPTION)),
)
SERVICE = st.builds(
    BusinessService, KEY, KEY, many(LANGTEXT), many(BINDING), BAG, many(DESCRIPTION)
)
LINE = st.builds(AddressLine, TEXT, TEXT, TEXT)
ADDRESS = st.builds(
    Address, st.lists(LINE, min_size=1, max_size=2).map(tuple), LANG, TEXT, TEXT, st.just("") | KEY
)
CONTACT = st.builds(
    Contact,
    st.lists(LANGTEXT, min_size=1, max_size=2).map(tuple),
    TEXT,
    many(DESCRIPTION),
    many(USE),
    many(USE),
    many(ADDRESS),
)
BUSINESS = st.builds(
    BusinessEntity,
    KEY,
    st.lists(LANGTEXT, min_size=1, max_size=2).map(tuple),
    many(SERVICE),
    many(REFERENCE),
    BAG,
    many(DESCRIPTION),
    many(URL),
    many(CONTACT),
)
TMODEL = st.builds(
    TModel, KEY, LANGTEXT, many(OVERVIEW), many(REFERENCE), BAG, many(DESCRIPTION), st.booleans()
)
FIND = st.builds(
    Find,
    qualifiers=many(WORD),
    names=many(LANGTEXT),
    category_bag=BAG,
    tmodel_bag=many(KEY),
    find_tmodel=st.none()
    | st.builds(Find, names=st.tuples(LANGTEXT), identifier_bag=many(REFERENCE)),
    parent_key=st.just("") | KEY,
    max_rows=st.none() | st.integers(-5, 2**31 - 1),
    list_head=st.none() | st.integers(-5, 2**31 - 1),
)


def over_the_wire(element):
    return open_envelope(envelope(element))


@settings(max_examples=60, deadline=None)
@given(st.one_of(BUSINESS, SERVICE, BINDING, TMODEL))
def test_an_entity_comes_back_as_it_went(item):
    assert read(over_the_wire(write(item)), type(item)) == item


@settings(max_examples=40, deadline=None)
@given(BUSINESS)
def test_what_is_written_is_what_the_schema_says(business):
    request = etree.Element("{urn:uddi-org:api_v3}save_business")
    request.append(write(business))
    schema.check(over_the_wire(request))


@settings(max_examples=40, deadline=None)
@given(FIND)
def test_a_find_comes_back_as_it_went(find):
    request = over_the_wire(write(find, "find_service"))
    schema.check(request)
    assert read(request, Find) == find


@settings(max_examples=60, deadline=None)
@given(st.one_of(BUSINESS, SERVICE, BINDING, TMODEL))
def test_stored_content_is_read_as_it_was_written(item):
    class Row:
        kind = rows.kind_of(item)
        body = rows.encode(item)
        key = item.key
        parent_key = getattr(item, "business_key", "") or getattr(item, "service_key", "")
        hidden = getattr(item, "deleted", False)

    assert rows.decode(Row, rows.children_of(item)) == item


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda s: s.encode("utf-8", "replace")))
def test_no_bytes_get_past_the_parser_but_as_an_envelope_error(data):
    try:
        open_envelope(data, "text/xml; charset=" + data[:5].decode("latin-1"))
    except EnvelopeError:
        return
    raise AssertionError("random bytes were taken for an envelope")


@given(st.text())
def test_a_fault_can_quote_anything(text):
    element = etree.Element("x")
    element.text = printable(text)
    assert etree.fromstring(etree.tostring(element)).tag == "x"


@given(st.text(st.sampled_from("ab%_\\"), max_size=12))
def test_like_patterns_escape_properly(wanted):
    prefix, pattern = like_pattern(wanted)
    position, seen = 0, ""
    while position < len(pattern):
        if pattern[position] == "\\":
            # SQL refuses a pattern where the escape stands before anything else.
            assert pattern[position + 1] in "%_\\"
            seen += pattern[position + 1]
            position += 1
        elif pattern[position] in "%_":
            break
        else:
            seen += pattern[position]
        position += 1
    assert seen == prefix
