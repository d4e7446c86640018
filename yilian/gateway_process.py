"""The gateway's processes: sockets, workers, end."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.app import Gateway
from gateway.counters import Counters
from gateway.server import GRACE_SECONDS, GatewayServer
from gateway_config.model import GatewayConfig
from yilian.boundary.checking import read_for_running
from yilian.gateway_metrics import GatewayMetrics
from yilian.listening import end_with, listening_for
from yilian.supervisor import Supervisor
from yilian.workers_metrics import WorkersMetrics

#: what a worker may take beyond the grace of its calls, seconds
_TO_END = 5


def run_gateway(file: Path, *, stop_with_stdin: bool = False) -> None:
    """Serve until SIGTERM or SIGINT. Refused where the configuration or a port is no use."""
    # Who asks for a reload before the process can do it must not end it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    config, _ = read_for_running(file)
    listen, tls, workers = config.listen, config.own_tls, config.listen.workers
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True
    )
    plain = listening_for(listen.host, listen.port, workers) if listen.plain else []
    secured = listening_for(tls.host, tls.port, workers) if tls is not None else []

    together: Path | None = None  # where the workers tell each other what they count

    def close_all_but(worker: int | None = None) -> None:
        for sockets in (plain, secured):
            for number, sock in enumerate(sockets):
                if number != worker:
                    sock.close()

    def work(worker: int) -> None:
        close_all_but(worker)  # who connects while we end is to be refused, not kept waiting
        # Each reads the file for itself: a worker that is started again takes what counts now.
        settings, find_bindings = read_for_running(file)
        counters = Counters()
        metrics = WorkersMetrics(
            GatewayMetrics(counters, worker), worker=worker, workers=workers, folder=together
        )
        gateway = Gateway(
            settings,
            find_bindings,
            reread=lambda: read_for_running(file),
            worker=worker,
            counters=counters,
            more_pages=[metrics.route()],
            beside=metrics.answering,
        )
        server = GatewayServer(gateway, tls=secured[worker] if secured else None)
        server.run(sockets=plain[worker : worker + 1])  # on uvloop where there is one
        if not server.started:
            sys.exit(3)  # uvicorn's own status for a start that failed

    for url in _urls(config):
        logging.getLogger("yilian").info("gateway: %s", url)
    if workers > 1:
        grace = config.drain_seconds + GRACE_SECONDS + _TO_END
        supervisor = Supervisor(work, workers, grace=grace, ending=close_all_but)
        with TemporaryDirectory(prefix="yilian-") as folder:
            together = Path(folder)
            supervisor.run(stop_with_stdin=stop_with_stdin)
        return
    if stop_with_stdin:
        end_with(sys.stdin.fileno())
    work(0)


def _urls(config: GatewayConfig) -> list[str]:
    listen, tls = config.listen, config.own_tls
    urls = [f"http://{listen.host}:{listen.port}"] if listen.plain else []
    return urls + ([f"https://{tls.host}:{tls.port}"] if tls is not None else [])
