"""``yilian registry history`` and ``watch``: who changed what, in the past and from now on."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from registry.living_client import LivingClient, NewChange
from yilian.refused import Refused


def show_history(where: str, key: str, limit: int, as_json: bool) -> None:
    with _told():
        changes = client_of(where).history(key, limit)
    if not changes:
        raise Refused("没有记录。", "Nothing is on record.", exit_code=1)
    for change in changes:
        _print(change, as_json)


def follow(where: str, wait: float, once: bool, as_json: bool) -> None:
    """Until it is interrupted; ``once``: until something changed."""
    client = client_of(where)
    with _told():
        index, epoch = client.position()
        while True:
            news = client.watch(index, epoch, wait)
            if news.reset:
                text = "注册中心已重新开始，请重新读取 / the registry began anew: read it again"
                print(json.dumps({"reset": True, "index": news.index}) if as_json else text)
            for change in news.changes:
                _print(change, as_json)
            index, epoch = news.index, news.epoch
            if once and (news.changes or news.reset):
                return


def client_of(where: str) -> LivingClient:
    """Refused where it is neither an address nor a registry's configuration."""
    if where.lower().startswith(("http://", "https://")):
        return LivingClient(where)
    from registry.config import RegistryConfig
    from yilian.config import load

    listen = load(Path(where), RegistryConfig).listen
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return LivingClient(listen.public_url or f"http://{host}:{listen.port}")


class _told:
    """What the registry refuses, or that it is away, in one sentence."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from registry.errors import RegistryUnavailable, UddiError
        from registry.living_client import NotOffered

        if isinstance(error, RegistryUnavailable | UddiError | NotOffered):
            raise Refused(str(error), "The registry did not answer that.", exit_code=1) from None
        if isinstance(error, KeyboardInterrupt):
            raise SystemExit(130) from None


def _print(change: NewChange, as_json: bool) -> None:
    if as_json:
        names = ("index", "moment", "publisher", "action", "kind", "key")
        line = json.dumps({name: getattr(change, name) for name in names}, ensure_ascii=False)
        print(line, flush=True)
        return
    moment = datetime.fromtimestamp(change.moment / 1000).astimezone()
    print(
        f"{moment:%Y-%m-%d %H:%M:%S}  {change.publisher}  {change.action} {change.kind}  "
        f"{change.key}",
        flush=True,
    )
