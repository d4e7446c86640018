"""The registry with 1,000, 10,000 and 130,000 bindings, asked over HTTP as its clients ask it.

    python -m bench.registry [--sizes 1000 10000 130000] [--asks 200] [--quick] [--save]
                             [--database URL ... | --postgresql] [--folder FOLDER] [--only TEXT]

For every size a database is filled through the store that the registry itself writes with, then
``yilian registry`` is started on it, held to one core, and asked by one client on one kept
connection. No two questions are the same, so no cache of answers helps. Milliseconds from the
request's first byte to the answer's last. The page's views are measured too, the first one of a
process that has just started before anything else. ``--database``: an empty PostgreSQL database
for each size instead of SQLite; ``--postgresql``: on the tests' own server, which is started for it
(./run setup-full), and whose results are kept beside SQLite's.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from lxml import etree

from bench.catalogue import SERVICES, Case, cases, contracts, hospital, own_tmodel
from bench.measure import RESULTS, machine, save
from registry.model import LangText
from registry.store import Store
from registry.uddi.v3 import append, root
from services.passwords import hash_password

SIZES = (1_000, 10_000, 130_000)
QUICK = (26, 130)
USER, PASSWORD = "bench", "bench-password"
SERVER_CORE = 0
_SOAP = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
    "<s:Body>{}</s:Body></s:Envelope>"
)


def fill(url: str, hospitals: int) -> float:
    """Seconds that it took."""
    started = time.perf_counter()
    store = Store(url)
    for tmodel in contracts():
        store.save(USER, [tmodel])
    for first in range(0, hospitals, 20):
        numbers = range(first, min(first + 20, hospitals))
        store.save(USER, [own_tmodel(number) for number in numbers])
        store.save(USER, [hospital(number) for number in numbers])
    if store.engine.dialect.name == "postgresql":
        # As it is some minutes later by itself, or its plans would be those of an empty database.
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    store.close()
    return time.perf_counter() - started


class Served:
    """``yilian registry`` over a database, on a free port."""

    def __init__(self, url: str, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        config = folder / "registry.toml"
        config.write_text(
            f'[listen]\nport = {self.port}\n[store]\nurl = "{url}"\n[[publishers]]\n'
            f'user = "{USER}"\npassword_hash = "{hash_password(PASSWORD)}"\nhospitals = ["*"]\n'
        )
        self.log = folder / "registry.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "yilian", "registry", str(config)],
                stdout=log,
                stderr=log,
                preexec_fn=_to_one_core,
            )
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        deadline = time.monotonic() + 120
        while True:
            try:
                self._connection.request("GET", "/health")
                self._connection.getresponse().read()
                return
            except OSError:
                self._connection.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(self.log.read_text(errors="replace")) from None
                time.sleep(0.1)

    def ask(self, port: str, message: str) -> tuple[float, bytes]:
        """Milliseconds, and the answer. RuntimeError where it is a Fault."""
        body = _SOAP.format(message).encode()
        started = time.perf_counter()
        self._connection.request("POST", f"/uddi/{port}", body, {"Content-Type": "text/xml"})
        response = self._connection.getresponse()
        answer = response.read()
        spent = (time.perf_counter() - started) * 1000
        if response.status != 200:
            raise RuntimeError(f"{message}\n{answer.decode()}")
        return spent, answer

    def get(self, path: str) -> tuple[float, bytes]:
        """Milliseconds, and the page. RuntimeError where it is none."""
        started = time.perf_counter()
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        answer = response.read()
        spent = (time.perf_counter() - started) * 1000
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status}")
        return spent, answer

    def memory(self) -> dict[str, int]:
        """Megabytes: what the process has in memory now, and had at most."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
        return {"now": int(found["VmRSS"]) // 1024, "most": int(found["VmHWM"]) // 1024}

    def end(self) -> None:
        self._connection.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def _to_one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {SERVER_CORE})


