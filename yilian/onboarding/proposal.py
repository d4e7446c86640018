"""A mapping to begin with, out of what was seen. What could not be found is said in it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from adapters.mapped.vocabulary import ENTRIES, Entry
from adapters.marks import ABNORMAL_MARKS, SHIFTS
from services import terms as t
from services.contract import Code, Field, Scalar
from yilian.onboarding.inspecting import Seen, SeenTable
from yilian.onboarding.words import TableKind

#: statement, kind of table, and the parameters that its rows are found by: column's field
_QUERIES: tuple[tuple[str, str, TableKind, dict[str, tuple[str, str]]], ...] = (
    (
        *("NumberSource", "QueryNumberSource", "slots"),
        {
            "ScheduleDate": ("ScheduleDate", "="),
            "SinceDate": ("ScheduleDate", ">="),
            "DeptCode": ("DeptCode", "="),
            "ScheduleId": ("ScheduleId", "="),
        },
    ),
    (
        *("Patients", "FindPatients", "patients"),
        {
            "PatientId": ("PatientId", "="),
            "InsuranceNo": ("InsuranceNo", "="),
            "IdentityNo": ("IdentityNo", "="),
            "VisitCardNo": ("VisitCardNo", "="),
        },
    ),
    (
        *("Registration", "visits", "visits"),
        {
            "Key": ("Key", "="),
            "PatientId": ("PatientId", "="),
            "ScheduleId": ("ScheduleId", "="),
        },
    ),
    (
        *("LabResults", "QueryLabMaster", "tests"),
        {"PatientId": ("PatientId", "="), "TestNo": ("TestNo", "=")},
    ),
    (*("LabResults", "GetLabResult", "results"), {"TestNo": ("TestNo", "=")}),
)

_YES = frozenset({"1", "Y", "T", "是", "有"})
#: how a word begins that denies
_NO = ("未", "否", "不", "无", "非")
#: what stands in a word that says yes to a flag
_SAYS_YES = {
    **{"Stopped": "停", "Returned": "退", "OpenToRemote": "开", "Visited": "已", "Expert": "专"},
}
#: what the adapter reads without being told
_UNDERSTOOD: dict[int, frozenset[str]] = {
    id(t.SEX): frozenset({"男", "女", "M", "F"}),
    id(t.SHIFT): frozenset(SHIFTS),
    id(t.ABNORMAL): frozenset(ABNORMAL_MARKS),
}
#: parts of words, the first that is found counts
_MEANINGS: dict[int, dict[str, str]] = {
    id(t.SHIFT): {"A": "1", "早": "1", "上": "1", "P": "2", "下": "2", "N": "3", "夜": "3"},
    id(t.RESULT_STATUS): {
        # What waits for its confirmation is never taken for confirmed.
        **{"废": "7", "取消": "7", "未": "2", "待": "2"},
        **{"初": "3", "审": "4", "确认": "4", "发布": "4", "报告": "3"},
        **{"接收": "1", "检": "2", "登记": "0", "申请": "0", "采": "0"},
    },
}


def proposed(seen: Seen) -> str:
    """The text of a mapping file: valid TOML, with a remark wherever somebody has to look."""
    lines = ["# his.toml —— 由 yilian adapter inspect 建议，请逐条核对 / proposed: check each line"]
    for contract, name, kind, filters in _QUERIES:
        found = seen.best(kind)
        if found is None:
            entry = ENTRIES[contract][name]
            lines += ["", f"# [{contract}.{name}]  没有找到像{entry.zh}的表 / no table found"]
        else:
            lines += ["", *_query(seen, found, ENTRIES[contract][name], filters)]
    lines += ["", *_writes(seen)]
    return "\n".join(lines) + "\n"


def _query(
    seen: Seen, found: SeenTable, entry: Entry, filters: dict[str, tuple[str, str]]
) -> Iterator[str]:
    known = {one.name for one in entry.fields}
    fields = {name: column for name, column in found.fields.items() if name in known}
    yield f"[{entry.contract}.{entry.name}]"
    yield 'sql = """'
    chosen = [f"{seen.quoted[column]} AS {_alias(name)}" for name, column in fields.items()]
    yield "SELECT " + ",\n       ".join(chosen)
    schema = f"{seen.schema}." if seen.schema else ""
    yield f"  FROM {schema}{seen.quoted[found.name]}"
    parts = [
        f"[? AND {seen.quoted[found.fields[field]]} {sign} :{parameter} ?]"
        for parameter, (field, sign) in filters.items()
        if field in found.fields
    ]
    yield " WHERE 1 = 1 " + "\n       ".join(parts)
    for missing in _missing(entry, set(fields)):
        zh = missing.doc.zh
        yield f"-- 缺 {missing.name}（{zh}）：请补一列 AS {missing.name}，或在 fields 中给 constant"
    yield '"""'
    rules = list(_rules(found, entry, fields))
    if rules:
        yield f"[{entry.contract}.{entry.name}.fields]"
        yield from rules


