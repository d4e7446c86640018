"""The gateway that bench/gateway.py measures: one worker in front of a backend.

    python -m bench.gateway_worker PORT BACKEND_PORT FOLDER [--bare]

Everything on: HTTP Basic, message, policy, contract, rate, audit. ``--bare``: the same protocol,
routing and forwarding with nothing looked at and nothing put on record: what admission costs is
the difference.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gateway.app import Gateway
from gateway.binding import Binding
from gateway.call import Answer, Call
from gateway.forward import Forwarder, NodeRequest
from gateway.log import json_log
from gateway.routes import Routes
from gateway.server import GatewayServer
from gateway_config.model import GatewayConfig
from services.passwords import hash_password
from yilian.listening import listening

USER, PASSWORD = "bench", "correct horse"


class BarePath:
    """In CallPath's place."""

    def __init__(self, routes: Routes, forwarder: Forwarder, limit: int) -> None:
        self._routes = routes
        self._forwarder = forwarder
        self._limit = limit

    async def __call__(self, call: Call) -> Answer:
        route = await self._routes.find(call.raw_path.decode("ascii"))
        assert route is not None
        known = dict(call.headers)
        headers = (("Content-Type", known[b"content-type"].decode("latin-1")),)
        request = NodeRequest("POST", headers, await call.read_body(self._limit))
        answer = await self._forwarder.send(route, request)
        return Answer(
            answer.status, (("Content-Type", answer.headers["content-type"]),), answer.body
        )


def configuration(folder: Path) -> GatewayConfig:
    """Every step has something to do, and none refuses."""
    rate = {"per_second": 1_000_000, "burst": 1_000_000}
    caller = {
        "hospital": "sq",
        "basic": {"user": USER, "password_hash": hash_password(PASSWORD)},
        "rate": rate,
    }
    others = {f"other-{n}": {"networks": [f"10.{n}.0.0/16"]} for n in range(20)}
    refusals: list[dict[str, Any]] = [
        {
            "name": f"not-{n}",
            "callers": [f"other-{n}"],
            "hospitals": ["*"],
            "services": ["Ordering"],
            "operations": ["*"],
            "allow": False,
        }
        for n in range(20)
    ]
    allowed = {
        "name": "results",
        "callers": ["his"],
        "hospitals": ["hx"],
        "services": ["LabResults"],
        "operations": ["QueryLabMaster"],
    }
    return GatewayConfig.model_validate(
        {
            "registry": {"url": "http://127.0.0.1:9"},
            "limits": {"max_connections_per_peer": 4000},
            "hospitals": {"hx": {"rate": rate}, "sq": {}},
            "callers": {"his": caller, **others},
            "policies": [*refusals, allowed],
            "admission": {"check_contract": True},
            "audit": {"folder": folder / "audit"},
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("backend", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    binding = Binding("hx", "LabResults", f"http://127.0.0.1:{options.backend}/hx/LabResults")
    (options.folder / "audit").mkdir(exist_ok=True)
    config = configuration(options.folder)
    with (options.folder / f"{options.port}.json").open("w", encoding="utf-8") as log:
        gateway = Gateway(config, lambda: [binding], log=json_log(log))
        if options.bare:
            _take_admission_out(gateway, config)
        GatewayServer(gateway).run(sockets=[listening("127.0.0.1", options.port)])


def _take_admission_out(gateway: Gateway, config: GatewayConfig) -> None:
    made = gateway._made

    def bare(*arguments: Any) -> Any:
        generation = made(*arguments)
        limit = config.limits.max_body_bytes
        generation.path = BarePath(gateway._routes, generation.balance, limit)  # type: ignore[assignment]
        return generation

    gateway._made = bare  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