@contextmanager
def served(url: str, folder: Path) -> Iterator[Served]:
    running = Served(url, folder)
    try:
        yield running
    finally:
        running.end()


def inquiries(running: Served, chosen: list[Case], hospitals: int, asks: int) -> dict[str, Any]:
    """By case: milliseconds of each question, and bytes of the longest answer. The cases take
    turns, so that what else the machine does meets them all."""
    random = Random(7)
    found: dict[str, Any] = {
        case.name: {"milliseconds": [], "answer_bytes": 0, "entities": 0} for case in chosen
    }
    for turn in range(asks + 3):
        for case in chosen:
            question = case.ask(random, hospitals)
            spent, answer = running.ask("inquiry", question.message)
            entities = answer.count(f"<{case.answers} ".encode())
            assert entities >= question.least, (question, answer[:1000])
            if turn >= 3:  # the first ones fill the caches of a process that has just started
                figures = found[case.name]
                figures["milliseconds"].append(spent)
                figures["answer_bytes"] = max(figures["answer_bytes"], len(answer))
                figures["entities"] = max(figures["entities"], entities)
    return found


def publisher(running: Served) -> Callable[[str, Any], float]:
    """A function that saves an entity by an operation, and answers how long it took."""
    _, answer = running.ask(
        "security",
        f'<get_authToken xmlns="urn:uddi-org:api_v3" userID="{USER}" cred="{PASSWORD}"/>',
    )
    token = answer.partition(b"<authInfo>")[2].partition(b"<")[0].decode()

    def saved(operation: str, item: Any) -> float:
        request = root(operation)
        append(request, token, "authInfo")
        append(request, item)
        return running.ask("publish", etree.tostring(request, encoding="unicode"))[0]

    return saved


def first_view(running: Served) -> float:
    """Milliseconds of the page that a registry which has just started shows first."""
    spent, page = running.get("/")
    assert b"<table" in page
    return spent


def pages(running: Served, hospitals: int, times: int) -> dict[str, list[float]]:
    """Milliseconds of views of the page: as things are, and each after a change."""
    random, saved = Random(9), publisher(running)
    figures: dict[str, list[float]] = {
        "page, view": [],
        "page, view after a change": [],
        "page, search by pinyin": [],
        "page, search by pinyin after a change": [],
    }
    for turn in range(times):
        # initials of the town, the number, and those of the kind: 华夏第7中心医院
        query = f"/search?q=hxd{random.randrange(hospitals)}%20zx"
        for path, name in (("/", "page, view"), (query, "page, search by pinyin")):
            figures[name].append(running.get(path)[0])
            old = hospital(random.randrange(hospitals))
            described = replace(old, descriptions=(LangText(f"第{turn}页{name}", "zh"),))
            saved("save_business", described)
            figures[f"{name} after a change"].append(running.get(path)[0])
    return figures


def publishing(running: Served, hospitals: int, times: int) -> dict[str, list[float]]:
    """Milliseconds of each save: a new hospital whole, a hospital changed, one binding."""
    random, saved = Random(8), publisher(running)
    figures: dict[str, list[float]] = {
        "a new hospital, 13 services": [],
        "a hospital again, described anew": [],
        "a binding again": [],
    }
    for turn in range(times):
        new, old = hospital(hospitals + turn), hospital(random.randrange(hospitals))
        figures["a new hospital, 13 services"].append(saved("save_business", new))
        described = replace(old, descriptions=(LangText(f"第{turn}次", "zh"),))
        figures["a hospital again, described anew"].append(saved("save_business", described))
        service = random.choice(old.services)
        binding = replace(service.bindings[0], service_key=service.key)
        figures["a binding again"].append(saved("save_binding", binding))
    return figures


