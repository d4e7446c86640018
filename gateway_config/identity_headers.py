"""The headers in which a trusted HAProxy hands on who calls; whoever else sends one is refused.

HAProxy deletes them from every request and sets its own, so no caller can bring them through it.
"""

from __future__ import annotations

#: the shared secret of [proxy]; without it the others do not count
SECRET = "x-yilian-proxy"
#: the caller's own address
SOURCE = "x-yilian-source"
#: "1" where the caller came by TLS
TLS = "x-yilian-tls"
#: of the client certificate that HAProxy has checked: common name, and SHA-256 of its DER form in
#: hexadecimal; empty or absent where it showed none
COMMON_NAME = "x-yilian-client-name"
SHA256 = "x-yilian-client-sha256"

ALL = (SECRET, SOURCE, TLS, COMMON_NAME, SHA256)
