"""``yilian call URL OPERATION key=value...``: one call, typed by the WSDL, told as a table."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from yilian.refused import Refused


def call(
    url: Annotated[str, typer.Argument(help="WSDL 的地址或文件 / address or file of the WSDL")],
    operation: Annotated[str | None, typer.Argument(help="操作 / operation")] = None,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            help="参数 / arguments: PatientId=1；嵌套的写成 / nested: Patient.Name=张伟，"
            "列表从 0 编号 / lists from 0: Items.OrderLine.0.ItemCode=BRT",
            metavar="[KEY=VALUE]…",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="最多显示的行数 / rows shown at most")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="秒 / seconds")] = 30.0,
) -> None:
    """调用一个操作；不写操作则列出全部 / Call an operation; without one, list what there is."""
    from yilian.answers import answer_of, listing
    from yilian.screen import Screen
    from yilian.soap_client import SoapClient, SoapFault

    texts = pairs_of(arguments or [])
    client = SoapClient(url, timeout=timeout)
    screen = Screen()
    if operation is None:
        screen.print(listing(client))
        return
    typed = client.typed(operation, texts)
    try:
        raw = client.call(operation, **typed)
    except SoapFault as fault:
        raise Refused(
            f"Fault {fault.code}：{fault.message}",
            "The service answered with a Fault.",
            exit_code=1,
        ) from None
    if as_json:
        print(json.dumps(raw, ensure_ascii=False, indent=2, default=str))
        return
    answer = answer_of(client.namespace, operation, raw)
    if answer.error:
        raise Refused(
            f"{operation} 返回 {answer.code}：{answer.error}",
            f"{operation} answered {answer.code}, which is an error.",
            exit_code=1,
        )
    screen.print(*answer.shown(limit, screen.width))


def pairs_of(arguments: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or not name:
            raise Refused(
                f"参数应写成 名称=值，而不是“{argument}”。",
                f"An argument is written NAME=VALUE, not {argument!r}.",
            )
        if name in pairs:
            raise Refused(f"参数 {name} 写了两次。", f"The argument {name} is given twice.")
        pairs[name] = value
    return pairs
