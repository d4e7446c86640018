"""A hospital behind a gate that nobody can connect into: its node, and what it was asked."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from gateway.binding import Binding
from services.soap.exchange import Endpoint
from services.soap.interface import typed_interface
from tests.services.sample import Person, Sample

PATH = "/hx/Sample"
#: what the node publishes: no packet ever gets there
BINDING = Binding("hx", "Sample", f"http://192.168.77.77:8088{PATH}")


class Inside:
    """Answers ``wait...`` when ``go`` is set, ``big`` with three megabytes, anything else at
    once."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked: list[str] = []
        self.endpoint = Endpoint(typed_interface(Sample), "hx", {"Ask": self.ask, "Put": self.put})

    async def ask(self, **arguments: Any) -> list[Person]:
        name = arguments["Id"]
        self.asked.append(name)
        if name.startswith("w"):
            await self.go.wait()
        return [Person(name if name != "big" else "b" * 3_000_000, None, [])]

    async def put(self, **arguments: Any) -> str:
        self.asked.append(arguments["RequestId"])
        return "put"


def envelope(name: str) -> bytes:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<Ask xmlns="urn:yilian:Sample:3"><Id>{name}</Id></Ask></s:Body></s:Envelope>'
    ).encode()


HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"urn:yilian:Sample:3/Ask"'}


def name_in(body: bytes) -> str:
    found = re.search(rb"<Name>([^<]*)</Name>", body)
    return found[1].decode() if found else body.decode()
