"""curl, for a first call from a shell."""

from __future__ import annotations

import shlex

from registry.web.envelopes import envelope, examples
from registry.web.parts import Told
from registry.web.recipes.given import Service

ZH = "Linux、macOS、Git Bash 的命令行。SOAPAction 可以省略；写了就不能是别的操作。"
EN = "For a shell on Linux, macOS or Git Bash. SOAPAction may be left out, but never be another's."


def write(service: Service, operation: Told) -> str:
    return line(service.address, operation.soap_action, envelope(operation, examples(operation)))


def line(address: str, soap_action: str, message: bytes) -> str:
    """The call of any envelope. A single-quoted text means itself, whatever it holds."""
    action = shlex.quote(f'SOAPAction: "{soap_action}"')
    return (
        "curl -sS \\\n"
        "  -H 'Content-Type: text/xml; charset=utf-8' \\\n"
        f"  -H {action} \\\n"
        f"  --data-binary {shlex.quote(message.decode().strip())} \\\n"
        f"  {shlex.quote(address)}"
    )
