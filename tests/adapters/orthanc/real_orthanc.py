"""Debian's Orthanc, started by the tests on a free port in a temporary folder, as nobody's
service; and DICOM files as devices write them, with right and with wrong character sets."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

PLUGINS = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "yilian", "口令@1"


def required(program: str = "Orthanc") -> str:
    """Where it is. Skips where it is not installed; in CI, where it must be, fails."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if found and (program != "Orthanc" or PLUGINS.exists()):
        return found
    reason = f"{program} 未安装，安装：./run setup-full / not installed; ./run setup-full does it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class RealOrthanc:
    """``stop`` and ``start`` keep port and studies."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{USER}:%E5%8F%A3%E4%BB%A4%401@127.0.0.1:{self.port}"

    def start(self) -> None:
        log = (self.folder / "orthanc.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [required(), str(self.folder / "orthanc.json")], stdout=log, stderr=log
            )
        end = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, (self.folder / "orthanc.log").read_text("utf-8")
            try:
                self.ask("/system")
                return
            except URLError:
                assert time.monotonic() < end, "Orthanc does not answer"
                time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def ask(self, path: str, body: bytes | None = None) -> Any:
        raw = self.read(path, body)
        return json.loads(raw)

    def read(self, path: str, body: bytes | None = None) -> bytes:
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", body, {"Authorization": f"Basic {pair}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            content: bytes = answer.read()
        return content

    def store(self, raw: bytes) -> None:
        assert self.ask("/instances", raw)["Status"] == "Success"


@contextmanager
def real_orthanc(folder: Path, **configuration: Any) -> Iterator[RealOrthanc]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    made = RealOrthanc(folder, port)
    (folder / "orthanc.json").write_text(
        json.dumps(
            {
                "Name": "yilian tests",
                "StorageDirectory": str(folder / "storage"),
                "IndexDirectory": str(folder / "storage"),
                "HttpPort": port,
                "DicomServerEnabled": False,
                "AuthenticationEnabled": True,
                "RegisteredUsers": {USER: PASSWORD},
                "Plugins": [str(PLUGINS)],
                **configuration,
            }
        ),
        "utf-8",
    )
    try:
        made.start()
        yield made
    finally:
        made.stop()


def dicom(
    uid: str,
    charset: str | None,
    *,
    write: str = "",
    name: str = "Zhang^Wei=张^伟",
    patient: str = "0000000001",
    number: str = "26E0000001",
    modality: str = "CT",
    series: int = 1,
    description: str = "胸部CT平扫",
) -> bytes:
    """One image of a study. ``charset`` is what the file declares; ``write``, where it is
    another, is the Python codec that its texts are really in."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    if charset:
        made.SpecificCharacterSet = charset
    made.SOPClassUID = meta.MediaStorageSOPClassUID
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    made.PatientID, made.AccessionNumber, made.Modality = patient, number, modality
    made.StudyInstanceUID, made.SeriesInstanceUID = uid, f"{uid}.{series}"
    made.StudyDate, made.StudyTime, made.SeriesNumber = "20261120", "100000.000", series
    made.Rows = made.Columns = 2
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation, made.SamplesPerPixel = 7, 0, 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.PixelData = bytes(range(4))
    texts = {"PatientName": name, "StudyDescription": description}
    for key, value in texts.items():
        # Placeholders as long as the bytes that take their place, for these lie.
        setattr(made, key, _placeholder(key, value, write) if write else value)
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    raw = out.getvalue()
    for key, value in texts.items() if write else ():
        marker = _placeholder(key, value, write).encode()
        assert raw.count(marker) == 1
        raw = raw.replace(marker, value.encode(write))
    return raw


def _placeholder(key: str, value: str, write: str) -> str:
    return key[0] * len(value.encode(write))
