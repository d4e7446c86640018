"""``yilian wsdl diff OLD NEW``: what breaks a client that was made from the old WSDL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yilian.refused import Refused

Where = Annotated[str, typer.Argument(help="文件或 http(s) 地址 / file or http(s) address")]


def diff(
    old: Where,
    new: Where,
    timeout: Annotated[float, typer.Option(min=0.1, help="秒 / seconds")] = 30.0,
) -> None:
    """比较两份 WSDL；有不兼容之处则退出码为 1 / Compare two WSDLs; 1 if something breaks."""
    from services.soap.wsdl_diff import NotWsdl, compare
    from yilian.screen import Screen

    documents = [_document(where, timeout) for where in (old, new)]
    try:
        found = compare(*documents)
    except NotWsdl as error:
        raise Refused(f"无法比较：{error}", "These two cannot be compared.") from None
    screen = Screen()
    for mark, style, changes in (
        ("✗", "red", found.breaking),
        ("·", "dim", found.compatible),
    ):
        for change in changes:
            screen.line(f"{mark} {change.where}：{change.zh}", style)
            screen.line(f"  {change.en}", "dim")
    if found.breaking:
        number = len(found.breaking)
        raise Refused(
            f"{number} 处不兼容（✗）：须用新的命名空间发布。",
            f"{number} changes break clients (✗): publish under a new namespace.",
            exit_code=1,
        )
    same = not found.compatible
    screen.line(
        "✓ 两份契约相同 / the same contract"
        if same
        else f"✓ 兼容，{len(found.compatible)} 处不同 / compatible"
    )


def _document(where: str, timeout: float) -> bytes:
    """The document. Refused, in one sentence, where it cannot be had."""
    from yilian.fetching import fetched

    try:
        if not where.lower().startswith(("http://", "https://")):
            return Path(where).read_bytes()
        return fetched(where if "?" in where else f"{where}?wsdl", timeout)
    except (OSError, ValueError) as error:
        # Of what requests raises the text is the library's own, and its name says what it is.
        own = type(error) in (OSError, ValueError)
        reason = getattr(error, "strerror", None) or (error if own else type(error).__name__)
        raise Refused(
            f"读不到 {where}：{reason}。请检查文件名或地址。",
            f"{where} cannot be read: {reason}. Check the file's name or the address.",
        ) from None
