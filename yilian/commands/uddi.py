"""``yilian uddi``: publish any service by its WSDL's address, and find services in a registry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from yilian.refused import Refused

app = typer.Typer(
    name="uddi",
    help="注册中心：按 WSDL 发布、查找 / The registry: publish by WSDL, find",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

RegistryUrl = Annotated[
    str, typer.Option("--registry", help="注册中心地址 / the registry's address")
]


@app.command("publish-wsdl")
def publish_wsdl(
    url: Annotated[str, typer.Argument(help="WSDL 的 http(s) 地址 / the WSDL's http(s) address")],
    hospital: Annotated[str, typer.Option(help="医院代码 / the hospital's code")],
    user: Annotated[str, typer.Option(help="发布者 / publisher")],
    password_file: Annotated[Path, typer.Option(help="口令文件 / file with the password")],
    registry: RegistryUrl = "http://127.0.0.1:8081",
    name: Annotated[str, typer.Option(help="医院名称，首次发布时用 / its name, if new")] = "",
    inside: Annotated[
        bool, typer.Option("--inside", help="地址仅供网关使用 / for the gateway alone")
    ] = False,
) -> None:
    """按 WSDL 地址发布一个服务（OASIS 映射）/ Publish a service by its WSDL's address."""
    from registry.publisher import HospitalEntry
    from registry.uddi.wsdl_mapping import map_any_wsdl
    from registry.uddi.wsdl_note import publish_wsdl as publish
    from services.soap.wsdl_reading import read_from
    from yilian.fetching import fetched

    try:
        password = password_file.read_text("utf-8").strip()
    except OSError as error:
        raise Refused(
            f"无法读取口令文件 {password_file}：{error.strerror}。",
            f"The password file {password_file} cannot be read: {error.strerror}.",
        ) from error
    documents: list[bytes] = []

    def kept(address: str) -> bytes:
        documents.append(fetched(address))
        return documents[-1]

    with _told():
        mapped = map_any_wsdl(read_from(url, kept), hospital, inside=inside)
        client = _client(registry)
        token = client.get_auth_token(user, password)
        try:
            compared = _compared(registry, token, hospital, documents)
            saved = publish(client, token, HospitalEntry(hospital, name or hospital), mapped)
        finally:
            client.discard_auth_token(token)
    for service in saved:
        print(f"✓ {service.key}")
        for binding in service.bindings:
            address = binding.access_point.value if binding.access_point else ""
            print(f"  {binding.key}  {address}")
    if not compared:
        print(
            "· 不是单文件、单端口的 WSDL，未作版本比较 / not one flat WSDL: versions not compared"
        )


def _compared(registry: str, token: str, hospital: str, documents: list[bytes]) -> bool:
    """Whether the registry has compared the WSDL with the published version, which it can where
    that is one flat document with one port. ContractBreaks where it breaks that version."""
    from registry.living_client import LivingClient, NotOffered
    from registry.uddi.wsdl_mapping import read_names
    from services.soap.wsdl_reading import NotWsdl

    if len(documents) != 1:
        return False
    try:
        service = read_names(documents[0]).service
        LivingClient(registry).put_contract(token, hospital, service, documents[0])
    except (NotWsdl, NotOffered):
        return False
    return True


@app.command()
def find(
    registry: RegistryUrl = "http://127.0.0.1:8081",
    port_type: Annotated[str, typer.Option(help="portType 名，可含 % / its name, with %")] = "",
    namespace: Annotated[str, typer.Option(help="命名空间 / namespace")] = "",
    protocol: Annotated[str, typer.Option(help="soap、soap12、http")] = "",
) -> None:
    """按 portType、命名空间或协议查找服务 / Find by portType, namespace or protocol."""
    from registry.uddi.wsdl_entities import PROTOCOLS
    from registry.uddi.wsdl_note import find_implementations

    if not (port_type or namespace or protocol):
        raise Refused(
            "请用 --port-type、--namespace 或 --protocol 说明要找什么。",
            "Say what to find: --port-type, --namespace or --protocol.",
        )
    if protocol and protocol not in PROTOCOLS:
        known = "、".join(PROTOCOLS)
        raise Refused(f"没有协议 {protocol}；有：{known}。", f"No protocol {protocol}: {known}.")
    with _told():
        found = find_implementations(
            _client(registry), port_type=port_type, namespace=namespace, protocol=protocol
        )
    if not found:
        raise Refused("没有找到。", "Nothing was found.", exit_code=1)
    for each in found:
        print(f"{each.hospital}  {each.service}.{each.port}  {each.protocol}  {each.address}")
        print(f"  portType {each.port_type}  {{{each.namespace}}}")
        print(f"  WSDL {each.wsdl_url}")


def _client(url: str):  # type: ignore[no-untyped-def]
    from registry.client import UddiClient

    try:
        return UddiClient(url)
    except ValueError as error:
        zh, _, en = str(error).partition(" / ")
        raise Refused(zh, en) from error


@contextmanager
def _told() -> Iterator[None]:
    """What the registry, the WSDL or the way to them refuses, in one sentence."""
    from registry.errors import RegistryUnavailable, UddiError
    from registry.living_client import ContractBreaks
    from registry.publisher import PublishError
    from services.soap.wsdl_reading import NotWsdl

    try:
        yield
    except ContractBreaks as error:
        raise Refused(
            f"没有发布：{error}", "Nothing was published: see what breaks.", exit_code=1
        ) from error
    except UddiError as error:
        zh, _, en = error.message.partition(" / ")
        code = f"E_{error.code} {error.errno}"
        raise Refused(f"{zh}（{code}）", f"{en or zh} ({code})", exit_code=1) from error
    except (NotWsdl, PublishError, RegistryUnavailable) as error:
        zh, _, en = str(error).partition(" / ")
        raise Refused(zh, en or zh, exit_code=1) from error
