"""UDDI 3 security: a token for a name and password, and its end."""

from __future__ import annotations

from lxml import etree

from registry.uddi.context import Context
from registry.uddi.inquiry import Operation
from registry.uddi.v3 import append, q, root


def get_auth_token(context: Context, request: etree._Element) -> etree._Element:
    answer = root("authToken")
    token = context.accounts.log_in(request.get("userID", ""), request.get("cred", ""))
    append(answer, token, "authInfo")
    return answer


def discard_auth_token(context: Context, request: etree._Element) -> None:
    context.accounts.log_out(request.findtext(q("authInfo")) or "")


SECURITY: dict[str, Operation] = {
    "get_authToken": get_auth_token,
    "discard_authToken": discard_auth_token,
}