def _rules(found: SeenTable, entry: Entry, fields: dict[str, str]) -> Iterator[str]:
    by_name = {one.name: one for one in found.columns}
    formats: dict[str, str] = {}
    kinds = {one.name: one for one in entry.fields}
    for name, column in fields.items():
        content, field = by_name[column].content, kinds[name]
        assert isinstance(field.type, Scalar)
        if content.date_format:
            formats[name] = content.date_format
        elif content.codes and (isinstance(field.type.facet, Code) or field.type.python is bool):
            guesses = dict(_guesses(name, field.type, content.codes))
            if guesses:
                told = "、".join(content.codes)
                yield f"# {name}：库中有 {told}；下行是猜测，请核对 / guessed, check it"
                pairs = ", ".join(f"{_text(k)} = {json.dumps(v)}" for k, v in guesses.items())
                yield f"{name} = {{ values = {{ {pairs} }} }}"
    if "ScheduleDate" in formats and any(p.name == "SinceDate" for p in entry.parameters):
        formats["SinceDate"] = formats["ScheduleDate"]
    for name, written in formats.items():
        yield f"{name} = {{ format = {json.dumps(written, ensure_ascii=False)} }}"


def _guesses(
    field: str, scalar: Scalar, codes: tuple[str, ...]
) -> Iterator[tuple[str, str | bool]]:
    """What each value may mean; none for those that need no mapping."""
    if scalar.python is bool:
        yield from ((one, _says_yes(field, one)) for one in codes)
        return
    assert isinstance(scalar.facet, Code)
    words = _MEANINGS.get(id(scalar.facet), {})
    understood = _UNDERSTOOD.get(id(scalar.facet), frozenset())
    for one in codes:
        if one not in scalar.facet.table and one not in understood:
            known = [code for word, code in words.items() if word in one]
            yield one, known[0] if known else list(scalar.facet.table)[-1]


def _says_yes(field: str, value: str) -> bool:
    if value.startswith(_NO):
        return False
    return value.upper() in _YES or _SAYS_YES.get(field, "\0") in value


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _missing(entry: Entry, given: set[str]) -> list[Field]:
    """Required fields that neither a column nor another field gives."""

    def derived(name: str) -> bool:
        sources = entry.derived.get(name)
        return sources is not None and all(one in given or derived(one) for one in sources)

    assert entry.record is not None
    return [
        one
        for one in entry.record.fields
        if one.required and one.name not in given and not derived(one.name)
    ]


def _alias(name: str) -> str:
    # LIMIT and KEY are words of SQL.
    return f'"{name}"' if name in ("Limit", "Key") else name


def _writes(seen: Seen) -> Iterator[str]:
    """The counters' statements, where the number table tells its columns."""
    slots = seen.best("slots")
    if slots is None or not {"ScheduleId", "Taken", "Limit"} <= set(slots.fields):
        return
    name = seen.quoted[slots.name]
    key, taken, limit = (seen.quoted[slots.fields[f]] for f in ("ScheduleId", "Taken", "Limit"))
    where = f"WHERE {key} = :ScheduleId"
    yield "# 挂号的写语句：去掉 # 并补上下一序号的列、add_visit 与 return_visit，见 docs/mapped.md"
    yield "# [Registration]"
    yield f"# hold = 'UPDATE {name} SET {taken} = {taken} {where}'"
    yield (
        f"# take = 'UPDATE {name} SET {taken} = {taken} + 1 "
        f"{where} AND ({limit} = 0 OR {taken} < {limit})'"
    )
    yield f"# give_back = 'UPDATE {name} SET {taken} = {taken} - 1 {where} AND {taken} > 0'"
