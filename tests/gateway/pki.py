"""Certificates for tests, made by openssl: a CA, a server, clients, and a stranger's CA."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    file: Path
    key: Path

    @property
    def sha256(self) -> str:
        der = ssl.PEM_cert_to_DER_cert(self.file.read_text())
        return hashlib.sha256(der).hexdigest()


class Authority:
    """A CA in a folder; ``issued`` signs what is asked for."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self.ca = Certificate(folder / f"{name}.pem", folder / f"{name}.pem.key")
        _openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={name}", "-keyout", self.ca.key, "-out", self.ca.file,
        )  # fmt: skip

    def issued(self, name: str, subject: str, *, address: str = "", days: int = 2) -> Certificate:
        """``subject`` as ``/CN=...``, in UTF-8; ``address``: an IP that the server answers at;
        ``days`` from now until it ends: -1 ended yesterday."""
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.pem.key")
        request = self._folder / f"{name}.csr"
        _openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-utf8", "-subj", subject, "-keyout", made.key, "-out", request,
        )  # fmt: skip
        more: tuple[object, ...] = ()
        if address:
            extensions = self._folder / f"{name}.ext"
            extensions.write_text(f"subjectAltName=IP:{address}\n")
            more = ("-extfile", extensions)
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.ca.file, "-CAkey", self.ca.key,
            "-CAcreateserial", "-days", days, "-out", made.file, *more,
        )  # fmt: skip
        return made

    def client_context(self, certificate: Certificate | None = None) -> ssl.SSLContext:
        """A client that trusts this CA, and shows ``certificate``."""
        context = ssl.create_default_context(cafile=str(self.ca.file))
        # Python 3.13 asks certificates for extensions that many a hospital's CA does not write.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if certificate is not None:
            context.load_cert_chain(certificate.file, certificate.key)
        return context


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
