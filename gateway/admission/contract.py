"""Admission, the contract: optionally, whether the arguments are as the contract says.

The same generated codec that a node decodes with, over the tree that is parsed already.
"""

from __future__ import annotations

from functools import cache

from gateway.admission.message import Message
from gateway.admission.policy import interface_of
from gateway.head import Refused
from services.faults import Fault
from services.soap.codec import Codec, codecs


@cache
def _codecs(service: str) -> dict[str, Codec]:
    """By operation; empty for a service of somebody else's. Generated when first asked for."""
    interface = interface_of(service)
    if interface is None:
        return {}
    return {codec.operation.name: codec for codec in codecs(interface).values()}


def as_contracted(hospital: str, service: str, message: Message) -> None:
    """Refused where the node would refuse the arguments for what they are."""
    codec = _codecs(service).get(message.operation)
    if codec is None:
        return
    try:
        codec.decode(message.element, message.others)
    except Fault as fault:
        fault.hospital = fault.hospital or hospital
        raise Refused(0, fault, step="contract", rule="check_contract") from None
