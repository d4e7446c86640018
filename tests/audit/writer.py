"""A process that records calls as quickly as it can, and says on standard output which are safe.

Run as ``python -m tests.audit.writer FOLDER``; it runs until it is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from gateway.audit.trail import Trail
from gateway.log import json_log
from gateway_config.audit import Audit
from tests.audit.conftest import call


async def main(folder: Path) -> None:
    settings = Audit(folder=folder, min_free_bytes=0, rotate_bytes=64 * 1024)
    trail = Trail(settings, "gw.w0", json_log(sys.stderr))
    await trail.start()
    numbers = count()

    async def caller() -> None:
        while True:
            number = next(numbers)
            await trail.record(call(number))
            os.write(1, f"request-{number}\n".encode())

    await asyncio.gather(*(caller() for _ in range(20)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
