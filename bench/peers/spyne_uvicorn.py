"""Spyne under uvicorn, through a2wsgi.    python -m bench.peers.spyne_uvicorn PORT"""

from __future__ import annotations

import logging
import sys
from typing import Any

import uvicorn
from a2wsgi import WSGIMiddleware

from bench.hospital import masters
from bench.node import ROWS
from services import his_service
from services.soap.interface import his_service_interface
from services.soap.wsdl import spyne_application


def main() -> None:
    from spyne.server.wsgi import WsgiApplication

    told = {op.name: op for op in his_service.OPERATIONS}["getlabmaster"]
    rows = masters(ROWS)

    def answer(name: str, arguments: tuple[Any, ...]) -> tuple[int, str]:
        return told.reply(rows)

    logging.disable(logging.INFO)
    application = WsgiApplication(spyne_application(his_service_interface(), answer))
    uvicorn.run(
        WSGIMiddleware(application),  # type: ignore[arg-type]
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
