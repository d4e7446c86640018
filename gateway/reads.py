"""Which calls may be sent twice: reads, and writes that carry a RequestId."""

from __future__ import annotations

from services import his_service
from services.catalogue import CONTRACTS
from services.contract import describe

_ALL = [
    *(
        (description.namespace, operation.name, operation.writes)
        for description in map(describe, CONTRACTS.values())
        for operation in description.operations
    ),
    *(
        (his_service.NAMESPACE, legacy.name, legacy.operation.writes)
        for legacy in his_service.OPERATIONS
    ),
]
#: (namespace, operation) of every operation that changes nothing, and of every one that does
READS = frozenset((namespace, name) for namespace, name, writes in _ALL if not writes)
WRITES = frozenset((namespace, name) for namespace, name, writes in _ALL if writes)
_BY_ACTION = frozenset(f"{namespace.rstrip('/')}/{name}" for namespace, name in READS)


def repeatable(namespace: str, operation: str, request_id: str | None) -> bool:
    """Whether a call may be sent a second time: it reads, or it is a write that carries a
    RequestId, which the node answers with what the first one did. What no contract of ours
    declares may not: nobody knows what its service makes of a second one."""
    called = namespace, operation
    return called in READS or (bool(request_id) and called in WRITES)


def reads_by_action(soap_action: str | None) -> bool:
    """The same by the SOAPAction alone, where nobody has looked into the body: a node of ours
    refuses a body that holds another operation than the SOAPAction names."""
    return soap_action is not None and soap_action.strip('" ') in _BY_ACTION
