"""Fuzzing ``inspect`` by hand, with coverage: pip install atheris, then

    python -m tests.gateway.fuzz.fuzz_inspect tests/gateway/fuzz/corpus -max_total_time=600

New inputs are written into the corpus folder; keep the small ones that find something new
(``-merge=1``), since tests/gateway/fuzz/test_fuzz.py replays them all.
"""

from __future__ import annotations

import sys

import atheris  # type: ignore[import-not-found,unused-ignore]

with atheris.instrument_imports(include=["services.soap", "gateway.admission"]):
    from tests.gateway.fuzz.properties import check


def one(data: bytes) -> None:
    check(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
