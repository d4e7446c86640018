"""``yilian codec``: the code that reads and writes an operation's messages, as it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from yilian.refused import Refused


def sources() -> dict[str, str]:
    """The generated source by ``Service.Operation``."""
    from services.catalogue import CONTRACTS
    from services.soap.codec import codecs
    from services.soap.interface import his_service_interface, typed_interface

    interfaces = [*map(typed_interface, CONTRACTS.values()), his_service_interface()]
    return {
        f"{interface.name}.{codec.operation.name}": codec.source
        for interface in interfaces
        for codec in codecs(interface).values()
    }


def codec(
    name: Annotated[
        str | None,
        typer.Argument(help="服务.操作 / service and operation", metavar="[S.OPERATION]"),
    ] = None,
) -> None:
    """编解码器：列出，或打印某操作生成的代码 / Codecs: list, or print an operation's code."""
    made = sources()
    if name is None:
        print("\n".join(made))
    elif name in made:
        print(made[name], end="")
    else:
        known = "、".join(made)
        raise Refused(f"没有操作 {name}；有：{known}。", f"No operation {name}; see: yilian codec.")
