"""What is wrong with a configured value, in Chinese, for pydantic's kinds of errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = {
    "missing": "缺少必填的键",
    "string_type": "应为带引号的文字",
    "string_pattern_mismatch": "格式不符，应匹配 {pattern}",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数",
    "float_parsing": "应为数",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "list_type": "应为数组 [ ... ]",
    "tuple_type": "应为数组 [ ... ]",
    "dict_type": "应为表",
    "model_type": "应为表",
    "model_attributes_type": "应为表",
    "path_type": "应为文件路径",
    "literal_error": "只能是 {expected}",
    "enum": "只能是 {expected}",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "不得大于 {le}",
    "too_short": "至少 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "value_error": "{error}",
}


class WrongValue(ValueError):
    """A value that a model's own check refuses. ``where``: the way to it from that model."""

    def __init__(self, zh: str, en: str, where: tuple[str | int, ...] = ()) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en
        self.where = where


def wrong(zh: str, en: str, *where: str | int) -> WrongValue:
    """For a validator: ``raise wrong("中文", "English", "table", "key")``."""
    return WrongValue(zh, en, where)


def chinese(kind: str, context: Mapping[str, Any], english: str) -> str:
    """The Chinese for one pydantic error; its English where the kind is not in the table."""
    return _WORDS[kind].format_map(context) if kind in _WORDS else english
