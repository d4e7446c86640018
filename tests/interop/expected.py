"""What every toolkit must tell of its calls: one table, and how a told value is compared.

A client prints one JSON object a line: ``case`` and ``value``; or ``result`` and ``str`` of an
operation of HisService; or ``fault`` (its text) and ``code`` (out of its detail). Decimals, dates
and times are told as text; a field that is absent is null or left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.interop.constant import MASTERS, REPORTS, SLOTS

_MASTER_ROWS = [
    [
        "2611210001",
        "𠮷田㐂喆",
        "城镇职工基本医疗保险",
        "女",
        "45",
        "查体｜复查？",
        "高血压病 糖尿病",
        "静脉血",
        "",
        "心血管内科",
        "2026-11-20 08:30:00",
        "2026-11-20 15:10:09",
        "王建国",
        "检验科",
        "A01",
        "李敏",
        "赵静",
    ],
    ["2611200002", "", "", "男", "0", *[""] * 5, "2026-11-19 23:59:59", *[""] * 6],
]
_CLINICS = (
    "20261121-0301A-1|0301A|心血管内科专家门诊|0301|心血管内科|朱镕喆|主任医师|1|"
    "介入｜支架？ 随访 <b>&amp;\"'</b>|1|30|0|0|0|1|1.00|24.50|门诊楼三层 A 区?"
    "20261121-0302-2|0302|普通门诊|喆𠮷㐂|𠮷野㐂代科|||0||2|||1|1|0|0.00|9999999999.99|?"
    "20261121-0303-9|0303||0303|骨科|||0||9|2147483647|2147483646|0|0|1|0.5|100|?"
)

EXPECTED: dict[str, dict[str, Any]] = {
    # what the sample in docs/legacy.md makes of getlabmaster's answer
    "sample": {"value": _MASTER_ROWS},
    "getlabmaster": {"result": 2, "str": "".join("|".join(row) + "?" for row in _MASTER_ROWS)},
    "getlabmaster echo": {"result": 1, "str": "1|回声｜？𠮷㐂喆<&>\"'" + "|" * 15 + "?"},
    "getlabmaster empty": {
        "result": -1,
        "str": "缺少参数 PatientId（病人标识号） / PatientId (patient id) is empty",
    },
    "getlabmaster nobody": {"result": 0, "str": ""},
    "getlabresult": {
        "result": 2,
        "str": "1|WBC|白细胞计数|6.21|10^9/L||3.5-9.5|2026-11-20 14:55:00?"
        "2|HBsAg|乙肝表面抗原｜定性？|阳性(+) > 1:8 & < 1:16||A||?",
    },
    "getlabresult unknown": {"result": -2, "str": "没有检验单 0 / no lab test 0"},
    "getclinicforregist": {"result": 3, "str": _CLINICS},
    "QueryNumberSource": {"value": SLOTS},
    "QueryNumberSource filtered": {"value": SLOTS[1:2]},
    "QueryNumberSource none": {"value": ()},
    "GetNumberSource": {"value": SLOTS[1]},
    "GetNumberSource unknown": {
        "fault": "没有号源 没有喆|? / no schedule 没有喆|?",
        "code": "NotFound",
    },
    "GetNumberSource rare": {
        "fault": "没有号源 没有𠮷㐂 / no schedule 没有𠮷㐂",
        "code": "NotFound",
    },
    "QueryLabMaster": {"value": MASTERS},
    "QueryLabMaster period": {"value": MASTERS[1:2]},
    "GetLabResult": {"value": REPORTS["2611210001"]},
    "GetLabResult unknown": {"fault": "没有检验单 0 / no lab test 0", "code": "NotFound"},
}


@dataclasses.dataclass(frozen=True)
class Comparison:
    """``untyped``: the toolkit tells numbers and booleans as text. ``empty_is_absent``: it does
    not tell an empty element from one that is not there."""

    untyped: bool = False
    empty_is_absent: bool = False

    def differences(self, expected: Any, told: Any, where: str) -> Iterator[str]:
        """A line for each value that is not as expected."""
        if dataclasses.is_dataclass(expected) and not isinstance(expected, type):
            names = [field.name for field in dataclasses.fields(expected)]
            expected = {name: getattr(expected, name) for name in names}
        if isinstance(expected, dict) and isinstance(told, dict):
            for extra in sorted(set(told) - set(expected)):
                yield f"{where}.{extra} is not expected: {told[extra]!r}"
            for name, value in expected.items():
                yield from self.differences(value, told.get(name), f"{where}.{name}")
        elif isinstance(expected, list | tuple) and isinstance(told, list):
            if len(expected) != len(told):
                yield f"{where} has {len(told)} items, not {len(expected)}"
            for index, (value, one) in enumerate(zip(expected, told, strict=False)):
                yield from self.differences(value, one, f"{where}[{index}]")
        elif not self._same(expected, told):
            yield f"{where}: expected {expected!r}, told {told!r}"

    def _same(self, expected: Any, told: Any) -> bool:
        if told is None:
            return expected is None or (self.empty_is_absent and expected == "")
        if self.untyped and isinstance(expected, bool | int):
            return told == (str(expected).lower() if isinstance(expected, bool) else str(expected))
        if isinstance(expected, Decimal):
            return not isinstance(told, bool) and _decimal(told) == expected
        if isinstance(expected, datetime):
            return bool(told == expected.isoformat())
        if isinstance(expected, date):
            return told in (expected.isoformat(), f"{expected.isoformat()}T00:00:00")
        return type(told) is type(expected) and told == expected


def _decimal(told: Any) -> Decimal | None:
    try:
        return Decimal(str(told))
    except InvalidOperation:
        return None
