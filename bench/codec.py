"""The codec beside spyne's own pipeline and the floor, in one run, in interleaved rounds.

    python -m bench.codec [--rounds 15] [--seconds 0.3] [--save]

What is measured is a whole ``Endpoint.call`` without transport and with constant data behind it;
spyne's pipeline from request bytes to reply bytes, without HTTP, over the same data; and
bench/floor.py. CPU microseconds per call.

getlabmaster is measured in two ways. In the first, records stand behind it, and joining them to
one string is part of every contender's call: spyne calls our join, so its part cannot get
smaller than that. In the second the string is given, and what is left is SOAP alone.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from typing import Any

from lxml import etree

from bench import floor
from bench.hospital import (
    DAY,
    legacy_endpoint,
    masters,
    number_source_endpoint,
    slots,
    string_endpoint,
)
from bench.measure import RESULTS, interleaved, machine, ratios, save
from services import his_service
from services.soap.exchange import Endpoint, Request
from services.soap.interface import Interface
from services.soap.wsdl import spyne_application

GIVEN = "getlabmaster, string given"
CASES = (
    (GIVEN, 5),
    (GIVEN, 500),
    ("getlabmaster", 5),
    ("getlabmaster", 500),
    ("QueryNumberSource", 50),
    ("QueryNumberSource", 500),
)
ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>{}</soap:Body></soap:Envelope>'
)
GETLABMASTER = ENVELOPE.format(
    '<getlabmaster xmlns="http://tempuri.org/"><PatientId>0000012345</PatientId><str></str>'
    "</getlabmaster>"
).encode()
QUERY = ENVELOPE.format(
    '<QueryNumberSource xmlns="urn:yilian:NumberSource:1">'
    f"<ScheduleDate>{DAY.isoformat()}</ScheduleDate><DeptCode>0301</DeptCode></QueryNumberSource>"
).encode()


def contenders(operation: str, rows: int) -> dict[str, Callable[[], bytes]]:
    """What one round runs; all three answer the same."""
    if operation == GIVEN:
        told = {op.name: op for op in his_service.OPERATIONS}["getlabmaster"]
        answer = told.reply(masters(rows))
        endpoint = string_endpoint(answer)
        return {
            "codec": _codec(endpoint, GETLABMASTER, "getlabmaster"),
            "spyne": _spyne(endpoint.interface, lambda name, arguments: answer, GETLABMASTER),
            "floor": lambda: floor.getlabmaster_string(GETLABMASTER, *answer),
        }
    if operation == "getlabmaster":
        endpoint, body, lab = legacy_endpoint(rows), GETLABMASTER, masters(rows)
        told = {op.name: op for op in his_service.OPERATIONS}[operation]
        return {
            "codec": _codec(endpoint, body, operation),
            "spyne": _spyne(endpoint.interface, lambda name, arguments: told.reply(lab), body),
            "floor": lambda: floor.getlabmaster(body, lab),
        }
    endpoint, body, sessions = number_source_endpoint(rows), QUERY, slots(rows)
    return {
        "codec": _codec(endpoint, body, operation),
        "spyne": _spyne(endpoint.interface, lambda name, arguments: sessions, body),
        "floor": lambda: floor.query_number_source(body, sessions),
    }


def _codec(endpoint: Endpoint, body: bytes, operation: str) -> Callable[[], bytes]:
    action = next(op.soap_action for op in endpoint.interface.operations if op.name == operation)

    def run() -> bytes:
        # As a node's host does it: a request for each call, and a coroutine that never waits.
        call = endpoint.call(Request(body, "text/xml; charset=utf-8", f'"{action}"'))
        try:
            call.send(None)
        except StopIteration as finished:
            reply = finished.value
            assert reply.status == 200, reply.body.decode()
            return bytes(reply.body)
        raise AssertionError("constant data made the call wait")

    return run


def _spyne(
    interface: Interface, answer: Callable[[str, tuple[Any, ...]], Any], body: bytes
) -> Callable[[], bytes]:
    # Not at the top: services.soap.wsdl first makes spyne importable on new Pythons.
    from spyne import MethodContext
    from spyne.server import ServerBase

    server = type("Direct", (ServerBase,), {"transport": "direct"})(
        spyne_application(interface, answer)
    )

    def run() -> bytes:
        initial = MethodContext(server, MethodContext.SERVER)
        initial.in_string = [body]
        (context,) = server.generate_contexts(initial, "utf-8")
        server.get_in_object(context)
        server.get_out_object(context)
        server.get_out_string(context)
        assert context.out_error is None and context.in_error is None
        return b"".join(context.out_string)

    return run


def same_answers(found: dict[str, Callable[[], bytes]], rows: int) -> None:
    """The codec and the floor to the byte; spyne by its values, since its prefixes differ."""
    codec, by_floor, by_spyne = found["codec"](), found["floor"](), found["spyne"]()
    assert codec == by_floor, "the floor answers something else than the codec"
    ours, theirs = (_values(answer) for answer in (codec, by_spyne))
    assert ours == theirs, "spyne answers something else than the codec"
    assert len(ours) > rows or str(rows) in ours


def _values(answer: bytes) -> list[str]:
    body = etree.fromstring(answer)[0]
    return [element.text or "" for element in body.iter() if not len(element)]


def run(rounds: int, seconds: float) -> tuple[dict[str, Any], str]:
    """The raw figures and the table."""
    raw: dict[str, Any] = {"unit": "CPU microseconds per call", "machine": machine(), "cases": []}
    lines = [
        f"{'':<49}{'CPU µs a call':>19}{'spyne/codec':>24}{'codec/floor':>19}{'spyne/floor':>13}",
        f"{'operation':<27}{'rows':>5}{'codec':>11}{'spyne':>12}{'floor':>11}"
        f"{'min':>11}{'median':>8}{'max':>7}{'min':>7}{'median':>8}{'max':>6}{'median':>11}",
    ]
    for operation, rows in CASES:
        found = contenders(operation, rows)
        same_answers(found, rows)
        figures = interleaved(found, rounds, seconds)
        faster = ratios(figures["spyne"], figures["codec"])
        above = ratios(figures["codec"], figures["floor"])
        room = ratios(figures["spyne"], figures["floor"])
        raw["cases"].append(
            {
                "operation": operation,
                "rows": rows,
                "answer_bytes": len(found["codec"]()),
                "microseconds": figures,
                "spyne_over_codec": faster,
                "codec_over_floor": above,
                "spyne_over_floor": room,
            }
        )
        middle = {name: statistics.median(values) for name, values in figures.items()}
        lines.append(
            f"{operation:<27}{rows:>5}{middle['codec']:>11.1f}{middle['spyne']:>12.1f}"
            f"{middle['floor']:>11.1f}"
            f"{faster['min']:>11.1f}{faster['median']:>8.1f}{faster['max']:>7.1f}"
            f"{above['min']:>7.2f}{above['median']:>8.2f}{above['max']:>6.2f}"
            f"{room['median']:>11.1f}"
        )
    raw["machine"]["load_average_after"] = machine()["load_average"]
    return raw, "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.3, help="a contender a round")
    parser.add_argument("--save", action="store_true", help=f"into {RESULTS}")
    options = parser.parse_args(arguments)
    raw, table = run(options.rounds, options.seconds)
    print(table)
    if options.save:
        save("codec", raw, table, RESULTS)


if __name__ == "__main__":
    main()
