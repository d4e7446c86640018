"""What was seen of a database, on the screen."""

from __future__ import annotations

from typing import Any

from yilian.onboarding.inspecting import Seen, SeenColumn, SeenTable
from yilian.onboarding.words import CODED, KINDS
from yilian.screen import table


def shown(seen: Seen, *, every: bool) -> list[Any]:
    """A list of the tables, and each one that is of some kind with its columns."""
    known = [one for one in seen.tables if one.kind is not None]
    rest = [one for one in seen.tables if one.kind is None]
    things: list[Any] = [
        f"{len(seen.tables)} 个表和视图，其中 {len(known)} 个像是要用的"
        f" / {len(seen.tables)} tables and views, {len(known)} of them look useful"
    ]
    for one in [*known, *(rest if every else [])]:
        things += _table(one)
    if rest and not every:
        named = "、".join(one.name for one in rest[:40])
        more = f"……共 {len(rest)} 个" if len(rest) > 40 else ""
        things.append(f"其余 / the others（--all）：{named}{more}")
    return things


def _table(one: SeenTable) -> list[Any]:
    zh, en = KINDS[one.kind] if one.kind else ("", "")
    rows = "?" if one.rows is None else f"{one.rows:,}"
    like = f" —— 像是{zh} / looks like {en}" if zh else ""
    title = f"\n{one.name}（{rows} 行 rows）{like}"
    if one.unreadable:
        return [title, f"  ✗ {one.unreadable}"]
    fields = {column: field for field, column in one.fields.items()}
    return [
        title,
        table(
            ["列 column", "类型 type", "像是 field", "内容 content", "样子 sample"],
            [_column(each, fields.get(each.name, ""), one.key) for each in one.columns],
        ),
    ]


def _column(one: SeenColumn, field: str, key: tuple[str, ...]) -> list[str]:
    name = f"{one.name} *" if one.name in key else one.name
    what = one.content.date_format or one.content.shape
    sample = "、".join(one.content.codes) if _safe(one, field) else one.content.masked
    return [name, one.type, field, what, sample]


def _safe(one: SeenColumn, field: str) -> bool:
    """Whether the column's few values are shown as they are: codes that a mapping has to name,
    or short ones without a Han character. Names may be few as well."""
    codes = one.content.codes
    short = all(code.isascii() and len(code) <= 2 for code in codes)
    return bool(codes) and (field in CODED or short)
