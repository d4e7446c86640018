"""A PACS of the tests: what it does with each connection is said by the test, byte by byte."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Talk = Callable[["Conversation"], None]


class Conversation:
    """One connection. ``requests`` are (first line, headers, body) as they came."""

    def __init__(self, pacs: FakePacs, sock: socket.socket) -> None:
        self._pacs = pacs
        self.sock = sock
        self._read = sock.makefile("rb")

    def request(self) -> tuple[str, dict[str, str], bytes] | None:
        """The next request; None when the other side has closed."""
        first = self._read.readline().decode("latin-1").strip()
        if not first:
            return None
        headers: dict[str, str] = {}
        while line := self._read.readline().decode("latin-1").strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        body = self._read.read(int(headers.get("content-length", "0")))
        self._pacs.requests.append((first, headers, body))
        return first, headers, body

    def send(self, raw: bytes) -> None:
        self.sock.sendall(raw)

    def wait_for_the_end(self) -> None:
        """Until the other side closes, or the test is over."""
        with suppress(OSError):
            while self.sock.recv(65536):
                pass


class FakePacs:
    def __init__(self, talk: Talk, tls: ssl.SSLContext | None = None) -> None:
        self.talk = talk
        self.tls = tls
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [first.split()[1] for first, _, _ in self.requests]

    def queries(self) -> list[dict[str, str]]:
        return [json.loads(body)["Query"] for _, _, body in self.requests if body]

    def close(self) -> None:
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        for sock in self._open:
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
                self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError):
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
                self._open.append(sock)
            self.talk(Conversation(self, sock))
            sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def fake_pacs(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[FakePacs]:
    pacs = FakePacs(talk, tls)
    try:
        yield pacs
    finally:
        pacs.close()


def http(content: Any, status: str = "200 OK", *headers: str) -> bytes:
    """An answer; ``content`` is bytes, or what becomes JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def always(raw: bytes) -> Talk:
    """The same bytes to every request."""

    def talk(conversation: Conversation) -> None:
        while conversation.request():
            conversation.send(raw)

    return talk


def hung(conversation: Conversation) -> None:
    """Takes the request and never answers."""
    conversation.request()
    conversation.wait_for_the_end()


def dripping(raw: bytes) -> Talk:
    """The bytes one at a time, and for ever: every single wait is short."""

    def talk(conversation: Conversation) -> None:
        over = conversation._pacs.over
        conversation.request()
        for place in range(len(raw)):
            conversation.send(raw[place : place + 1])
            if over.wait(0.02):
                return
        while not over.wait(0.02):
            conversation.send(b" ")

    return talk


class Orthanc:
    """Answers as Orthanc does for the studies that it is given: /tools/find does not filter, as
    a server would that understands a question otherwise than it was meant."""

    def __init__(self, *studies: dict[str, Any]) -> None:
        self.studies = {study["ID"]: study for study in studies}

    def __call__(self, conversation: Conversation) -> None:
        while asked := conversation.request():
            conversation.send(self.answer(asked[0].split()[1]))

    def answer(self, path: str) -> bytes:
        missing = http({"HttpError": "Not Found"}, "404 Not Found")
        match path.strip("/").split("/"):
            case ["system"]:
                return http({"Version": "1.10.1", "DicomAet": "ORTHANC"})
            case ["tools", "find"]:
                without = [
                    {key: value for key, value in study.items() if key != "series"}
                    for study in self.studies.values()
                ]
                return http(without)
            case ["studies", study, "series"]:
                found = self.studies.get(study, {}).get("series")
                return missing if found is None else http(found)
            case ["instances", instance]:
                return http({"MainDicomTags": {"SOPInstanceUID": f"9.{instance[1:]}"}})
        return missing


def study(
    number: int, *series: tuple[str, int], patient: str = "0000000001", **tags: str
) -> dict[str, Any]:
    """As /tools/find gives it; ``series`` as (modality, images)."""
    main = {
        "StudyInstanceUID": f"1.2.840.{number}",
        "AccessionNumber": "26E0000001",
        "StudyDate": "20261120",
        "StudyTime": "100000.000",
        "StudyDescription": "胸部CT平扫",
    }
    return {
        "ID": f"aaaa-{number}",
        "MainDicomTags": {**main, **tags},
        "PatientMainDicomTags": {"PatientID": patient, "PatientName": "Zhang^Wei=张^伟"},
        "series": [
            {
                "MainDicomTags": {
                    "Modality": modality,
                    "SeriesInstanceUID": f"1.2.840.{number}.{place}",
                    "SeriesNumber": str(place),
                },
                "Instances": [f"i{place}{image}" for image in range(images)],
            }
            for place, (modality, images) in enumerate(series or (("CT", 2),), 1)
        ],
    }
