"""A gateway's worker stays small: spyne, which makes WSDLs on nodes, is not loaded by it."""

from __future__ import annotations

import subprocess
import sys


def test_a_gateway_that_checks_contracts_loads_no_spyne() -> None:
    program = (
        "import sys, gateway.app\n"
        "from gateway.admission.contract import _codecs\n"
        "assert _codecs('LabResults') and _codecs('HisService')\n"
        "sys.exit('spyne' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=120).returncode == 0
