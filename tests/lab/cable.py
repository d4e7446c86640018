"""A cable between two network namespaces that can be slow, lossy or cut, in user space.

Run as ``python -m tests.lab.cable NS_A NAME_A ADDRESS_A NS_B NAME_B ADDRESS_B`` as root; addresses
with prefix length. Each end is a tun interface of that name. Every line on standard input sets what
it names, as JSON: ``{"delay": 0.2, "loss": 0.02, "cut": false}``: seconds each way, share of
packets that vanish, and whether all do. It says ``ok`` after each. Not every kernel
has ``tc netem``; this needs nothing but tun.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from itertools import count

from tests.lab.namespaces import enter

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000


def end_in(namespace: str, name: str, address: str) -> int:
    """The interface in that namespace, up and with its address; its packets are on the file."""
    enter(namespace)
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    for command in (f"addr add {address} dev {name}", f"link set {name} mtu 1400 up"):
        subprocess.run(["ip", *command.split()], check=True)
    return tun


def main(*given: str) -> None:
    ends = end_in(*given[:3]), end_in(*given[3:])
    other = dict(zip(ends, reversed(ends), strict=True))
    state = {"delay": 0.0, "loss": 0.0, "cut": False}
    due: list[tuple[float, int, int, bytes]] = []
    order = count()
    commands = b""
    print("ok", flush=True)
    while True:
        wait = max(0.0, due[0][0] - time.monotonic()) if due else None
        for ready in select.select([*ends, 0], [], [], wait)[0]:
            if ready == 0:
                read = os.read(0, 4096)
                if not read:
                    return
                *lines, commands = (commands + read).split(b"\n")
                for line in lines:
                    state.update(json.loads(line))
                    print("ok", flush=True)
                continue
            packet = os.read(ready, 65536)
            if not state["cut"] and random.random() >= state["loss"]:
                at = time.monotonic() + state["delay"]
                heapq.heappush(due, (at, next(order), other[ready], packet))
        now = time.monotonic()
        while due and due[0][0] <= now:
            _, _, target, packet = heapq.heappop(due)
            if not state["cut"]:
                os.write(target, packet)


if __name__ == "__main__":
    main(*sys.argv[1:7])
