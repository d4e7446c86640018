"""The operation that the transport names, which must be the one in the Body."""

from __future__ import annotations

import re

from services.faults import UnknownOperation

# Also action* and action*0, by which RFC 2231 writes long and foreign values: no operation is
# called so, and what some other server would read there must not differ from what is read here.
_PARAMETER = re.compile(r';\s*action(?:\*[\d*]*)?\s*=\s*(?:"([^"]*)"|([^;\s]+))', re.IGNORECASE)


def actions(soap_action: str | None, content_type: str | None) -> list[str]:
    """What the headers SOAPAction (SOAP 1.1) and Content-Type (where SOAP 1.2 has it) name,
    without quotes; nothing where they are empty, as many legacy clients send them."""
    named = [soap_action or ""]
    if content_type and "action" in content_type.lower():
        named += [quoted or bare for quoted, bare in _PARAMETER.findall(content_type)]
    stripped = (action.strip().strip('"').strip() for action in named)
    return [action for action in stripped if action]


def agree(
    soap_action: str | None, content_type: str | None, namespace: str, operation: str
) -> None:
    """UnknownOperation where a header names another operation than the Body does."""
    for action in actions(soap_action, content_type):
        if not names(action, namespace, operation):
            raise UnknownOperation(
                f"SOAPAction 指明 {action[:200]}，报文中的操作是 {operation}，两者须一致",
                f"SOAPAction names {action[:200]}, the Body {operation}; they must agree",
                rule="SOAPAction",
            )


def names(action: str, namespace: str, operation: str) -> bool:
    """Whether an action names that operation of that namespace. The operation may stand alone, or
    behind the namespace however a toolkit joins the two. An unqualified operation ("" as its
    namespace, as rpc clients send it) may stand behind any."""
    before = namespace.rstrip("/")
    if action in (operation, f"{before}/{operation}"):
        return True
    return (
        action.startswith(before)
        and (not before or action[len(before) : len(before) + 1] in ("/", "#", ":"))
        and re.split(r"[/#:]", action)[-1] == operation
    )
