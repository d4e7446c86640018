"""Leases by fake clocks: renewed, marked, hidden, brought back; and a registry that was down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from registry_server import service_wsdl
from stores import BACKENDS, URLS

from registry.errors import UddiError
from registry.lease_sweep import LeaseSweep
from registry.leases import Leases
from registry.lived_time import LONGEST_TICK_SECONDS, LivedTime, epoch
from registry.model import BusinessEntity, Find, KeyedReference, LangText
from registry.registered import hospital_key
from registry.store import Store
from registry.uddi.wellknown import HOSPITAL_CODE
from registry.uddi.wsdl_mapping import map_wsdl

LAB, NUMBERS = "uddi:yilian:hx:labresults", "uddi:yilian:hx:numbersource"
BUSINESS = hospital_key("hx")
EVERY_SERVICE = Find(qualifiers=("approximateMatch",), names=(LangText("%"),))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Living:
    """A registry's store with its leases, under clocks of the test's own. ``wall`` may jump."""

    url: str
    steady: Clock
    wall: Clock
    answering: set[str]

    def start(self) -> None:
        self.store = Store(self.url)
        self.lived = LivedTime(self.store.engine, clock=self.steady)
        self.leases = Leases(self.store, self.lived, seconds=120, clock=self.wall)
        self.sweep = LeaseSweep(
            self.store,
            self.lived,
            self.leases,
            hide_after_seconds=3600,
            answers=lambda keys: self.answering & set(keys),
        )
        self.leases.begin()

    def end(self) -> None:
        self.store.close()

    def pass_time(self, seconds: float) -> None:
        """Time passes while the registry runs: it ticks and sweeps every 5 seconds."""
        while seconds > 0:
            step = min(5.0, seconds)
            self.steady.now += step
            self.wall.now += step
            seconds -= step
            self.lived.tick()
        self.sweep()

    def state(self, key: str) -> str:
        return self.leases.of([key])[key].state

    def found(self) -> set[str]:
        return set(self.store.find("service", EVERY_SERVICE).keys)

    def actions(self, key: str) -> list[str]:
        """What the change log says of a key, the oldest first."""
        return [change.action for change in reversed(self.store.changes_of([key], 100))]


@pytest.fixture(params=BACKENDS)
def living(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Living]:
    one = Living(URLS[request.param](tmp_path), Clock(), Clock(), set())
    one.start()
    publish(one.store)
    yield one
    one.end()


def publish(store: Store) -> None:
    mapped = [
        map_wsdl(
            service_wsdl(name),
            f"http://gateway/hx/{name}?wsdl",
            hospital="hx",
            inside_address=f"http://node/hx/{name}",
            outside_address=f"http://gateway/hx/{name}",
        )
        for name in ("LabResults", "NumberSource")
    ]
    for each in mapped:
        store.save("hx", [each.port_type])
        store.save("hx", [each.binding])
    business = BusinessEntity(
        key=BUSINESS,
        names=(LangText("华夏"),),
        identifier_bag=(KeyedReference(HOSPITAL_CODE, "hx"),),
        services=tuple(each.service for each in mapped),
    )
    store.save("hx", [business])


def test_without_a_lease_nothing_ever_happens_to_an_entry(living: Living) -> None:
    living.pass_time(10 * 3600)
    assert living.state(LAB) == "none"
    assert living.found() == {LAB, NUMBERS}


def test_a_lease_is_marked_then_hidden_and_one_renewal_brings_it_back(living: Living) -> None:
    living.leases.renew("hx", [LAB, NUMBERS])
    living.pass_time(100)
    assert living.state(LAB) == "alive"
    living.leases.renew("hx", [LAB])
    living.pass_time(100)
    assert (living.state(LAB), living.state(NUMBERS)) == ("alive", "expired")
    assert living.found() == {LAB, NUMBERS}, "what has expired is still found"
    living.leases.renew("hx", [LAB])
    living.pass_time(3600)
    living.leases.renew("hx", [LAB])
    assert living.state(NUMBERS) == "hidden"
    assert living.found() == {LAB}
    (kept,) = living.store.services([NUMBERS])
    assert kept.key == NUMBERS, "a get by its key still answers it"
    bindings = Find(tmodel_bag=("uddi:yilian:numbersource:porttype-v1",))
    assert living.store.find("binding", bindings).keys == ()
    assert living.leases.hidden() == [NUMBERS]
    renewal = living.leases.renew("hx", [NUMBERS])
    assert renewal.revived == (NUMBERS,)
    assert living.state(NUMBERS) == "alive"
    assert living.found() == {LAB, NUMBERS}
    assert len(living.store.find("binding", bindings).keys) == 2
    assert living.actions(NUMBERS) == ["save", "expire", "lapse", "revive"]


def test_hidden_services_leave_the_lists_of_find_business_and_stay_in_its_detail(
    living: Living,
) -> None:
    living.leases.renew("hx", [LAB])
    living.pass_time(4000)
    everyone = Find(qualifiers=("approximateMatch",), names=(LangText("%"),))
    page = living.store.find("business", everyone, depth=1)
    assert [service.key for service in page.entities[0].services] == [NUMBERS]
    (business,) = living.store.businesses([BUSINESS])
    assert len(business.services) == 2, "who saves what he has read must not delete the hidden one"
    living.store.save("hx", [replace(business, names=(LangText("改名"),))])
    living.sweep()
    assert living.found() == {NUMBERS}, "saving is no renewal"
    assert living.state(LAB) == "hidden"


def test_a_binding_is_as_well_off_as_its_service(living: Living) -> None:
    living.leases.renew("hx", [LAB])
    inside = f"{LAB}:inside"
    assert living.state(inside) == "alive"
    living.leases.renew("hx", [inside])
    living.pass_time(119)
    living.leases.renew("hx", [inside])
    living.pass_time(10)
    assert living.state(inside) == "expired"


def test_what_answers_its_probes_is_not_hidden(living: Living) -> None:
    living.leases.renew("hx", [LAB, NUMBERS])
    living.answering.add(f"{LAB}:outside")
    living.pass_time(5000)
    assert living.found() == {LAB}
    assert living.state(LAB) == "expired"
    living.answering.clear()
    living.sweep()
    assert living.found() == set()


def test_time_without_the_registry_does_not_count(living: Living) -> None:
    living.leases.renew("hx", [LAB])
    living.pass_time(100)
    living.end()
    living.steady.now = 5.0  # another boot of the machine
    living.wall.now += 31 * 24 * 3600
    living.start()
    living.sweep()
    assert living.state(LAB) == "alive"
    living.pass_time(115)
    assert living.state(LAB) == "alive", "a start gives every living lease its full time again"
    living.pass_time(10)
    assert living.state(LAB) == "expired"


def test_what_had_expired_before_the_registry_went_down_stays_so_and_is_hidden_later(
    living: Living,
) -> None:
    living.leases.renew("hx", [LAB])
    living.pass_time(200)
    living.end()
    living.start()
    living.sweep()
    assert living.state(LAB) == "expired"
    living.pass_time(3400)
    assert living.state(LAB) == "expired"
    living.pass_time(200)
    assert living.state(LAB) == "hidden"


@pytest.mark.parametrize("jump", [-30 * 365 * 86400.0, 30 * 365 * 86400.0])
def test_a_wall_clock_that_jumps_ends_no_lease(living: Living, jump: float) -> None:
    living.leases.renew("hx", [LAB])
    living.wall.now = max(living.wall.now + jump, 1.0)
    living.sweep()
    assert living.state(LAB) == "alive"
    living.pass_time(125)
    assert living.state(LAB) == "expired"


def test_a_process_that_was_stopped_for_hours_counts_a_tick(living: Living) -> None:
    living.leases.renew("hx", [LAB])
    living.steady.now += 6 * 3600  # SIGSTOP, a virtual machine put to sleep, a database away
    living.lived.tick()
    living.sweep()
    assert living.state(LAB) == "alive"
    living.pass_time(120 - LONGEST_TICK_SECONDS - 5)
    assert living.state(LAB) == "alive"
    living.pass_time(10)
    assert living.state(LAB) == "expired"


def test_two_registries_over_one_database_let_time_pass_once(living: Living) -> None:
    other = LivedTime(living.store.engine, clock=living.steady)
    begun = living.lived.now()
    for _ in range(20):
        living.steady.now += 2.5
        living.lived.tick()
        living.steady.now += 2.5
        other.tick()
    assert 95_000 <= living.lived.now() - begun <= 105_000
    for _ in range(20):  # one of them ends; the other goes on
        living.steady.now += 5
        other.tick()
    assert 195_000 <= other.now() - begun <= 205_000


def test_a_start_is_a_new_epoch(living: Living) -> None:
    with living.store.engine.connect() as connection:
        before = epoch(connection)
    living.end()
    living.start()
    with living.store.engine.connect() as connection:
        assert epoch(connection) != before


def test_a_renewal_that_waited_in_memory_when_the_registry_was_killed(living: Living) -> None:
    living.leases.renew("hx", [LAB])
    living.pass_time(60)
    living.leases.renew("hx", [LAB])  # not swept: kill -9
    living.end()
    living.start()
    living.pass_time(115)
    assert living.state(LAB) == "alive"


def test_renewing_with_anothers_key_is_refused_whole(living: Living) -> None:
    living.leases.renew("hx", [LAB])
    with pytest.raises(UddiError) as refused:
        living.leases.renew("sq", [LAB])
    assert refused.value.code == "userMismatch"
    living.pass_time(130)
    with pytest.raises(UddiError):
        living.leases.renew("sq", [LAB])
    with pytest.raises(UddiError):
        living.leases.release("sq", [LAB])
    assert living.state(LAB) == "expired"


def test_unknown_keys_are_told_and_tmodels_cannot_be_leased(living: Living) -> None:
    renewal = living.leases.renew("hx", [LAB, "uddi:yilian:hx:gone"])
    assert renewal.renewed == (LAB,)
    assert renewal.unknown == ("uddi:yilian:hx:gone",)
    with pytest.raises(UddiError) as refused:
        living.leases.renew("hx", ["uddi:yilian:labresults:porttype-v1"])
    assert refused.value.code == "invalidKeyPassed"


def test_a_lease_that_is_given_up_leaves_an_entry_as_published_by_hand(living: Living) -> None:
    living.leases.renew("hx", [LAB])
    living.pass_time(4000)
    assert living.found() == {NUMBERS}
    living.leases.release("hx", [LAB])
    living.pass_time(4000)
    assert living.state(LAB) == "none"
    assert living.found() == {LAB, NUMBERS}


def test_a_deleted_entry_loses_its_lease(living: Living) -> None:
    living.leases.renew("hx", [LAB])
    living.store.delete("hx", "service", [LAB])
    living.pass_time(4000)
    assert living.leases.hidden() == []
    publish(living.store)
    living.pass_time(4000)
    assert living.state(LAB) == "none"


def test_renewals_of_living_leases_write_nothing_until_the_sweep(living: Living) -> None:
    living.leases.renew("hx", [LAB, NUMBERS])
    before = living.store.last_index()
    for _ in range(50):
        living.leases.renew("hx", [LAB, NUMBERS])
    living.pass_time(5)
    assert living.store.last_index() == before, "a renewal is no change of the catalogue"
