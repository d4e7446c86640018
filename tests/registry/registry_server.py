"""What the registry's tests share: a registry on a real socket, raw envelopes, a small WSDL."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from lxml import etree
from stores import url_in

from registry.app import create_app
from registry.client import UddiClient
from registry.config import Publisher, RegistryConfig
from services.passwords import hash_password

PASSWORDS = {"hx": "华夏-secret", "sq": "社区-secret", "admin": "admin-secret"}
HASHES = {user: hash_password(password) for user, password in PASSWORDS.items()}
PUBLISHERS = (
    Publisher(user="hx", password_hash=HASHES["hx"]),
    Publisher(user="sq", password_hash=HASHES["sq"]),
    Publisher(user="admin", password_hash=HASHES["admin"], hospitals=("*",)),
)

V3 = "urn:uddi-org:api_v3"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def tree(self) -> etree._Element:
        return etree.fromstring(self.body)

    @property
    def content(self) -> etree._Element:
        """The Body's child."""
        return self.tree[0][0]

    @property
    def error(self) -> tuple[int, str]:
        """errno and errCode of a fault, looked up where the specification puts them."""
        fault = self.content
        assert etree.QName(fault).localname == "Fault", self.body
        result = fault.find("detail/{*}dispositionReport/{*}result")
        assert result is not None, self.body
        return int(result.get("errno")), result.find("{*}errInfo").get("errCode")


@dataclass(frozen=True)
class Running:
    url: str
    host: str
    port: int

    def client(self) -> UddiClient:
        return UddiClient(self.url, timeout=20)

    def token(self, user: str = "hx") -> str:
        return self.client().get_auth_token(user, PASSWORDS[user])

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Reply(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()

    def uddi(self, port: str, message: str, **headers: str) -> Reply:
        """Send a message, in an envelope as a hand-written client makes it."""
        sent = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""', **headers}
        return self.send("POST", f"/uddi/{port}", soap(message).encode(), sent)


def soap(message: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<s:Body>{message}</s:Body></s:Envelope>"
    )


def v3(operation: str, content: str = "", attributes: str = "") -> str:
    return f'<{operation} xmlns="{V3}" {attributes}>{content}</{operation}>'


def config(folder: Path, **changes: object) -> RegistryConfig:
    values = {"store": {"url": url_in(folder)}, "publishers": PUBLISHERS}
    return RegistryConfig.model_validate({**values, **changes})


@contextmanager
def running(settings: RegistryConfig) -> Iterator[Running]:
    """The registry on a free port, served by uvicorn in a thread until the block ends."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="warning")
    )
    started = threading.Event()
    startup = server.startup

    async def announce(*args: object, **kwargs: object) -> None:
        await startup(*args, **kwargs)
        started.set()

    server.startup = announce
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert started.wait(20)
    host, port = server.servers[0].sockets[0].getsockname()
    try:
        yield Running(f"http://{host}:{port}", host, port)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def service_wsdl(
    name: str = "LabResults", namespace: str = "", address: str = "http://10.0.0.1/x"
) -> bytes:
    """A flat WSDL as the nodes serve them."""
    namespace = namespace or f"urn:yilian:{name}:1"
    return f"""<?xml version="1.0" encoding="utf-8"?>
<definitions name="{name}" targetNamespace="{namespace}" xmlns:tns="{namespace}"
    xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
  <types><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">
    <xs:element name="Query"><xs:complexType/></xs:element>
    <xs:element name="QueryResponse"><xs:complexType/></xs:element></xs:schema></types>
  <message name="Query"><part name="parameters" element="tns:Query"/></message>
  <message name="QueryResponse"><part name="parameters" element="tns:QueryResponse"/></message>
  <portType name="{name}"><operation name="Query">
    <input message="tns:Query"/><output message="tns:QueryResponse"/></operation></portType>
  <binding name="{name}Soap" type="tns:{name}">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Query"><soap:operation soapAction="{namespace}/Query"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output>
    </operation></binding>
  <service name="{name}"><port name="{name}Port" binding="tns:{name}Soap">
    <soap:address location="{address}"/></port></service>
</definitions>""".encode()
