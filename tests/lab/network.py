"""Two hospitals and what lies between them, as network namespaces on this machine.

    hospital A ── gate A ══ middle ══ gate B ── hospital B
    192.168.1.8   .1.1      10.99.1.1   .2.1     192.168.2.9
                  10.99.1.2 10.99.2.1 10.99.2.2

A gate maps single ports and forwards nothing else: an inner host has no route beyond it, a server
sees the gate's address and never the client's, ping is not answered. ``══`` are cables that can be
slowed, made lossy, and cut (tests/lab/cable.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.lab.namespaces import make, remove, run

CABLE = "cable"  # the gates' outer interface
PROJECT = Path(__file__).parents[2]

_IN = ("ip", "netns", "exec")
_YILIAN = (sys.executable, "-P", "-m", "yilian")


@dataclass(frozen=True)
class Mapped:
    """A port of the gate's own address, and where connections to it are taken."""

    port: int
    target: str
    target_port: int


class Cable:
    def __init__(self, *ends: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lab.cable", *ends],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        self._answered()

    def set(self, **state: float | bool) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(state).encode() + b"\n")
        self._process.stdin.flush()
        self._answered()

    def mend(self) -> None:
        self.set(delay=0.0, loss=0.0, cut=False)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _answered(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ok\n"


class Network:
    """A context. ``a``, ``b``, ``middle``: the namespaces' names."""

    def __init__(self) -> None:
        mark = f"yl{os.getpid() % 100_000}"
        self.a, self.b, self.middle = f"{mark}-a", f"{mark}-b", f"{mark}-mid"
        self.gate_a, self.gate_b = f"{mark}-ga", f"{mark}-gb"
        self._stack = ExitStack()

    def __enter__(self) -> Network:
        with ExitStack() as stack:
            for namespace in (self.a, self.b, self.middle, self.gate_a, self.gate_b):
                make(namespace)
                stack.callback(remove, namespace)
            for number, (gate, hospital, host) in enumerate(
                ((self.gate_a, self.a, 8), (self.gate_b, self.b, 9)), 1
            ):
                run(f"ip link add inner netns {gate} type veth peer name lan netns {hospital}")
                for namespace, device, address in (
                    (gate, "inner", f"192.168.{number}.1/24"),
                    (hospital, "lan", f"192.168.{number}.{host}/24"),
                ):
                    run(f"ip -n {namespace} addr add {address} dev {device}")
                    run(f"ip -n {namespace} link set {device} up")
            self.cable_a, self.cable_b = (
                Cable(self.middle, f"to-{n}", f"10.99.{n}.1/24", gate, CABLE, f"10.99.{n}.2/24")
                for n, gate in enumerate((self.gate_a, self.gate_b), 1)
            )
            stack.callback(self.cable_a.close)
            stack.callback(self.cable_b.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def gate(self, gate: str, *, inwards: list[Mapped], outwards: list[Mapped]) -> None:
        """The gate's table. ``inwards``: from the cable to the hospital; ``outwards``: from the
        hospital to the middle."""
        rules = [
            f'iifname "{device}" tcp dport {one.port} dnat to {one.target}:{one.target_port}'
            for device, table in ((CABLE, inwards), ("inner", outwards))
            for one in table
        ]
        table = f"""
            table ip gate {{
              chain prerouting {{ type nat hook prerouting priority -100; {"; ".join(rules)}; }}
              chain postrouting {{ type nat hook postrouting priority 100; masquerade; }}
              chain forward {{
                type filter hook forward priority 0; policy drop;
                ct state established,related accept; ct status dnat accept;
              }}
              chain input {{ type filter hook input priority 0; policy drop; }}
            }}
        """
        command = ["ip", "netns", "exec", gate]
        for write in ("net.ipv4.ip_forward=1", "net.netfilter.nf_conntrack_tcp_loose=0"):
            subprocess.run([*command, "sysctl", "-qw", write], check=True)
        done = subprocess.run([*command, "nft", "-f", "-"], input=table.encode())
        assert done.returncode == 0

    def forget(self, gate: str) -> None:
        """The gate loses its table of connections, as after its idle time or a fail-over: what
        either end sends on them goes nowhere, without a word."""
        with suppress(subprocess.CalledProcessError):
            subprocess.run(
                ["ip", "netns", "exec", gate, "conntrack", "-F"], check=True, capture_output=True
            )

    def start(self, namespace: str, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
        """``yilian ...`` in a namespace; it ends when its standard input closes."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [*_IN, namespace, *_YILIAN, *arguments, "--stop-with-stdin"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={
                    **{k: v for k, v in os.environ.items() if "proxy" not in k.lower()},
                    "PYTHONPATH": str(PROJECT),
                    "PYTHONUNBUFFERED": "1",
                },
            )
