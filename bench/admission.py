"""What admission costs a call: CPU microseconds of each step, and of all together.

    python -m bench.admission [--seconds 1]

In this process, without sockets: a call of 1 KB and one of 100 KB pass every step for which a
gateway of some size is configured (20 callers by certificate, Basic and network; 30 policies;
rates; contracts checked). The step "connection" is part of bench/gateway.py.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.admission.origin import Origin
from gateway.admission.steps import Admission, Remembered
from gateway.head import Head, read_head
from gateway_config.model import GatewayConfig
from services.passwords import hash_password

NAMESPACE = "urn:yilian:LabResults:1"
PASSWORD = "secret"


def configuration(*, contract: bool) -> GatewayConfig:
    hashed = hash_password(PASSWORD)
    rate = {"per_second": 1_000_000.0, "burst": 1_000_000}
    callers: dict[str, Any] = {
        f"net{n}": {"networks": [f"10.{n}.0.0/16"], "rate": rate} for n in range(10)
    }
    callers |= {
        f"basic{n}": {"basic": {"user": f"u{n}", "password_hash": hashed}, "rate": rate}
        for n in range(10)
    }
    policies = [
        {
            "name": f"p{n}",
            "callers": [f"net{n % 10}", f"basic{n % 10}"],
            "hospitals": ["hx"],
            "services": ["LabResults"],
            "operations": ["QueryLabMaster", "GetLabResult"],
        }
        for n in range(30)
    ]
    return GatewayConfig.model_validate(
        {
            "registry": {"url": "http://127.0.0.1:1"},
            "hospitals": {"hx": {"rate": rate}},
            "admission": {"check_contract": contract},
            "callers": callers,
            "policies": policies,
        }
    )


def message(size: int) -> bytes:
    """A call of about ``size`` bytes, of as many elements as real ones have."""
    arguments = "<PatientId>0000000001</PatientId><Since>2026-11-01T00:00:00</Since>"
    begin = (
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope '
        'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Header>'
    )
    block = '<t:Trace xmlns:t="urn:t"><t:Id>0123456789</t:Id><t:At>2026-11-21</t:At></t:Trace>'
    end = (
        f'</soap:Header><soap:Body><QueryLabMaster xmlns="{NAMESPACE}">{arguments}'
        "</QueryLabMaster></soap:Body></soap:Envelope>"
    )
    times = max(1, (size - len(begin) - len(end)) // len(block))
    return (begin + block * times + end).encode()


def head_of(body: bytes, *more: tuple[bytes, bytes]) -> Head:
    headers = [
        (b"Host", b"gateway:8080"),
        (b"Content-Type", b"text/xml; charset=utf-8"),
        (b"SOAPAction", f'"{NAMESPACE}/QueryLabMaster"'.encode()),
        (b"Content-Length", str(len(body)).encode()),
        *more,
    ]
    return read_head("POST", b"/hx/LabResults", b"", headers)


async def microseconds(act: Callable[[], Awaitable[object]], seconds: float) -> float:
    """CPU of one, by repeating it for so long; the best of five."""
    await act()
    best = float("inf")
    for _ in range(5):
        times, begun, until = 0, time.process_time(), time.perf_counter() + seconds / 5
        while time.perf_counter() < until:
            for _ in range(20):
                await act()
            times += 20
        best = min(best, (time.process_time() - begun) / times)
    return best * 1e6


async def measure(size: int, seconds: float, *, contract: bool) -> dict[str, float]:
    config = configuration(contract=contract)
    remembered = Remembered(config)
    admission = Admission(config, remembered)
    body = message(size)
    user = b"Basic " + base64.b64encode(f"u1:{PASSWORD}".encode())
    head = head_of(body, (b"Authorization", user))
    seen = Origin("192.0.2.1", None, False)
    standing = await admission.before_message(seen, head)
    parsed = admission.message(body, head)
    caller = admission.caller(standing, parsed, seen)

    async def by_caller() -> None:
        admission.caller(
            await admission.before_message(admission.origin(seen, head), head), None, seen
        )

    async def by_message() -> None:
        admission.message(body, head)

    async def by_policy() -> None:
        admission.policy(caller, "hx", "LabResults", parsed)

    async def by_contract() -> None:
        admission.contract("hx", "LabResults", parsed)

    async def by_rate() -> None:
        admission.rate(caller, "hx")
        assert admission.entered(caller, "hx")
        admission.leave(caller, "hx")

    async def all_together() -> None:
        origin = admission.origin(seen, head)
        standing = await admission.before_message(origin, head)
        parsed = admission.message(body, head)
        caller = admission.caller(standing, parsed, origin)
        admission.policy(caller, "hx", "LabResults", parsed)
        admission.contract("hx", "LabResults", parsed)
        admission.rate(caller, "hx")
        assert admission.entered(caller, "hx")
        admission.leave(caller, "hx")

    steps = {
        "caller (Basic, known)": by_caller,
        "message": by_message,
        "policy": by_policy,
        "contract": by_contract,
        "rate and place": by_rate,
        "all together": all_together,
    }
    found = {name: await microseconds(step, seconds) for name, step in steps.items()}
    admission.close()
    remembered.close()
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    seconds = arguments.parse_args().seconds
    for size in (1024, 100 * 1024):
        for contract in (False, True):
            found = asyncio.run(measure(size, seconds, contract=contract))
            print(
                f"{len(message(size))} bytes, contract {'checked' if contract else 'not checked'}"
            )
            for name, cost in found.items():
                print(f"  {name:<24}{cost:8.1f} µs")


if __name__ == "__main__":
    main()
