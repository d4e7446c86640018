"""A client certificate, as far as a caller's entry can ask about it."""

from __future__ import annotations

import hashlib
import ssl
from typing import Any, NamedTuple


class PeerCertificate(NamedTuple):
    """``common_name``: of the subject, "" where it has none or several. ``sha256``: of the
    certificate's DER form, lower-case hexadecimal. It has been checked against the CAs."""

    common_name: str
    sha256: str


def peer_certificate(connection: ssl.SSLObject | None) -> PeerCertificate | None:
    """The certificate that the other side has shown and proved to hold; None where it has not."""
    der = connection.getpeercert(binary_form=True) if connection is not None else None
    if connection is None or not der:
        return None
    told: dict[str, Any] = connection.getpeercert() or {}
    subject = [attribute for part in told.get("subject", ()) for attribute in part]
    names = [value for key, value in subject if key == "commonName"]
    return PeerCertificate(
        str(names[0]) if len(names) == 1 else "", hashlib.sha256(der).hexdigest()
    )
