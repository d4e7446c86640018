"""The prober over real sockets: whose fault it is, how fast, and who is told the password."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from registry_server import PASSWORDS, Running, config, running, service_wsdl

from registry.config import HealthSettings
from registry.health import BindingHealth, HealthBook
from registry.publisher import HospitalEntry, ServiceEntry, publish_node
from registry.store import Store
from services.catalogue import CONTRACTS
from services.faults import (
    Fault,
    NotAllowed,
    NotFound,
    SourceError,
    SourceUnavailable,
    UnknownService,
)
from services.his_service import NAMESPACE
from services.soap.exchange import fault_reply
from services.soap.probe import ProbeCall, his_probe, probe_of

LAB = probe_of(CONTRACTS["LabResults"])
assert LAB is not None
ENVELOPE = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
GOOD = ENVELOPE.format(
    f'<QueryLabMasterResponse xmlns="{LAB.namespace}"><QueryLabMasterResult/>'
    "</QueryLabMasterResponse>"
).encode()

Answer = tuple[int, str, bytes]


def fault(kind: type[Fault], *, gateway: bool = False) -> Answer:
    reply = fault_reply(kind("坏", "bad"), request_id="R1" if gateway else "")
    return reply.status, reply.content_type, reply.body


@dataclass
class Site:
    """A gateway, or a node, that answers as the test says; ``answers`` by path."""

    answers: dict[str, Answer | None] = field(default_factory=dict)
    usual: Answer | None = (200, "text/xml; charset=utf-8", GOOD)
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    wait: float = 0.0
    url: str = ""


@contextmanager
def site() -> Iterator[Site]:
    made, lock = Site(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                made.asked.append((self.path, dict(self.headers), body))
                made.at_once += 1
                made.most_at_once = max(made.most_at_once, made.at_once)
            time.sleep(made.wait)
            answer = made.answers.get(self.path, made.usual)
            with lock:
                made.at_once -= 1
            if answer is None:
                self.close_connection = True
                return
            status, kind, content = answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 512

        def handle_error(self, *args: object) -> None:
            """A prober that has gone is nobody's error."""

    server = Server(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def gateway() -> Iterator[Site]:
    with site() as made:
        yield made


BRISK = {"interval_seconds": 0.2, "timeout_seconds": 5, "probes_per_second": 200, "inside": False}


@contextmanager
def probing(folder: Path, **health: object) -> Iterator[tuple[Running, HealthBook]]:
    settings = config(folder, health={**BRISK, **health})
    with running(settings) as registry:
        store = Store(settings.store.url)
        try:
            yield registry, HealthBook(store.engine)
        finally:
            store.close()


def publish(
    registry: Running,
    outside: str,
    inside: str = "http://127.0.0.1:9",
    code: str = "hx",
    call: ProbeCall | None = LAB,
    name: str = "LabResults",
) -> str:
    """Publish, and answer the outside binding's key."""
    entry = ServiceEntry(
        name,
        service_wsdl(name, namespace=NAMESPACE if name == "HisService" else ""),
        f"{outside}/{code}/{name}",
        f"{inside}/{code}/{name}",
        probe=call.to_json() if call else "",
    )
    publish_node(
        registry.client(), "admin", PASSWORDS["admin"], HospitalEntry(code, "医院"), [entry]
    )
    return f"uddi:yilian:{code}:{name.lower()}:outside"


def until(book: HealthBook, key: str, right: Callable[[BindingHealth], bool]) -> BindingHealth:
    deadline = time.monotonic() + 60
    while not right(health := book.of([key])[key]):
        assert time.monotonic() < deadline, health
        time.sleep(0.05)
    return health


def test_a_declared_call_is_sent_as_the_contract_says(tmp_path: Path, gateway: Site) -> None:
    with probing(tmp_path) as (registry, book):
        key = publish(registry, gateway.url)
        health = until(book, key, lambda one: one.state == "passing")
    assert health.latency_ms is not None
    path, headers, body = gateway.asked[0]
    assert path == "/hx/LabResults"
    assert headers["SOAPAction"] == '"urn:yilian:LabResults:1/QueryLabMaster"'
    assert b"<PatientId>YILIAN-PROBE</PatientId>" in body
    assert "Authorization" not in headers


WHO = {
    "a business fault is a living service": (fault(NotFound), "passing", "正常应答"),
    "the source behind the service is away": (fault(SourceUnavailable), "warning", "服务返回"),
    "the gateway lives, gate or node do not": (
        fault(SourceUnavailable, gateway=True),
        "warning",
        "网关正常，网闸或节点",
    ),
    "something between answered": (fault(SourceError, gateway=True), "warning", "网关正常，途中"),
    "no route": (fault(UnknownService, gateway=True), "warning", "网关没有到此服务的路由"),
    "the prober is not allowed": (fault(NotAllowed, gateway=True), "unknown", "网关拒绝了探测"),
    "a gate's page": ((200, "text/html", b"<html>blocked</html>"), "warning", "不是 SOAP"),
    "a redirect": ((302, "text/html", b""), "warning", "不是 SOAP"),
    "another operation's answer": (
        (200, "text/xml", ENVELOPE.format('<Other xmlns="urn:x"/>').encode()),
        "warning",
        "不是这个操作",
    ),
    "nothing but a closed connection": (None, "warning", "连接不上网关"),
}


def test_whose_fault_it_is(tmp_path: Path, gateway: Site) -> None:
    keys = {}
    for number, (what, (answer, _, _)) in enumerate(WHO.items()):
        gateway.answers[f"/h{number}/LabResults"] = answer
        keys[what] = f"h{number}"
    with probing(tmp_path) as (registry, book):
        for what, code in keys.items():
            keys[what] = publish(registry, gateway.url, code=code)
        for what, key in keys.items():
            _, state, words = WHO[what]
            health = until(book, key, lambda one: one.checked is not None)
            if state == "warning":
                health = until(book, key, lambda one: one.state == "critical")
            else:
                assert health.state == state, what
            assert words in health.zh, (what, health)
            assert health.en


def test_his_service_tells_by_its_number(tmp_path: Path, gateway: Site) -> None:
    call = his_probe(["LabResults"])
    assert call is not None

    def number(value: int) -> Answer:
        inside = f"<getlabmasterResult>{value}</getlabmasterResult><str/>"
        content = f'<getlabmasterResponse xmlns="{NAMESPACE}">{inside}</getlabmasterResponse>'
        return 200, "text/xml", ENVELOPE.format(content).encode()

    gateway.usual = number(0)
    with probing(tmp_path) as (registry, book):
        key = publish(registry, gateway.url, call=call, name="HisService")
        until(book, key, lambda one: one.state == "passing")
        gateway.usual = number(-4)
        until(book, key, lambda one: one.state == "critical" and "-4" in one.zh)
        gateway.usual = number(-2)
        until(book, key, lambda one: one.state == "passing")


def test_a_gateway_that_is_down_is_told_from_a_service_that_is_and_the_inside_is_seen(
    tmp_path: Path, gateway: Site
) -> None:
    with (
        site() as node,
        socket.socket() as closed,
        probing(tmp_path, inside=True) as (registry, book),
    ):
        closed.bind(("127.0.0.1", 0))
        key = publish(registry, f"http://127.0.0.1:{closed.getsockname()[1]}", node.url)
        inside = key.replace(":outside", ":inside")
        until(book, inside, lambda one: one.state == "passing")
        health = until(
            book, key, lambda one: one.state == "critical" and "院内地址应答正常" in one.zh
        )
        assert "连接不上网关" in health.zh


def test_an_inside_address_out_of_reach_is_unknown_and_not_critical(tmp_path: Path, gateway: Site):
    with probing(tmp_path, inside=True) as (registry, book):
        key = publish(registry, gateway.url)
        inside = key.replace(":outside", ":inside")
        health = until(book, inside, lambda one: one.checked is not None)
        assert health.state == "unknown"
        assert "网闸" in health.zh
        until(book, key, lambda one: one.state == "passing")


def test_the_password_goes_to_the_gateway_and_to_nobody_else(tmp_path: Path, gateway: Site):
    (tmp_path / "probe.password").write_text("geheim\n")
    settings = {
        "user": "registry",
        "password_file": str(tmp_path / "probe.password"),
        "gateways": [gateway.url],
    }
    with site() as stranger, probing(tmp_path, **settings) as (registry, book):
        key, other = publish(registry, gateway.url), publish(registry, stranger.url, code="sq")
        for one in (key, other):
            until(book, one, lambda health: health.state == "passing")
        sent = base64.b64encode(b"registry:geheim").decode()
        assert gateway.asked[0][1]["Authorization"] == f"Basic {sent}"
        assert all("Authorization" not in headers for _, headers, _ in stranger.asked)


def test_what_declares_no_probe_or_nonsense_is_not_called(tmp_path: Path, gateway: Site) -> None:
    with probing(tmp_path) as (registry, book):
        silent = publish(registry, gateway.url, code="hx", call=None)
        wrong = ProbeCall("Bad name<x/>", "urn:x", "a", ())
        publish(registry, gateway.url, code="h1", call=wrong)
        known = publish(registry, gateway.url, code="h2")
        until(book, known, lambda one: one.state == "passing")
        assert {path for path, _, _ in gateway.asked} == {"/h2/LabResults"}
        assert book.of([silent])[silent].state == "unknown"


def test_a_moved_and_a_deleted_binding_are_followed(tmp_path: Path, gateway: Site) -> None:
    with site() as later, probing(tmp_path) as (registry, book):
        key = publish(registry, gateway.url)
        until(book, key, lambda one: one.state == "passing")
        publish(registry, later.url)
        deadline = time.monotonic() + 60
        while not later.asked:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        registry.client().delete_businesses(registry.token("admin"), ["uddi:yilian:hospital:hx"])
        until(book, key, lambda one: one.checked is None)


def test_many_bindings_are_asked_a_few_at_a_time(tmp_path: Path, gateway: Site) -> None:
    gateway.wait = 0.05
    settings = {"at_once": 4, "probes_per_second": 1000}
    with probing(tmp_path, **settings) as (registry, book):
        keys = [publish(registry, gateway.url, code=f"h{number}") for number in range(16)]
        for key in keys:
            until(book, key, lambda one: one.state == "passing")
        assert registry.send("GET", "/health").status == 200
    assert gateway.most_at_once <= 4


def test_a_silent_gateway_holds_up_neither_the_registry_nor_its_end(tmp_path: Path, gateway: Site):
    gateway.wait = 30
    with probing(tmp_path, timeout_seconds=20, at_once=2) as (registry, _):
        for number in range(6):
            publish(registry, gateway.url, code=f"h{number}")
        deadline = time.monotonic() + 60
        while gateway.at_once < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert len(registry.client().bindings()) == 12
        begun = time.monotonic()
    assert time.monotonic() - begun < 15, "the end waited for probes"


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": "x"},
        {"password_file": "nowhere"},
        {"user": "x", "password_file": "/nowhere", "gateways": ["http://g"]},
        {"gateways": ["gateway"]},
        {"interval_seconds": 0},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"health|user|http|password|greater"):
        HealthSettings.model_validate(wrong)


def test_without_probing_nothing_is_asked(tmp_path: Path, gateway: Site) -> None:
    with probing(tmp_path, probe=False) as (registry, _):
        publish(registry, gateway.url)
        assert registry.send("GET", "/health").status == 200
    assert gateway.asked == []
