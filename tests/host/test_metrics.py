"""/metrics of a real node: what was called and what its source did is counted and documented."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from sqlalchemy import create_engine

from adapters.bsoft import tables as bsoft
from services.faults import SourceUnavailable
from tests.host.running import Running, post, running, until
from yilian.config import NodeConfig
from yilian.host import app_of, call_paths
from yilian.node import Node, assemble

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
HIS = {"hospital": "hx", "source": "his"}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    engine = create_engine(f"sqlite:///{tmp_path}/his.db")
    bsoft.METADATA.create_all(engine)
    engine.dispose()
    yield assemble(
        NodeConfig.model_validate(
            {
                "hospital": {"code": "hx", "name": "华夏", "name_en": "Huaxia"},
                "listen": {"port": 8082, "public_url": "http://127.0.0.1:8082"},
                "registry": {
                    "url": "http://127.0.0.1:1",
                    "user": "hx",
                    "password_file": _password(tmp_path),
                },
                "alliance": {"gateway_url": "http://127.0.0.1:8080"},
                "sources": {
                    "his": {
                        "adapter": "bsoft",
                        "url": f"sqlite:///{tmp_path}/his.db",
                        "offers": ["NumberSource"],
                        "pool_size": 2,
                        "queue_length": 7,
                        "cache_seconds": {"QueryNumberSource": 60},
                    }
                },
            }
        )
    )


def _password(folder: Path) -> str:
    file = folder / "hx.password"
    file.write_text("secret", "utf-8")
    return str(file)


@pytest.fixture
def server(node: Node) -> Iterator[Running]:
    with running(app_of(node), call_paths(node)) as made:
        until(lambda: not node.sources["his"].state()["running"])  # its look at the tables
        yield made


def scraped(server: Running, **headers: str) -> dict[str, Any]:
    """Samples by name, each as a list of labels and value."""
    answer = requests.get(f"http://127.0.0.1:{server.port}/metrics", headers=headers, timeout=20)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: dict[str, Any] = {}
    for family in prometheus(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def value(samples: dict[str, Any], name: str, **labels: str) -> float:
    found = [number for one, number in samples.get(name, ()) if labels.items() <= one.items()]
    assert len(found) == 1, (name, labels, samples.get(name))
    return float(found[0])


def ask(server: Running, service: str, content: str, namespace: str = "") -> int:
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<e:Body>{content}</e:Body></e:Envelope>"
    )
    address = f"http://127.0.0.1:{server.port}/hx/{service}"
    headers = {"content-type": "text/xml; charset=utf-8"}
    return requests.post(address, body.encode(), headers=headers, timeout=20).status_code


QUERY = (
    '<QueryNumberSource xmlns="urn:yilian:NumberSource:1"><ScheduleDate>2026-11-22</ScheduleDate>'
    "</QueryNumberSource>"
)
LEGACY = '<getlabmaster xmlns="http://tempuri.org/"><PatientId>1</PatientId></getlabmaster>'


def test_calls_are_counted_by_service_operation_and_outcome(server: Running) -> None:
    for _ in range(3):
        assert ask(server, "NumberSource", QUERY) == 200
    assert ask(server, "NumberSource", QUERY.replace("2026-11-22", "soon")) == 500
    assert ask(server, "NumberSource", "<Nothing/>") == 500
    assert ask(server, "HisService.asmx", LEGACY) == 200  # -5: it does not offer LabResults
    server.exchange(post("/hx/NumberSource", "x", "Content-Encoding: gzip", "Connection: close"))
    found = scraped(server)
    typed = {"hospital": "hx", "service": "NumberSource"}
    for operation, outcome, count in (
        ("QueryNumberSource", "ok", 3),
        ("QueryNumberSource", "InvalidArgument", 1),
        ("", "UnknownOperation", 1),
        ("", "MalformedMessage", 1),
    ):
        labels = {**typed, "operation": operation, "outcome": outcome}
        assert value(found, "yilian_calls_total", **labels) == count, labels
    legacy = {"service": "HisService", "operation": "getlabmaster", "outcome": "UnknownService"}
    assert value(found, "yilian_calls_total", **legacy) == 1
    # What was answered out of memory was asked once.
    asked = {**HIS, "operation": "QueryNumberSource"}
    assert value(found, "yilian_source_query_seconds_count", **asked) == 1
    assert value(found, "yilian_source_shared_total", **HIS, by="cache") == 2
    assert value(found, "yilian_source_shared_total", **HIS, by="flight") == 0


def test_a_source_shows_its_state(node: Node, server: Running) -> None:
    source = node.sources["his"]
    found = scraped(server)
    assert value(found, "yilian_source_pool_size", **HIS) == 2
    assert value(found, "yilian_source_queue_length", **HIS) == 7
    assert value(found, "yilian_source_running", **HIS) == 0
    assert value(found, "yilian_source_connections", **HIS) >= 1  # its look at the tables
    assert value(found, "yilian_source_breaker_state", **HIS, state="closed") == 1
    assert value(found, "yilian_source_query_seconds_count", **HIS, operation="check") == 1
    buckets = [
        (labels["le"], number)
        for labels, number in found["yilian_source_wait_seconds_bucket"]
        if HIS.items() <= labels.items()
    ]
    assert buckets[-1] == ("+Inf", 1) and sorted(n for _, n in buckets) == [n for _, n in buckets]

    def failing() -> None:
        raise SourceUnavailable("坏", "broken")

    async def fail() -> None:
        for _ in range(6):  # five open the breaker, the sixth is refused
            with pytest.raises(SourceUnavailable):
                await source.run(failing)

    on_the_loop(server, fail())
    found = scraped(server)
    assert value(found, "yilian_source_failing", **HIS) == 1
    assert value(found, "yilian_source_breaker_state", **HIS, state="open") == 1
    assert value(found, "yilian_source_breaker_state", **HIS, state="closed") == 0
    assert value(found, "yilian_source_breaker_failures", **HIS) == 5
    assert value(found, "yilian_source_breaker_opened_total", **HIS) == 1
    assert value(found, "yilian_source_refused_total", **HIS, reason="breaker") == 1
    assert value(found, "yilian_source_refused_total", **HIS, reason="full") == 0
    assert value(found, "yilian_source_query_seconds_count", **HIS, operation="failing") == 5


def on_the_loop(server: Running, coroutine: Any) -> None:
    asyncio.run_coroutine_threadsafe(coroutine, server.loop).result(20)


def test_a_registry_that_is_away_shows(server: Running) -> None:
    assert value(scraped(server), "yilian_published", hospital="hx") == 0


def test_openmetrics_for_who_asks_for_it(server: Running) -> None:
    answer = requests.get(
        f"http://127.0.0.1:{server.port}/metrics",
        headers={"accept": "application/openmetrics-text; version=1.0.0"},
        timeout=20,
    )
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert {"yilian_calls", "yilian_source_query_seconds"} <= {
        family.name for family in openmetrics(answer.text)
    }


def test_every_metric_is_documented_with_its_labels(server: Running) -> None:
    (section,) = re.findall(
        r"^## A node .*?(?=^## |\Z)", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    documented = {
        name: set(re.split(r",\s*", labels))
        for name, labels in re.findall(r"^\| `(yilian_\w+)` \| ([\w, ]+) \|", section, re.MULTILINE)
    }
    assert len(documented) > 10
    ask(server, "NumberSource", QUERY)
    shown: dict[str, set[str]] = {}
    for name, samples in scraped(server).items():
        if name.startswith("yilian_"):
            family = re.sub(r"_(bucket|count|sum)$", "", name)
            shown.setdefault(family, set()).update(*(labels for labels, _ in samples))
            shown[family] -= {"le"}
    images = {"yilian_image_reports_total"}  # of a node with a PACS
    assert {name: shown[name] for name in documented.keys() - images} == {
        name: documented[name] for name in documented.keys() - images
    }
    assert shown.keys() <= documented.keys()


def test_the_process_shows_its_memory_and_descriptors(server: Running) -> None:
    found = scraped(server)
    assert value(found, "process_resident_memory_bytes") > 1e6
    assert value(found, "process_open_fds") > 3
