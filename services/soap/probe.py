"""The harmless call by which a service's health is asked, as its contract declares it.

A node publishes it with each binding, as JSON, so that who probes need not know the contract.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from xml.sax.saxutils import escape

from services import his_service
from services.contract import Contract, describe
from services.soap.interface import soap_action
from services.soap.version import SOAP_1_1

#: characters that a declaration may have in all
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class ProbeCall:
    """``arguments`` as text by name, in the schema's order."""

    operation: str
    namespace: str
    soap_action: str
    arguments: tuple[tuple[str, str], ...]

    def to_json(self) -> str:
        return json.dumps(
            {
                "operation": self.operation,
                "namespace": self.namespace,
                "soapAction": self.soap_action,
                "arguments": dict(self.arguments),
            },
            ensure_ascii=False,
        )

    def envelope(self) -> bytes:
        """The SOAP 1.1 message, document/literal wrapped."""
        space = escape(self.namespace, {'"': "&quot;"})
        inside = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in self.arguments)
        return (
            '<?xml version="1.0" encoding="utf-8"?>'
            f'<soap:Envelope xmlns:soap="{SOAP_1_1.envelope}"><soap:Body>'
            f'<{self.operation} xmlns="{space}">{inside}</{self.operation}>'
            "</soap:Body></soap:Envelope>"
        ).encode()


def from_json(text: str) -> ProbeCall:
    """ValueError where it is no declaration: then there is nothing to be called."""
    found = json.loads(text) if len(text) <= LONGEST else None
    if not isinstance(found, dict):
        raise ValueError("not a probe's declaration")
    arguments = found.get("arguments", {})
    if not isinstance(arguments, dict):
        raise ValueError("arguments must be an object")
    call = ProbeCall(
        str(found.get("operation", "")),
        str(found.get("namespace", "")),
        str(found.get("soapAction", "")),
        tuple((str(name), str(value)) for name, value in arguments.items()),
    )
    names = [call.operation, *(name for name, _ in call.arguments)]
    if not all(_is_name(name) for name in names):
        raise ValueError("operation and arguments must be XML names")
    texts = [call.namespace, *(value for _, value in call.arguments)]
    if not all(text.isprintable() for text in texts):
        raise ValueError("a text holds control characters")
    if not call.soap_action.isascii() or not call.soap_action.isprintable():
        raise ValueError("soapAction must be printable ASCII")
    return call


def _is_name(text: str) -> bool:
    return text.isidentifier() and text.isascii()


def probe_of(contract: type[Contract]) -> ProbeCall | None:
    """The probe of a typed contract, None where it declares none."""
    description = describe(contract)
    for operation in description.operations:
        if operation.probe:
            return ProbeCall(
                operation.name,
                description.namespace,
                soap_action(description.namespace, operation.name),
                operation.probe_arguments,
            )
    return None


def his_probe(offered: Collection[str]) -> ProbeCall | None:
    """The probe of HisService at a hospital that offers these contracts: the first operation
    there that tells one of their probes."""
    for operation in his_service.OPERATIONS:
        typed = operation.operation
        if not typed.probe or operation.contract.__name__ not in offered:
            continue
        values = dict(typed.probe_arguments)
        arguments = tuple(
            (name, values[path[0].name])
            for name, path in operation.paths.items()
            if len(path) == 1 and path[0].name in values
        )
        action = soap_action(his_service.NAMESPACE, operation.name)
        return ProbeCall(operation.name, his_service.NAMESPACE, action, arguments)
    return None
