"""The words that several contracts share: each a type with its limits, its names, an example.

Lengths are in characters. They are wider than any one vendor's column, because a published type
can never be narrowed or widened again without a new version.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from services.contract import Code, Count, Doc, Money, Text

# What health probes ask for: an id that no hospital gives, and dates without sessions.
NOBODY = "YILIAN-PROBE"
NO_DATE, FAR_DATE = "2000-01-01", "2099-12-31"

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

# --- patients --------------------------------------------------------------------------------

# Identity documents, as the alliance's interface documents number them.
IDENTITY_TYPE = Code(
    {
        "01": ("居民身份证", "identity card"),
        "03": ("护照", "passport"),
        "06": ("港澳居民来往内地通行证", "Hong Kong/Macau permit"),
        "07": ("台湾居民来往大陆通行证", "Taiwan permit"),
        "99": ("其他", "other"),
    }
)

RequestId = Annotated[
    str, Text(64, 1), Doc("请求号（重试时不变）", "request id, the same on a retry", "R-0001")
]
SinceDate = Annotated[date, Doc("起始日期（含）", "from, included", "2026-11-21")]
BirthDate = Annotated[date, Doc("出生日期", "date of birth", "1981-03-05")]
IdentityType = Annotated[str, IDENTITY_TYPE, Doc("证件类型", "identity document", "01")]
IdentityNo = Annotated[str, Text(32), Doc("证件号码", "identity number", "110101198103050011")]
InsuranceNo = Annotated[str, Text(32), Doc("医保号", "insurance number", "YB00000001")]
VisitCardNo = Annotated[str, Text(32), Doc("就诊卡号", "visit card", "JZ00000001")]
Phone = Annotated[str, Text(32), Doc("联系电话", "phone", "13800000000")]

# --- registration ----------------------------------------------------------------------------

ShiftCode = Annotated[str, SHIFT, Doc("班次", "shift", "1")]
RegistrationId = Annotated[str, Text(64, 1), Doc("挂号标识", "registration id", "Y0123456789")]
LockId = Annotated[str, Text(64, 1), Doc("锁号标识", "lock id", "Y0123456789")]
SequenceNo = Annotated[int, Count(), Doc("序号", "sequence number in the session", "12")]
PaymentReference = Annotated[str, Text(64), Doc("支付流水号", "payment reference", "WX2026112101")]
Amount = Annotated[Yuan, Doc("金额（元）", "amount paid, yuan", "25.00")]
Reason = Annotated[str, Text(256, 1), Doc("原因", "reason", "行程有变")]
RejectReason = Annotated[str, Text(256), Doc("拒收原因", "reason, needed to reject", "溶血")]
Place = Annotated[str, Text(128), Doc("地点", "place", "门诊楼三层A区")]

# --- ordering --------------------------------------------------------------------------------

# Order item classes of the alliance's interface documents.
ITEM_CLASS = Code({"02": ("检查", "examination"), "03": ("检验", "lab test")})
EXAMINATION, LAB = "02", "03"

OrderNo = Annotated[str, Text(32, 1), Doc("申请单号", "order number", "2611210001")]
ItemCode = Annotated[str, Text(64, 1), Doc("项目代码", "item code", "L0101")]
ItemName = Annotated[str, Text(128), Doc("项目名称", "item name", "血常规")]
ItemClass = Annotated[str, ITEM_CLASS, Doc("项目类别", "item class", "03")]
Specimen = Annotated[str, Text(64), Doc("标本", "specimen", "静脉血")]
ClinicalDiagnosis = Annotated[str, Text(512, 1), Doc("临床诊断", "clinical diagnosis", "高血压病")]
Notes = Annotated[str, Text(256), Doc("备注", "notes", "空腹")]
VirtualDept = Annotated[
    str, Text(32, 1), Doc("虚拟科室代码", "virtual department, given by this hospital", "V001")
]
OrderingProvider = Annotated[str, Text(64, 1), Doc("申请医师", "ordering doctor", "王建国")]
Person = Annotated[str, Text(64, 1), Doc("操作人", "person", "李敏")]
Moment = Annotated[datetime, Doc("时间", "time", "2026-11-21T09:30:00")]

# --- examinations ----------------------------------------------------------------------------

# EXAM_RESULT_STATUS_DICT of the junwei HIS. A NULL is answered as 9.
EXAM_STATUS = Code(
    {
        "0": ("已申请", "requested"),
        "1": ("已接收申请", "request received"),
        "2": ("已检查", "examined"),
        "3": ("初步报告", "preliminary report"),
        "4": ("确认报告", "confirmed report"),
        "7": ("作废", "void"),
        "9": ("其他", "other or unknown"),
    }
)
# National rules of 2022: a result that member hospitals recognise carries "HR".
RECOGNITION = Code({"HR": ("互认", "recognised by the members")})

ExamNo = Annotated[str, Text(32, 1), Doc("检查单号", "examination number", "2611210001")]
ExamStatus = Annotated[str, EXAM_STATUS, Doc("结果状态", "result status", "4")]
IsFinal = Annotated[bool, Doc("是否已审核的最终报告", "confirmed, final report", "true")]
StudyUid = Annotated[str, Text(128, 1), Doc("影像检查UID", "study UID", "1.2.840.1")]
RecognitionMark = Annotated[str, RECOGNITION, Doc("互认标识", "recognition mark", "HR")]
