"""Rates, nonces and fair shares with several worker processes, as docs/admission.md promises them.

Which worker a call goes to is known: a connection belongs to one of them for as long as it lives,
and its /health says to which.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from gateway.binding import Binding
from tests.gateway.admission.tokens import digest_token, security
from tests.gateway.conftest import BODY, SOAP_1_1, Answered, Loop, lab_call, until
from tests.gateway.front import OPEN_POLICY, free_port, write_table
from tests.gateway.mortal import MortalGateway
from tests.gateway.scripted_node import Received, ScriptedNode, envelope
from tests.gateway.scripted_node import http as http_answer

WORKERS = 3
BURST = 30
PER_PEER = 40
CONFIGURATION = (
    """
[listen]
port = {port}
workers = 3
[registry]
url = "http://127.0.0.1:1"
table_file = "routes.json"
[limits]
max_connections_per_peer = 40
[admission]
queue_seconds = 1
[hospitals.hx]
[hospitals.full]
calls = 12
[hospitals.few]
rate = {{ per_second = 0.0001, burst = 20 }}
[callers.spread]
networks = ["127.0.0.2/32"]
rate = {{ per_second = 0.0001, burst = 30 }}
[callers.together]
networks = ["127.0.0.3/32"]
rate = {{ per_second = 0.0001, burst = 30 }}
[callers.first]
networks = ["127.0.0.4/32"]
rate = {{ per_second = 0.0001, burst = 30 }}
[callers.second]
networks = ["127.0.0.5/32"]
[callers.noisy]
networks = ["127.0.0.6/32"]
[callers.quiet]
networks = ["127.0.0.7/32"]
[callers.token]
username_token = {{ user = "his", password_file = "his.password" }}
"""
    + OPEN_POLICY
)


class Line:
    """A kept connection of a caller, known by the address that he asks from."""

    def __init__(self, port: int, source: str) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=60, source_address=(source, 0)
        )
        self.worker: int = json.loads(self._ask("GET", "/health").body)["worker"]

    def call(self, hospital: str = "hx", body: bytes = BODY) -> Answered:
        return self._ask("POST", f"/{hospital}/LabResults", body)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Answered:
        self._connection.request(method, path, body, SOAP_1_1 if body else {})
        response = self._connection.getresponse()
        return Answered(response.status, response.getheaders(), response.read())

    def close(self) -> None:
        self._connection.close()


@dataclass
class Workers:
    """A gateway of three workers, and the node behind all of its hospitals."""

    gateway: MortalGateway
    node: ScriptedNode

    def line(self, source: str, worker: int) -> Line:
        """A connection of this caller's that this worker has."""
        while True:
            made = Line(self.gateway.port, source)
            if made.worker == worker:
                return made
            made.close()

    def lines(self, source: str) -> list[Line]:
        """A connection to each worker."""
        return [self.line(source, worker) for worker in range(WORKERS)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[Workers]:
    folder, port, node = tmp_path_factory.mktemp("workers"), free_port(), ScriptedNode()
    loop.run(node.start())
    codes = ("hx", "full", "few")
    write_table(
        folder / "routes.json",
        [Binding(code, "LabResults", f"{node.url}/{code}/LabResults") for code in codes],
    )
    (folder / "his.password").write_text("secret\n")
    (folder / "gateway.toml").write_text(CONFIGURATION.format(port=port))
    gateway = MortalGateway(folder / "gateway.toml", port, WORKERS)
    gateway.forget()
    gateway.start()
    try:
        yield Workers(gateway, node)
    finally:
        gateway.end()
        gateway.forget()
        loop.run(node.stop())


@pytest.fixture
def workers(shared: Workers) -> Workers:
    shared.node.requests.clear()
    return shared


def code(answer: Answered) -> str:
    """The Fault's code; "" of an answer that is none."""
    found = re.search(r"<Code>(\w+)</Code>", answer.text)
    return found[1] if found else ""


# --- rates -----------------------------------------------------------------------------------


def test_a_callers_rate_holds_over_all_workers_together(workers: Workers) -> None:
    """Also when they ask all at once, after a reload, and after a worker has died."""
    lines = workers.lines("127.0.0.2")
    with ThreadPoolExecutor(WORKERS) as threads:
        answers = [
            answer
            for part in threads.map(lambda line: [line.call() for _ in range(BURST)], lines)
            for answer in part
        ]
    assert Counter(map(code, answers)) == {"": BURST, "Overloaded": 2 * BURST}
    assert len(workers.node.requests) == BURST
    refused = next(answer for answer in answers if code(answer))
    assert refused.status == 500 and int(refused.header("Retry-After") or "") > 0

    workers.gateway.reload()
    assert {code(line.call()) for line in lines} == {"Overloaded"}

    workers.gateway.kill_worker(workers.gateway.workers()[0])
    for worker in range(WORKERS):
        assert code(workers.line("127.0.0.2", worker).call()) == "Overloaded"


def test_a_caller_with_one_connection_gets_his_whole_rate(workers: Workers) -> None:
    line = workers.line("127.0.0.3", 1)
    answers = Counter(code(line.call()) for _ in range(BURST + 10))
    assert answers == {"": BURST, "Overloaded": 10}


def test_a_hospitals_rate_holds_over_all_workers_and_callers(workers: Workers) -> None:
    lines = [*workers.lines("127.0.0.4"), *workers.lines("127.0.0.5")]
    answers = [line.call("few") for _ in range(10) for line in lines]
    assert Counter(map(code, answers)) == {"": 20, "Overloaded": 40}
    # what the hospital's rate refused was not taken off the caller's own
    mine = Counter(code(lines[n % WORKERS].call()) for n in range(BURST))
    taken = sum(not code(a) for n, a in enumerate(answers) if n % len(lines) < WORKERS)
    assert mine == {"": BURST - taken, "Overloaded": taken}


# --- nonces ----------------------------------------------------------------------------------


def signed(password: str = "secret") -> bytes:
    token = security(digest_token("his", password, time.time(), nonce=b"%032x" % time.time_ns()))
    return BODY.replace(b"<s:Body>", f"<s:Header>{token}</s:Header><s:Body>".encode())


def test_a_nonce_that_one_worker_has_seen_is_refused_by_every_other(workers: Workers) -> None:
    lines = workers.lines("127.0.0.9")
    for first in range(WORKERS):
        body = signed()
        assert lines[first].call(body=body).status == 200
        for line in lines:
            again = line.call(body=body)
            assert (again.status, code(again)) == (403, "NotAuthenticated")
            assert "used before" in again.text
    assert len(workers.node.requests) == WORKERS


def test_a_nonce_that_is_sent_to_all_workers_at_once_is_good_once(workers: Workers) -> None:
    lines = workers.lines("127.0.0.9")
    start = threading.Barrier(WORKERS)
    with ThreadPoolExecutor(WORKERS) as threads:
        for _ in range(30):
            body = signed()

            def call(line: Line, body: bytes = body) -> int:
                start.wait(60)
                return line.call(body=body).status

            assert sorted(threads.map(call, lines)) == [200, 403, 403]


def test_a_nonce_stays_used_when_workers_and_the_gateway_are_killed(workers: Workers) -> None:
    body = signed()
    assert workers.line("127.0.0.9", 0).call(body=body).status == 200
    for worker in workers.gateway.workers():
        workers.gateway.kill_worker(worker)
    workers.gateway.until_whole()
    for line in workers.lines("127.0.0.9"):
        assert code(line.call(body=body)) == "NotAuthenticated"
        line.close()
    workers.gateway.kill()
    workers.gateway.start()
    for line in workers.lines("127.0.0.9"):
        assert code(line.call(body=body)) == "NotAuthenticated"
        assert line.call(body=signed()).status == 200


# --- connections ---------------------------------------------------------------------------


def test_connections_of_one_address_are_counted_by_each_worker(workers: Workers) -> None:
    """As the configuration says: at each worker as many as are allowed, and none beyond."""
    with ExitStack() as open_until_the_end:
        served: Counter[int] = Counter()
        refused = 0
        for _ in range(WORKERS * PER_PEER + 1):
            connection = http.client.HTTPConnection(
                "127.0.0.1", workers.gateway.port, timeout=60, source_address=("127.0.0.10", 0)
            )
            open_until_the_end.callback(connection.close)
            connection.request("GET", "/health")
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                served[json.loads(body)["worker"]] += 1
            else:
                assert answer.status == 503 and b"<Code>Overloaded</Code>" in body
                refused += 1
        assert refused > 0 and max(served.values()) == PER_PEER
        other = Line(workers.gateway.port, "127.0.0.9")  # nobody else is kept out
        other.close()


# --- fair shares -----------------------------------------------------------------------------


def test_a_noisy_caller_keeps_no_other_out_at_any_worker(workers: Workers, loop: Loop) -> None:
    """Twelve places, four a worker, of which one caller has three: nine calls of the noisy one
    are with the node and do not end, many more wait, and the other's pass all the same."""
    go_on = asyncio.Event()

    async def held(request: Received, writer: asyncio.StreamWriter) -> None:
        if b"held" in request.body:
            await go_on.wait()
        writer.write(http_answer(envelope()))

    workers.node.script = held

    def under_way() -> int:
        return sum(b"held" in one.body for one in workers.node.requests)

    def many(source: str, each: int) -> list[Future[Answered]]:
        lines = [line for _ in range(each) for line in workers.lines(source)]
        body = lab_call("<TestNo>held</TestNo>")
        return [threads.submit(line.call, "full", body) for line in lines]

    with ThreadPoolExecutor(50) as threads:
        try:
            noisy = many("127.0.0.6", each=6)
            until(lambda: under_way() == 9, 60)
            for line in workers.lines("127.0.0.7"):
                assert [line.call("full").status for _ in range(5)] == [200] * 5
            # who has waited for queue_seconds is told so, and when to come back
            until(lambda: sum(one.done() for one in noisy) == 9, 60)
            told = [one.result() for one in noisy if one.done()]
            assert Counter(map(code, told)) == {"Overloaded": 9}
            assert {one.header("Retry-After") for one in told} == {"1"}
            assert under_way() == 9
            # all twelve places, and not one more
            others = many("127.0.0.7", each=3)
            until(lambda: sum(one.done() for one in others) == 6, 60)
            assert Counter(code(one.result()) for one in others if one.done()) == {"Overloaded": 6}
            assert under_way() == 12
        finally:
            loop.loop.call_soon_threadsafe(go_on.set)
    assert Counter(one.result().status for one in noisy) == {200: 9, 500: 9}
    assert Counter(one.result().status for one in others) == {200: 3, 500: 6}
