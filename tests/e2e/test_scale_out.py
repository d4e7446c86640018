"""Several gateways as docs/scale-out.md has them: calls, losses, reloads, and one record."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import create_engine, func, select

from gateway.audit.collected import trail
from gateway.audit.search import Wanted, search
from tests.conftest import Data
from tests.databases.targets import server
from tests.e2e import raw
from tests.e2e.scaled_out import DOCUMENT, ScaledOut, scaled_out
from tests.gateway.conftest import Answered, until
from tests.gateway.haproxy_process import needs_haproxy
from yilian.demo.plan import PATIENT
from yilian.demo.processes import healthy

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]

PATH = "/hx/LabResults"
NAMESPACE = "urn:yilian:LabResults:1"
BODY = raw.dotnet("QueryLabMaster", NAMESPACE, f"<PatientId>{PATIENT}</PatientId>")
HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "SOAPAction": f'"{NAMESPACE}/QueryLabMaster"',
}


@pytest.fixture(scope="module")
def scaled(tmp_path_factory: pytest.TempPathFactory, data: Data) -> Iterator[ScaledOut]:
    """Left by every test with both gateways, HAProxy, registry and node running."""
    path = needs_haproxy()
    with scaled_out(tmp_path_factory.mktemp("scaled"), data, path) as made:
        tls = made.context()
        until(lambda: call(made, tls).status == 200, 60)
        yield made


def call(scaled: ScaledOut, tls: ssl.SSLContext | None) -> Answered:
    return scaled.ask("POST", PATH, BODY, HEADERS, tls)


def faults(answer: Answered) -> list[str]:
    return re.findall(r"<Code>(\w+)</Code>", answer.text)


def calls_on_record(scaled: ScaledOut, name: str) -> list[str]:
    """The request ids in the audit of a gateway's machine."""
    return [str(one["id"]) for one in search(scaled.folders[name] / "audit", Wanted())]


@dataclass
class Load:
    """What callers have met. ``broken``: a connection that ended without an answer."""

    answers: list[tuple[int, str, bytes]] = field(default_factory=list)
    broken: list[Exception] = field(default_factory=list)

    def until_more(self, answers: int) -> None:
        wanted = len(self.answers) + answers
        until(lambda: len(self.answers) >= wanted, 120)


