"""Who asks: the publisher whose token stands in a request."""

from __future__ import annotations

from lxml import etree

from registry.config import Publisher
from registry.uddi.context import Context
from registry.uddi.v3 import q


def publisher_of(context: Context, request: etree._Element, auth_info: str = "") -> Publisher:
    """E_authTokenRequired, E_authTokenExpired. ``auth_info``: the element's name where it is not
    one of version 3's main namespace."""
    return context.accounts.publisher(request.findtext(auth_info or q("authInfo")) or "")
