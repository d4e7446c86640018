"""The TLS of a node that dials gateways: whom it trusts, what it shows, renewed with its files."""

from __future__ import annotations

import logging
import ssl

from services.file_mark import mark_of
from yilian.config import Reverse
from yilian.refused import Refused

_log = logging.getLogger("yilian.dialling")


class ClientTls:
    """Refused where a file cannot be used at the start. One that has been replaced counts for the
    next connection that is dialled; where it cannot be used the former ones do, and the log says
    so until it is mended."""

    def __init__(self, settings: Reverse) -> None:
        self._settings = settings
        self._wanted = any(url.startswith("https:") for url in settings.urls)
        self._seen = self._marks()
        #: what is wrong with the files as they are now
        self.problem = ""
        self._context = self._made() if self._wanted else None

    def context(self) -> ssl.SSLContext | None:
        """By the files as they are now; None where no address is https."""
        marks = self._marks()
        if self._wanted and (marks != self._seen or self.problem):
            try:
                self._context = self._made()
            except Refused as refused:
                if refused.en != self.problem:
                    _log.error("%s / %s", refused.zh, refused.en)
                self.problem = refused.en
            else:
                _log.info("[reverse] 的证书已更新 / the certificates of [reverse] are renewed")
                self._seen, self.problem = marks, ""
        return self._context

    def _made(self) -> ssl.SSLContext:
        settings = self._settings
        try:
            context = ssl.create_default_context(cafile=settings.ca_file)
            if settings.certificate_file is not None:
                context.load_cert_chain(settings.certificate_file, settings.key_file)
        except OSError as error:  # ssl.SSLError is one
            raise Refused(
                f"[reverse] 的证书文件不能使用：{error}", f"[reverse]: a certificate file: {error}"
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _marks(self) -> list[object]:
        settings = self._settings
        files = (settings.ca_file, settings.certificate_file, settings.key_file)
        return [mark_of(file) for file in files if file is not None]