@contextmanager
def asking(scaled: ScaledOut, tls: ssl.SSLContext, callers: int = 4) -> Iterator[Load]:
    """Callers by TLS who ask without a pause: half of them on connections that they keep, and none
    of them asks a second time."""
    load, end = Load(), threading.Event()

    def ask(keep: bool) -> None:
        connection = http.client.HTTPSConnection(
            "127.0.0.10", scaled.ports.tls, timeout=60, context=tls
        )
        while not end.is_set():
            try:
                connection.request("POST", PATH, BODY, HEADERS)
                response = connection.getresponse()
                body = response.read()
                told = response.getheader("X-Request-Id") or ""
                load.answers.append((response.status, told, body))
            except (OSError, http.client.HTTPException) as error:
                load.broken.append(error)
                connection.close()
            if not keep:
                connection.close()
        connection.close()

    threads = [
        threading.Thread(target=ask, args=(number % 2 == 0,), daemon=True)
        for number in range(callers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        end.set()
        for thread in threads:
            thread.join(90)


def test_callers_are_served_by_either_gateway_and_nobody_else_is(scaled: ScaledOut) -> None:
    before = {name: len(calls_on_record(scaled, name)) for name in scaled.folders}
    tls = scaled.context()
    answers = [call(scaled, tls) for _ in range(20)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1 and b"TestNo" in answers[0].body
    for name in scaled.folders:
        assert len(calls_on_record(scaled, name)) - before[name] >= 5

    legacy = dict(one.split(": ", 1) for one in raw.soap_headers(raw.TEMPURI + "getlabmaster"))
    answer = scaled.ask("POST", "/hx/HisService.asmx", raw.powerbuilder(PATIENT), legacy, tls)
    assert answer.status == 200 and "getlabmasterResult" in answer.text
    wsdl = scaled.ask("GET", f"{PATH}?wsdl", tls=tls)
    assert re.findall(r'location="([^"]+)"', wsdl.text) == [
        "https://gateway.region.example/hx/LabResults"
    ]
    for stranger in (None, scaled.context("somebody.region.example")):
        refused = call(scaled, stranger)
        assert (refused.status, faults(refused)) == (403, ["NotAuthenticated"])


def test_a_gateway_is_killed_and_comes_back_and_every_call_is_on_record_once(
    scaled: ScaledOut,
) -> None:
    killed = scaled.gateways["a"]
    with asking(scaled, scaled.context()) as load:
        load.until_more(100)
        killed.kill()
        until(lambda: scaled.haproxy.up() == {"b"}, 60)
        without = len(load.answers)
        load.until_more(100)
        with_one = {status for status, _, _ in load.answers[without + 4 :]}
        killed.start()
        until(lambda: scaled.haproxy.up() == {"a", "b"}, 60)
        before = len(calls_on_record(scaled, "a"))
        load.until_more(200)
    assert with_one == {200}
    assert len(calls_on_record(scaled, "a")) - before >= 50  # it is used again
    # what it had under way, and what was sent to it in that moment: a Fault, or, for who asks on a
    # connection that he has kept, its end; never a call that hangs
    lost = [answer for answer in load.answers if answer[0] != 200]
    assert len(lost) <= 20 and len(load.broken) <= 4
    for status, _, body in lost:
        assert status in (502, 503) and b"<Code>SourceUnavailable</Code>" in body

    scaled.collect()
    answered = {told for status, told, _ in load.answers if status == 200}
    assert len(answered) == len(load.answers) - len(lost)
    times = Counter(collected(scaled))
    assert answered <= times.keys()
    assert set(times.values()) == {1}
    here = Counter(one for name in scaled.folders for one in calls_on_record(scaled, name))
    assert here == times


def collected(scaled: ScaledOut, **wanted: str) -> list[str]:
    """The request ids of the calls in the database."""
    engine = create_engine(scaled.audit_url)
    try:
        with engine.connect() as connection:
            query = select(trail.c.request_id).where(trail.c.kind == "call")
            return list(connection.execute(query.filter_by(**wanted)).scalars())
    finally:
        engine.dispose()


def test_a_patient_has_one_mark_whichever_gateway_his_calls_went_through(
    scaled: ScaledOut,
) -> None:
    tls = scaled.context()
    for _ in range(10):
        assert call(scaled, tls).status == 200
    scaled.collect()
    engine = create_engine(scaled.audit_url)
    query = select(trail.c.patient, func.count(trail.c.stream.distinct())).where(
        trail.c.operation == "QueryLabMaster", trail.c.outcome == "ok"
    )
    with engine.connect() as connection:
        ((mark, streams),) = connection.execute(query.group_by(trail.c.patient)).all()
    engine.dispose()
    assert streams == 2 and mark.startswith("h:")
    assert "search gateway.toml --collected …`" in DOCUMENT
    told = scaled.run(
        "b",
        f"yilian audit search gateway.toml --collected {shlex.quote(scaled.audit_url)} "
        f"--patient {PATIENT} --limit 1000000 --format json",
    )
    found = [json.loads(line) for line in told.splitlines()]
    assert {one["id"] for one in found} == set(collected(scaled, patient=mark))
    assert {one["stream"][:9] for one in found} == {"gateway-a", "gateway-b"}


def test_a_whole_reload_under_load_loses_no_call(scaled: ScaledOut) -> None:
    """Gateways, HAProxy, its configuration and its certificate, again and again."""
    before = calls_at_the_node(scaled)
    folder = scaled.authority.ca.file.parent
    tls = scaled.context()
    idle = http.client.HTTPSConnection("127.0.0.10", scaled.ports.tls, timeout=60, context=tls)
    assert asked(idle) == 200
    with asking(scaled, tls) as load:
        for number in range(1, 5):
            scaled.authority.issued("gateway", "/CN=gateway.region.example", address="127.0.0.10")
            for name in scaled.folders.values():
                for file in ("gateway.pem", "gateway.pem.key"):
                    (name / file).write_bytes((folder / file).read_bytes())
            scaled.configure(
                (f"rate_per_source = {99_999 + number}", f"rate_per_source = {100_000 + number}")
            )
            for gateway in scaled.gateways.values():
                gateway.reload()
            scaled.haproxy.reload()
            load.until_more(60)
    assert asked(idle) == 200  # who only waited finds his connection as he left it
    idle.close()
    assert load.broken == []
    assert {status for status, _, _ in load.answers} == {200}
    shown = ssl.get_server_certificate(("127.0.0.10", scaled.ports.tls))
    assert shown.strip() in (folder / "gateway.pem").read_text()
    assert "100004" in scaled.haproxy.rendered.read_text("utf-8")
    until(lambda: calls_at_the_node(scaled) - before >= len(load.answers) + 2)
    assert calls_at_the_node(scaled) - before == len(load.answers) + 2
    scaled.collect()
    times = Counter(collected(scaled))
    assert {times[told] for _, told, _ in load.answers} == {1}


def test_a_call_that_is_under_way_outlives_a_whole_reload(scaled: ScaledOut) -> None:
    tls, node = scaled.context(), scaled.processes.pids()["node"]
    with ThreadPoolExecutor(1) as threads:
        os.kill(node, signal.SIGSTOP)
        try:
            answer = threads.submit(call, scaled, tls)
            until(lambda: any(map(scaled.haproxy.under_way, scaled.folders)), 60)
            for gateway in scaled.gateways.values():
                gateway.reload()
            scaled.haproxy.reload()
            assert not answer.done()
        finally:
            os.kill(node, signal.SIGCONT)
        assert answer.result(60).status == 200


def asked(connection: http.client.HTTPConnection) -> int:
    """The status of a call on it."""
    connection.request("POST", PATH, BODY, HEADERS)
    response = connection.getresponse()
    response.read()
    return response.status


def calls_at_the_node(scaled: ScaledOut, operation: str = "QueryLabMaster") -> int:
    """As the node counts them."""
    connection = http.client.HTTPConnection("127.0.0.1", scaled.ports.node, timeout=60)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    found = re.findall(rf"^yilian_calls_total\{{.*{operation}.*\}} (\S+)$", text, re.M)
    return int(sum(map(float, found)))


def test_a_gateway_is_taken_out_and_put_back_without_a_lost_call(scaled: ScaledOut) -> None:
    with asking(scaled, scaled.context()) as load:
        load.until_more(20)
        scaled.tell_haproxy("drain")
        until(lambda: scaled.haproxy.under_way("a") == 0, 60)
        scaled.gateways["a"].end()
        load.until_more(40)
        scaled.gateways["a"].start()
        before = len(calls_on_record(scaled, "a"))
        scaled.tell_haproxy("ready")
        until(lambda: scaled.haproxy.up() == {"a", "b"}, 60)
        until(lambda: len(calls_on_record(scaled, "a")) - before >= 10, 60)
        # and by SIGTERM alone, as the document says
        scaled.gateways["b"].end()
        load.until_more(40)
        scaled.gateways["b"].start()
        until(lambda: scaled.haproxy.up() == {"a", "b"}, 60)
        load.until_more(40)
    assert load.broken == []
    assert {status for status, _, _ in load.answers} == {200}


def test_a_write_that_a_dead_gateway_had_under_way_is_sent_by_no_other(
    scaled: ScaledOut,
) -> None:
    """Only who has asked knows whether it may be repeated: by its RequestId it may."""
    tls = scaled.context()
    numbers = re.findall(r"<TestNo>([^<]+)</TestNo>", call(scaled, tls).text)
    test = next(one for one in numbers if mark_printed(scaled, tls, "first", one).status == 200)
    before = calls_at_the_node(scaled, "MarkLabPrinted")
    node = scaled.processes.pids()["node"]
    with ThreadPoolExecutor(1) as threads:
        os.kill(node, signal.SIGSTOP)
        try:
            asked_for = threads.submit(mark_printed, scaled, tls, "once", test)
            has_it = until(
                lambda: [one for one in scaled.folders if scaled.haproxy.under_way(one)], 60
            )[0]
            (other,) = set(scaled.folders) - {has_it}
            of_other = calls_on_record(scaled, other)
            scaled.gateways[has_it].kill()
            answer = asked_for.result(60)
        finally:
            os.kill(node, signal.SIGCONT)
    assert answer.status == 502 and faults(answer) == ["SourceUnavailable"]
    scaled.gateways[has_it].start()
    until(lambda: scaled.haproxy.up() == {"a", "b"}, 60)
    assert calls_on_record(scaled, other) == of_other
    assert calls_at_the_node(scaled, "MarkLabPrinted") - before <= 1
    assert mark_printed(scaled, tls, "once", test).status == 200


def mark_printed(scaled: ScaledOut, tls: ssl.SSLContext, request_id: str, test: str) -> Answered:
    """A write, with its RequestId."""
    arguments = f"<RequestId>{request_id}</RequestId><TestNo>{test}</TestNo>"
    headers = {**HEADERS, "SOAPAction": f'"{NAMESPACE}/MarkLabPrinted"'}
    body = raw.dotnet("MarkLabPrinted", NAMESPACE, arguments)
    return scaled.ask("POST", PATH, body, headers, tls)


def test_another_secret_needs_both_ends(scaled: ScaledOut) -> None:
    tls = scaled.context()
    (command,) = re.findall(r"head -c [^\n]*> proxy.secret", DOCUMENT)
    subprocess.run(["bash", "-c", command], cwd=scaled.folders["a"], check=True)
    secret = (scaled.folders["a"] / "proxy.secret").read_bytes()
    (scaled.folders["b"] / "proxy.secret").write_bytes(secret)
    for gateway in scaled.gateways.values():
        gateway.reload()
    refused = call(scaled, tls)
    assert (refused.status, faults(refused)) == (403, ["NotAuthenticated"])
    scaled.haproxy.reload()
    assert {call(scaled, tls).status for _ in range(10)} == {200}


def test_registry_and_database_may_be_away_also_through_a_restart(scaled: ScaledOut) -> None:
    tls, database = scaled.context(), server("postgresql")
    database.stop()
    scaled.processes.stop("registry")
    assert call(scaled, tls).status == 200
    scaled.gateways["b"].kill()
    scaled.gateways["b"].start()
    until(lambda: scaled.haproxy.up() == {"a", "b"}, 60)
    assert {call(scaled, tls).status for _ in range(20)} == {200}
    database.start()
    scaled.processes.start(scaled.registry)
    scaled.processes.wait(scaled.registry)
    until(lambda: scaled.gateways["b"].health()["registry"]["reachable"], 60)
    assert healthy(scaled.registry.health)
    assert {call(scaled, tls).status for _ in range(20)} == {200}


def test_the_rate_of_a_certificate_holds_over_both_gateways(scaled: ScaledOut) -> None:
    """Each gateway alone would let ten through."""
    generous = "per_second = 100000, burst = 100000 }\n\n[[policies]]"
    scaled.configure((generous, "per_second = 0.1, burst = 10 }\n\n[[policies]]"))
    try:
        for gateway in scaled.gateways.values():
            gateway.reload()
        scaled.haproxy.reload()
        tls = scaled.context()
        answers = [call(scaled, tls) for _ in range(40)]
        passed = [answer for answer in answers if answer.status == 200]
        assert 10 <= len(passed) <= 12
        refused = [answer for answer in answers if answer.status != 200]
        assert {tuple(faults(answer)) for answer in refused} == {("Overloaded",)}
    finally:
        scaled.configure(("per_second = 0.1, burst = 10 }\n\n[[policies]]", generous))
        for gateway in scaled.gateways.values():
            gateway.reload()
        scaled.haproxy.reload()
