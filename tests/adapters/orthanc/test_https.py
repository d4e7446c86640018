"""An https source: whom it trusts, and that its calls end in time as well."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from services.faults import SourceTimeout, SourceUnavailable
from tests.adapters.orthanc.conftest import Archives
from tests.adapters.orthanc.fake_pacs import Orthanc, Talk, dripping, fake_pacs, hung
from tests.adapters.orthanc.real_orthanc import required
from tests.host.running import until

pytestmark = pytest.mark.full


def certificate(folder: Path, name: str) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself; its key is in ``name-key.pem``."""
    made, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    asked = "req -x509 -newkey rsa:2048 -nodes -days 2 -addext subjectAltName=IP:127.0.0.1"
    files = ["-subj", f"/CN={name}", "-keyout", str(key), "-out", str(made)]
    subprocess.run([required("openssl"), *asked.split(), *files], check=True, capture_output=True)
    return made


@pytest.fixture
def right(tmp_path: Path) -> Path:
    return certificate(tmp_path, "right")


@pytest.fixture
def tls(right: Path) -> ssl.SSLContext:
    """The server's side."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(right, right.with_name("right-key.pem"))
    return made


def test_the_hospitals_own_authority(tls: ssl.SSLContext, right: Path, archive: Archives) -> None:
    with fake_pacs(Orthanc(), tls) as pacs:
        assert archive(pacs.url, {"ca_file": str(right)}).check() == "Orthanc 1.10.1"
        wrong = certificate(right.parent, "wrong")
        for settings in ({}, {"ca_file": str(wrong)}):
            with pytest.raises(SourceUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                archive(pacs.url, settings).check()
        other_name = pacs.url.replace("127.0.0.1", "localhost")
        with pytest.raises(SourceUnavailable, match="localhost"):
            archive(other_name, {"ca_file": str(right)}).check()


@pytest.mark.parametrize("talk", [hung, dripping(b"HTTP/1.1 200 OK\r\nX: ")])
def test_a_call_ends_in_time(
    tls: ssl.SSLContext, right: Path, archive: Archives, talk: Talk
) -> None:
    with fake_pacs(talk, tls) as pacs:
        made = archive(pacs.url, {"ca_file": str(right)}, statement_timeout_seconds=0.5)
        with pytest.raises(SourceTimeout):
            made.check()


def test_a_cancelled_call_leaves_no_thread_behind(
    tls: ssl.SSLContext, right: Path, archive: Archives
) -> None:
    with fake_pacs(hung, tls) as pacs:
        settings = {"ca_file": str(right)}
        made = archive(pacs.url, settings, statement_timeout_seconds=3600, pool_size=1)

        async def impatient() -> None:
            task = asyncio.create_task(made.source.run(made.check))
            await asyncio.to_thread(until, lambda: pacs.requests)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(impatient())
        until(lambda: made.source.state()["running"] == 0)
