"""Words that laboratories and number tables write, as the contracts' codes."""

from __future__ import annotations

from typing import Literal

ShiftCode = Literal["1", "2", "3", "4", "9"]
AbnormalMark = Literal["N", "H", "L", "A", "U"]

SHIFTS: dict[str, ShiftCode] = {
    **{"上午": "1", "早班": "1", "下午": "2", "中班": "2"},
    **{"夜间": "3", "晚上": "3", "晚班": "3", "夜班": "3", "夜诊": "3"},
    **{"全天": "4", "白天": "4", "昼夜": "4"},
}

ABNORMAL_MARKS: dict[str, AbnormalMark] = {
    **{"N": "N", "正常": "N", "-": "N"},
    **{"H": "H", "HH": "H", "↑": "H", "↑↑": "H", "偏高": "H", "高": "H"},
    **{"L": "L", "LL": "L", "↓": "L", "↓↓": "L", "偏低": "L", "低": "L"},
    **{"A": "A", "*": "A", "+": "A", "阳性": "A", "异常": "A", "U": "U"},
}


def abnormal(mark: str | None, marks: dict[str, AbnormalMark]) -> str:
    """No mark is U, not marked. A mark that the table does not know is A: a laboratory marks
    what has to be looked at, and calling that "not marked" would hide it."""
    return "U" if mark is None else marks.get(mark, "A")