def percentile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def run(
    sizes: list[int], asks: int, folder: Path, databases: list[str], only: str = ""
) -> tuple[dict[str, Any], str]:
    """The raw figures and the table."""
    chosen = [case for case in cases() if only in case.name]
    raw: dict[str, Any] = {"unit": "milliseconds", "machine": machine(), "sizes": []}
    raw["machine"]["server_core"] = SERVER_CORE
    for number, bindings in enumerate(sizes):
        hospitals = -(-bindings // len(SERVICES))
        path = folder / f"registry-{bindings}.db"
        url = databases[number] if databases else f"sqlite:///{path}"
        filled = 0.0 if path.exists() else fill(url, hospitals)
        with served(url, folder) as running:
            started = running.memory()
            first = [] if only else [first_view(running)]
            asked = inquiries(running, chosen, hospitals, asks)
            after = running.memory()
            published = {} if only else publishing(running, hospitals, max(asks // 4, 3))
            viewed = {} if only else pages(running, hospitals, max(asks // 8, 3))
            raw["sizes"].append(
                {
                    "bindings": hospitals * len(SERVICES),
                    "hospitals": hospitals,
                    "database": url.partition(":")[0],
                    "database_bytes": path.stat().st_size if path.exists() else None,
                    "filled_seconds": filled,
                    "inquiries": asked,
                    "publishing": published,
                    "pages": {"page, first view": first, **viewed} if first else {},
                    "memory_megabytes": {"started": started["now"], "asked": after},
                }
            )
    raw["machine"]["load_average_after"] = machine()["load_average"]
    return raw, table(raw)


def table(raw: dict[str, Any]) -> str:
    sizes = raw["sizes"]
    shown = [f"{size['bindings']:,}" for size in sizes]
    lines = [
        f"{'':<44}" + "".join(f"{f'{one} bindings':>24}" for one in shown),
        f"{'milliseconds':<44}" + f"{'p50':>8}{'p99':>8}{'max':>8}" * len(sizes) + "  growth",
    ]
    for part in ("inquiries", "publishing", "pages"):
        for name in sizes[0][part]:
            line, middles = f"{name:<44}", []
            for size in sizes:
                figures = size[part][name]
                values = figures["milliseconds"] if part == "inquiries" else figures
                middles.append(statistics.median(values))
                line += f"{middles[-1]:>8.2f}{percentile(values, 0.99):>8.2f}{max(values):>8.2f}"
            lines.append(f"{line}{middles[-1] / middles[0]:>8.1f}")
    for size in sizes:
        memory, stored = size["memory_megabytes"], size["database_bytes"]
        lines.append(
            f"{size['bindings']:,} bindings, {size['hospitals']:,} hospitals, {size['database']}: "
            f"memory {memory['started']} MB at start, {memory['asked']['now']} MB after "
            f"({memory['asked']['most']} at most)"
            + (f"; database {stored / 1e6:.0f} MB" if stored else "")
            + (f"; filled in {size['filled_seconds']:.0f} s" if size["filled_seconds"] else "")
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="bindings")
    parser.add_argument("--asks", type=int, default=200, help="of each kind, and size")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--database", nargs="+", default=[], help="an empty one for each size")
    parser.add_argument("--postgresql", action="store_true", help="on the tests' own server")
    parser.add_argument("--folder", type=Path, help="keep SQLite databases here, and take them")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--save", action="store_true", help=f"into {RESULTS}")
    options = parser.parse_args(arguments)
    sizes, asks = (list(QUICK), 3) if options.quick else (options.sizes, options.asks)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        databases = _on_the_tests_server(len(sizes)) if options.postgresql else options.database
        raw, text = run(sizes, asks, folder, databases, options.only)
    print(text)
    if options.save:
        save("registry-postgresql" if options.postgresql else "registry", raw, text, RESULTS)


def _on_the_tests_server(count: int) -> list[str]:
    from tests.databases.targets import Target

    target = Target("postgresql+psycopg")
    urls = (target.url(target.server.database()) for _ in range(count))
    return [url.render_as_string(hide_password=False) for url in urls]


if __name__ == "__main__":
    main()
