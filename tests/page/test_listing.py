"""What the pages list: right by a plain reckoning over everything, and read without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from anyio import CapacityLimiter
from sqlalchemy import event

from registry.model import BusinessService, CategoryBag, KeyedReference, LangText
from registry.store import Store
from registry.uddi.wellknown import XML_LOCALNAME
from registry.web import grid, listing
from registry.web.listing import ListedHospital, Listing
from registry.web.overview import PER_PAGE, Filters, _overview
from registry.web.seek import Index
from registry.web.site import Site
from tests.page import foreign, world
from tests.page.world import Book


def odd() -> list[BusinessService]:
    """A second service of a name that the hospital has already, and services without names."""
    second = world.service("h00003", "LabResults")
    bag = CategoryBag((KeyedReference(XML_LOCALNAME, "LabResults"),))
    return [
        replace(second, key=f"{second.key}-2", bindings=(), category_bag=bag),
        BusinessService("uddi:yilian:h00003:nameless"),
        BusinessService("uddi:yilian:h00003:named", names=(LangText("放射", "zh"),)),
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path}/registry.db")
    businesses = world.many(70)
    some = businesses[3]
    businesses[3] = replace(some, services=(*some.services, *odd()))
    world.filled(made, businesses)
    yield made
    made.close()


def site_on(store: Store) -> Site:
    book = Book()
    book.store = store
    return Site(store, CapacityLimiter(1), health=book)


def everything(listing: Listing) -> list[ListedHospital]:
    return listing.hospitals([one.key for one in listing.names()])


def test_what_is_offered_is_what_all_hospitals_have(store: Store) -> None:
    listing = Listing(store)
    hospitals = everything(listing)
    assert len(hospitals) == 70
    services = [one for hospital in hospitals for one in hospital.services]
    plain = Counter((one.label, one.namespace) for one in services)
    assert {(one.label, one.namespace): one.count for one in listing.offered()} == plain
    assert listing.service_count() == len(services)
    for label in {one.label for one in services}:
        assert listing.offering(label) == {
            one.key: (one.by_name[label].namespace, one.by_name[label].key)
            for one in hospitals
            if label in one.by_name
        }
    named = listing.named(listing.offered())
    assert named.keys() == plain.keys()
    assert named["放射", ""] == ("放射", "")
    columns = [one.label for one in grid.columns_of(listing)]
    assert columns[: len(world.KNOWN)] == list(world.KNOWN)
    assert {"uddi:yilian:h00003:nameless", "放射"} <= set(columns)


def test_states_are_those_of_all_services(store: Store) -> None:
    site = site_on(store)
    hospitals = everything(site.listing)
    services = [one for hospital in hospitals for one in hospital.services]
    health = grid.health_of(hospitals, site.health)
    assert site.counts() == Counter(health[one.key].state for one in services)
    bad = {key for key, one in health.items() if one.state in ("critical", "warning")}
    assert bad and set(site.health.troubled()) == bad
    whose = {one.key for one in hospitals if bad & {each.key for each in one.services}}
    assert site.listing.hospitals_of(sorted(bad)) == whose
    found = site.listing.services(sorted(bad))
    assert {key: one.key for key, (_, one) in found.items()} == {key: key for key in bad}


def test_who_offers_what_was_found(store: Store) -> None:
    site = site_on(store)
    hospitals = {one.key: one for one in everything(site.listing)}
    for query in ("lab", "jyjg", "华夏 getlabmaster", "放射", "huaxia lab"):
        found = site.index().seek(query, 50)
        assert found.entries, query
        for hit in found.entries:
            name, namespace = hit.entry.service, hit.entry.namespace
            for place in hit.places:
                service = hospitals[place.hospital.key].by_name[name]
                assert (service.key, service.namespace) == (place.service_key, namespace)
    alone = site.index().seek("检验结果查询", 50).entries[0]
    assert alone.total == sum("LabResults" in one.by_name for one in hospitals.values())


@contextmanager
def counted(store: Store) -> Iterator[Counter[str]]:
    """Statements that are sent to the database."""
    sent: Counter[str] = Counter()

    def note(_connection, _cursor, statement, *_rest):  # type: ignore[no-untyped-def]
        sent["all"] += statement.startswith(("SELECT", "WITH"))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(store.engine, "before_cursor_execute", note)


def test_a_view_reads_what_it_shows_however_many_hospitals_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: Counter[str] = Counter()
    plain, name = listing.decode, listing.HospitalName
    monkeypatch.setattr(listing, "decode", lambda row: decoded.update([row.kind]) or plain(row))
    monkeypatch.setattr(
        listing, "HospitalName", lambda *row: decoded.update(["name"]) or name(*row)
    )
    statements = []
    for hospitals in (PER_PAGE + 5, 3 * PER_PAGE):
        store = Store(f"sqlite:///{tmp_path}/{hospitals}.db")
        world.filled(store, world.many(hospitals))
        site = site_on(store)
        for query in ("", "renmin"):
            decoded.clear()
            with counted(store) as sent:
                shown = _overview(site, Filters(query=query))
            most = PER_PAGE * len(world.KNOWN)
            assert decoded["business"] == min(shown["total"], PER_PAGE)
            assert decoded["service"] <= most
            assert decoded["name"] == (0 if query else hospitals)  # in one statement
            statements.append((query, sent["all"]))
        # A change costs what has changed.
        decoded.clear()
        world.filled(store, [world.hospital("zz", "中中医院", services=["LabResults"])])
        assert _overview(site, Filters())["hospital_total"] == hospitals + 1
        assert decoded["name"] == 1
        decoded.clear()
        store.save("hx", [world.service("zz", "Patients")])
        assert _overview(site, Filters(service="Patients"))["total"] > 0
        assert decoded["name"] == 0
        store.close()
    assert sorted(statements[:2]) == sorted(statements[2:])
    assert max(count for _, count in statements) < 25


def test_a_foreign_service_goes_by_the_names_that_it_has(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/registry.db")
    world.filled(store, [foreign.foreign_hospital()])
    site = site_on(store)
    assert isinstance(site.index(), Index)
    (entry,) = (one.entry for one in site.index().seek("weather", 5).entries)
    assert entry.kind == "service"
    assert site.index() is site.index(), "made once for each state of the registry"
    store.close()
