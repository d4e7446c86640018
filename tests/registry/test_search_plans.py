"""Finds over a whole alliance: right by a plain reckoning, and answered by indexes alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from lxml import etree
from sqlalchemy import event, text
from stores import sqlite_url, url_in

from bench.catalogue import SERVICES, cases, code, contracts, hospital, own_tmodel
from registry import search, spans
from registry.model import BusinessEntity, CategoryBag, Find, KeyedReference, LangText
from registry.store import Store
from registry.uddi import v3
from registry.uddi.wellknown import WSDL_TYPES, XML_LOCALNAME, XML_NAMESPACE

HOSPITALS = 12


@pytest.fixture(scope="module")
def store(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(url_in(tmp_path_factory.mktemp("store")), default_rows=1000)
    made.save("bench", contracts()[::2])
    made.save("bench", contracts()[1::2])
    made.save("bench", [own_tmodel(number) for number in range(HOSPITALS)])
    made.save("bench", BUSINESSES)
    yield made
    made.close()


BUSINESSES = [hospital(number) for number in range(HOSPITALS)]


# --- right ---------------------------------------------------------------------------------------


def bag(*references: tuple[str, str]) -> CategoryBag:
    return CategoryBag(tuple(KeyedReference(*each) for each in references))


# "Hospital %" begins more names than are looked up one by one, "Hospital 1%" fewer.
NAMES = (
    (), ("LabResults",), ("Lab%",), ("L_b%s",), ("%约%",), ("%",), ("Lab%", "检验%"),
    ("Hospital %",), ("Hospital 1%",),
)  # fmt: skip
BAGS = (
    bag(),
    bag((XML_LOCALNAME, "LabResults")),
    bag((WSDL_TYPES, "service"), (XML_LOCALNAME, "LabResults")),
    bag((XML_LOCALNAME, "LabResults"), (XML_LOCALNAME, "Patients")),
    bag((XML_NAMESPACE, "urn:yilian:P%")),
)
TMODELS = (
    (),
    ("uddi:yilian:labresults:porttype-v1",),
    ("uddi:yilian:labresults:porttype-v1", "uddi:yilian:labresults:binding-v1"),
    ("uddi:yilian:labresults:porttype-v1", "uddi:yilian:patients:binding-v1"),
)
BAG_RULES = ((), ("orAllKeys",), ("orLikeKeys",))
LEVELS = ((), ("combineCategoryBags",), ("serviceSubset",))
MATCHES = (
    (), ("caseInsensitiveMatch",),
    ("approximateMatch",), ("approximateMatch", "caseInsensitiveMatch"),
)  # fmt: skip
ORDERS = ((), ("sortByNameDesc",), ("sortByDateDesc",), ("caseInsensitiveSort",))


def like(value: str, pattern: str, qualifiers: tuple[str, ...]) -> bool:
    if "caseInsensitiveMatch" in qualifiers:
        value, pattern = value.casefold(), pattern.casefold()
    if "approximateMatch" not in qualifiers:
        return value == pattern
    signs = {"%": ".*", "_": "."}
    return bool(re.fullmatch("".join(signs.get(c) or re.escape(c) for c in pattern), value))


def expected(kind: str, find: Find) -> set[str]:
    """What the find means, told without any database."""
    found = set()
    for business in BUSINESSES:
        for item in (business,) if kind == "business" else business.services:
            inside = item.services if kind == "business" else (item,)
            bindings = [b for service in inside for b in service.bindings]
            own = [item.category_bag]
            if kind == "business" and "serviceSubset" in find.qualifiers:
                own = [service.category_bag for service in inside]
            elif kind == "business" and "combineCategoryBags" in find.qualifiers:
                own += [service.category_bag for service in inside]
            references = [reference for each in own for reference in each.references]
            if (
                _named(find, item.names)
                and _categorized(find, references)
                and _fingerprint(find, bindings)
            ):
                found.add(item.key)
    return found


def _named(find, names):
    return not find.names or any(
        like(name.value, wanted.value, find.qualifiers) for wanted in find.names for name in names
    )


def _categorized(find, references):
    def has(wanted):
        return any(
            r.tmodel_key == wanted.tmodel_key
            and like(r.key_value, wanted.key_value, find.qualifiers)
            for r in references
        )

    wanted = find.category_bag.references
    if not wanted:
        return True
    if "orAllKeys" in find.qualifiers:
        return any(map(has, wanted))
    if "orLikeKeys" in find.qualifiers:
        systems = {r.tmodel_key for r in wanted}
        return all(any(has(r) for r in wanted if r.tmodel_key == s) for s in systems)
    return all(map(has, wanted))


def _fingerprint(find, bindings):
    if not find.tmodel_bag:
        return True
    combine = any if "orAllKeys" in find.qualifiers else all
    return any(
        combine(key in {i.tmodel_key for i in b.instances} for key in find.tmodel_bag)
        for b in bindings
    )


def finds() -> list[tuple[str, Find]]:
    every = [
        (kind, Find(
            qualifiers=(*rule, *level, *match, *order),
            names=tuple(LangText(name) for name in names),
            category_bag=references,
            tmodel_bag=tmodels,
        ))
        for kind, names, references, tmodels, rule, level, match, order in product(
            ("business", "service"), NAMES, BAGS, TMODELS, BAG_RULES, LEVELS, MATCHES, ORDERS
        )
        if names or references.references or tmodels
    ]  # fmt: skip
    return Random(3).sample(every, 500)


@pytest.mark.parametrize("few", [500, 0])
def test_five_hundred_finds_mean_what_they_say(store, few, monkeypatch):
    """``few`` of 0: whatever is only done where many entities match is done."""
    monkeypatch.setattr(spans, "FEW", few)
    monkeypatch.setattr(search, "FEW", few)
    wrong = []
    matched = 0
    for kind, find in finds():
        keys = store.find(kind, find).keys
        matched += bool(keys)
        if len(set(keys)) != len(keys) or set(keys) != expected(kind, find):
            wrong.append((kind, find, sorted(set(keys) ^ expected(kind, find))))
        half = store.find(kind, replace(find, list_head=len(keys) // 2 + 1, max_rows=3))
        if half.keys != keys[len(keys) // 2 :][:3] or half.actual != len(keys):
            wrong.append((kind, find, half))
    assert wrong == []
    assert matched > 80


@pytest.mark.parametrize(
    "qualifiers", [(), ("sortByNameDesc",), ("sortByDateDesc",), ("caseInsensitiveSort",)]
)
def test_pages_are_the_whole_in_order_and_counted(store, qualifiers):
    wanted = {
        "names": (LangText("%"),),
        "qualifiers": ("approximateMatch", *qualifiers),
    }
    whole = store.find("service", Find(**wanted))
    assert (len(whole.keys), whole.truncated) == (HOSPITALS * len(SERVICES), False)
    keys: list[str] = []
    while len(keys) < whole.actual:
        page = store.find("service", Find(**wanted, max_rows=50, list_head=len(keys) + 1))
        assert page.actual == whole.actual
        keys += page.keys
    assert keys == list(whole.keys)
    names = [service.names[0].value for service in store.services(whole.keys)]
    if not qualifiers:
        assert names == sorted(names)
    elif qualifiers == ("sortByNameDesc",):
        assert names == sorted(names, reverse=True)
    beyond = store.find("service", Find(**wanted, max_rows=5, list_head=10_000))
    assert (beyond.keys, beyond.actual) == ((), whole.actual)


def test_a_count_is_remembered_until_something_changes(store):
    find = Find(names=(LangText("LabResults"),), max_rows=1, list_head=1)
    assert store.find("service", find).actual == HOSPITALS
    store.save("bench", [hospital(HOSPITALS)])
    try:
        assert store.find("service", find).actual == HOSPITALS + 1
    finally:
        store.delete("bench", "business", [hospital(HOSPITALS).key])
    assert store.find("service", find).actual == HOSPITALS


def test_what_everything_met_is_asked_again_when_something_changes(store, monkeypatch):
    monkeypatch.setattr(spans, "FEW", 0)
    find = Find(category_bag=BAGS[2], max_rows=5, list_head=1)
    before = store.find("service", find)
    assert store.find("service", find) == before
    odd = hospital(HOSPITALS)
    (lab,) = (one for one in odd.services if one.names[1].value == "LabResults")
    lab = replace(lab, category_bag=bag((XML_LOCALNAME, "LabResults")))
    store.save("bench", [replace(odd, services=(lab,))])
    try:
        assert store.find("service", find) == before
        other = replace(find, category_bag=BAGS[1])
        assert store.find("service", other).actual == HOSPITALS + 1
    finally:
        store.delete("bench", "business", [odd.key])


def test_without_maxrows_a_page_of_the_default_is_answered(store_url):
    small = Store(store_url, default_rows=3, max_rows=7)
    small.save("bench", [own_tmodel(number) for number in range(10)])
    find = {"names": (LangText("h0%"),), "qualifiers": ("approximateMatch",)}
    assert len(small.find("tmodel", Find(**find)).keys) == 3
    assert small.find("tmodel", Find(**find)).truncated
    assert len(small.find("tmodel", Find(**find, max_rows=9)).keys) == 7
    small.close()


# --- by indexes ----------------------------------------------------------------------------------

BIG = ("entity", "name", "keyed_reference", "instance_info")


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory, backend: str) -> Iterator[Store]:
    """On SQLite, whose plans depend on no statistics here."""
    made = Store(sqlite_url(tmp_path_factory.mktemp("big")))
    made.save("bench", contracts()[::2])
    made.save("bench", contracts()[1::2])
    made.save("bench", [own_tmodel(number) for number in range(HOSPITALS)])
    made.save("bench", BUSINESSES)
    yield made
    made.close()


def plans(store: Store, kind: str, find: Find) -> list[str]:
    asked: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        store.find(kind, find)
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    lines = []
    with store.engine.connect() as connection:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                explained = connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {statement}", parameters
                )
                lines += [row[3] for row in explained]
    return lines


def read(message: str) -> tuple[str, Find]:
    element = etree.fromstring(message)
    kind = etree.QName(element).localname.removeprefix("find_").lower()
    return kind, v3.read(element, Find)


@pytest.mark.parametrize(
    "case", [c for c in cases() if c.name.startswith("find")], ids=lambda c: c.name
)
def test_no_find_goes_through_a_whole_table(big, case, sqlite):
    kind, find = read(case.ask(Random(1), HOSPITALS).message)
    lines = plans(big, kind, find)
    assert any("INDEX" in line for line in lines)
    for line in lines:
        words = [*line.split(), "-"]
        table = words[1].rpartition("_")[0] if words[1][-1].isdigit() else words[1]
        scanned = words[0] == "SCAN" and table in BIG and "entity_hidden" not in line
        assert not scanned, (line, lines)


@pytest.mark.parametrize(
    ("kind", "find"),
    [
        ("service", Find(names=(LangText("LabResults"),))),
        ("service", Find(qualifiers=("caseInsensitiveMatch",), names=(LangText("labresults"),))),
        ("service", Find(category_bag=BAGS[1])),
        ("service", Find(category_bag=BAGS[2])),
        ("service", Find(tmodel_bag=TMODELS[1])),
        ("service", Find(tmodel_bag=TMODELS[2])),
        ("business", Find(tmodel_bag=TMODELS[1])),
        ("business", Find(qualifiers=("serviceSubset",), category_bag=BAGS[1])),
        ("binding", Find(tmodel_bag=TMODELS[1])),
        ("service", Find(qualifiers=("approximateMatch",), names=(LangText("%"),))),
        ("service", Find(qualifiers=("sortByNameDesc",), category_bag=BAGS[1])),
        ("service", Find(parent_key="uddi:yilian:hospital:h00001")),
        ("business", Find(qualifiers=("combineCategoryBags",), category_bag=BAGS[1])),
        ("service", Find(qualifiers=("approximateMatch",), names=(LangText("Patient%"),))),
        (
            "service",
            Find(
                qualifiers=("approximateMatch", "caseInsensitiveMatch", "sortByNameDesc"),
                names=(LangText("pat%"),),
                max_rows=1,
                list_head=2,
            ),
        ),
    ],
)
def test_what_is_compared_with_one_value_comes_in_order_by_itself(big, kind, find, sqlite):
    assert not [line for line in plans(big, kind, find) if "TEMP B-TREE" in line]


def test_a_tree_that_is_deleted_leaves_nothing_to_be_found(store):
    one: BusinessEntity = hospital(99)
    store.save("bench", [one])
    store.delete("bench", "business", [one.key])
    with store.engine.connect() as connection:
        for table in BIG[1:]:
            query = f"SELECT count(*) FROM {table} WHERE entity_key LIKE '%{code(99)}%'"
            assert connection.execute(text(query)).scalar() == 0
