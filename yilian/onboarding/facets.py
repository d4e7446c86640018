"""Whether a record is as its contract says: lengths, codes, counts, amounts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.contract import Code, Count, Facet, ListOf, Money, RecordType, Scalar, Text, Type
from services.soap.values import fits

#: fields that say which record it is, and never who
KEYS = ("ScheduleId", "RegistrationId", "LockId", "TestNo", "ExamNo", "OrderNo", "ItemNo")


def breaches(kind: Type, value: Any) -> Iterator[tuple[str, str, str]]:
    """(key and field, Chinese, English) of everything in a result that breaks the contract."""
    if isinstance(kind, ListOf):
        for one in value:
            yield from breaches(kind.item, one)
    elif isinstance(kind, RecordType):
        key = key_of(value)
        for field in kind.fields:
            inner = getattr(value, field.name)
            if inner is None:
                if field.required:
                    yield f"{key} {field.name}", "缺少必填值", "lacks a required value"
            elif isinstance(field.type, Scalar):
                for zh, en in _scalar(field.type, inner):
                    yield f"{key} {field.name}", zh, en
            else:
                yield from breaches(field.type, inner)


def key_of(record: Any) -> str:
    """A record's key as ``TestNo=2611210001``."""
    for name in (*KEYS, "PatientId", "ItemCode"):
        value = getattr(record, name, None)
        if value is not None:
            return f"{name}={value}"
    return type(record).__name__


def _scalar(scalar: Scalar, value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, scalar.python):
        yield (
            f"类型是 {type(value).__name__}，应为 {scalar.python.__name__}",
            f"is a {type(value).__name__} and should be a {scalar.python.__name__}",
        )
        return
    yield from _facet(scalar.facet, value)


def _facet(facet: Facet | None, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(facet, Text) and not facet.min_len <= len(value) <= facet.max_len:
        yield (
            f"长 {len(value)} 个字符，应为 {facet.min_len} 到 {facet.max_len}",
            f"has {len(value)} characters and should have {facet.min_len} to {facet.max_len}",
        )
    elif isinstance(facet, Code) and value not in facet.table:
        known = "、".join(facet.table)
        yield f"不在代码表中：{known}", f"is not in the code table: {known}"
    elif isinstance(facet, Count) and not facet.minimum <= value <= facet.maximum:
        yield (
            f"应在 {facet.minimum} 与 {facet.maximum} 之间",
            f"should be between {facet.minimum} and {facet.maximum}",
        )
    elif isinstance(facet, Money) and not fits(value, facet.digits, facet.scale):
        yield "应为金额", "should be an amount"
