"""The words that several contracts share: each a type with its limits, its names, an example.

Lengths are in characters. They are wider than any one vendor's column, because a published type
can never be narrowed or widened again without a new version.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from services.contract import Code, Count, Doc, Money, Text

# GB/T 2261.1
SEX = Code(
    {
        "0": ("未知", "unknown"),
        "1": ("男", "male"),
        "2": ("女", "female"),
        "9": ("未说明", "not stated"),
    }
)

SHIFT = Code(
    {
        "1": ("上午", "morning"),
        "2": ("下午", "afternoon"),
        "3": ("夜间", "evening"),
        "4": ("全天", "whole day"),
        "9": ("其他", "other"),
    }
)

# LAB_TEST_MASTER.RESULT_STATUS of the junwei HIS. A NULL is answered as 9.
RESULT_STATUS = Code(
    {
        "0": ("已申请", "requested"),
        "1": ("已接收申请", "request received"),
        "2": ("已执行", "performed"),
        "3": ("初步报告", "preliminary report"),
        "4": ("确认报告", "confirmed report"),
        "7": ("作废", "void"),
        "9": ("其他", "other or unknown"),
    }
)
CONFIRMED = "4"
VOID = "7"

ABNORMAL = Code(
    {
        "N": ("正常", "normal"),
        "H": ("偏高", "high"),
        "L": ("偏低", "low"),
        "A": ("异常", "abnormal"),
        "U": ("未标记", "not marked"),
    }
)

PatientId = Annotated[str, Text(32, 1), Doc("病人标识号", "patient id", "0000000001")]
PersonName = Annotated[str, Text(64), Doc("姓名", "name", "张伟")]
Sex = Annotated[str, SEX, Doc("性别", "sex, GB/T 2261.1", "1")]
Age = Annotated[int, Count(0, 200), Doc("年龄（岁）", "age in years", "45")]
ChargeType = Annotated[str, Text(64), Doc("费别", "payer", "城镇职工基本医疗保险")]
DeptCode = Annotated[str, Text(32), Doc("科室代码", "department code", "0301")]
DeptName = Annotated[str, Text(64), Doc("科室名称", "department name", "心血管内科")]
DoctorName = Annotated[str, Text(64), Doc("医师姓名", "doctor's name", "王建国")]

ScheduleId = Annotated[str, Text(128, 1), Doc("号源标识", "schedule id", "20261121-0301A-1")]
ScheduleDate = Annotated[date, Doc("出诊日期", "date of the session", "2026-11-21")]
ClinicLabel = Annotated[str, Text(64), Doc("号别", "clinic label", "0301A")]
Yuan = Annotated[Decimal, Money()]

TestNo = Annotated[str, Text(32, 1), Doc("检验单号", "lab test number", "2611210001")]
ResultStatus = Annotated[str, RESULT_STATUS, Doc("结果状态", "result status", "4")]
Since = Annotated[datetime, Doc("起始时间（含）", "from, included", "2026-01-01T00:00:00")]
Until = Annotated[datetime, Doc("截止时间（不含）", "until, not included", "2027-01-01T00:00:00")]
