"""What hospitals call their columns, by the contract's field: English, pinyin initials, Chinese.

A Chinese word matches a column that holds it, in any of the ways in which hospitals say the same
(患者编号 is 病人号); all others match whole names or whole words of them (``PATIENT_ID``,
``patientId``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

TableKind = Literal["patients", "slots", "visits", "tests", "results"]

KINDS: dict[TableKind, tuple[str, str]] = {
    "patients": ("病人", "patients"),
    "slots": ("号源", "number sources"),
    "visits": ("挂号记录", "registrations"),
    "tests": ("检验单", "lab tests"),
    "results": ("检验结果", "lab results"),
}

#: by kind and field: the words
WORDS: dict[TableKind, dict[str, str]] = {
    "patients": {
        "PatientId": "PATIENT_ID PATID PAT_ID MZHM BRID BLH PID 病人号 病人标识 患者编号 患者号 "
        "门诊号 病历号 病人ID 患者ID",
        "Name": "NAME PATIENT_NAME PAT_NAME XM BRXM HZXM 姓名",
        "Sex": "SEX GENDER XB BRXB 性别",
        "BirthDate": "BIRTH BIRTHDAY BIRTH_DATE DATE_OF_BIRTH CSNY CSRQ 出生",
        "IdentityNo": "ID_NO IDNO ID_CARD IDENTITY_NO SFZH SFZHM 身份证 证件号",
        "InsuranceNo": "INSURANCE_NO YBH YBKH 医保",
        "VisitCardNo": "CARD_NO CARDNO VISIT_CARD JZKH 就诊卡 诊疗卡",
        "ChargeType": "CHARGE_TYPE BRXZ FB 费别 病人性质",
        "Phone": "PHONE TEL MOBILE PHONE_NUMBER JTDH LXDH SJH 电话 手机",
        "Address": "ADDRESS ADDR MAILING_ADDRESS JTDZ LXDZ ZZ 地址 住址",
    },
    "slots": {
        "ScheduleId": "SCHEDULE_ID SCHEMA_ID PBXH PBID HYXH 安排号 排班号 排班序号 号源号",
        "ScheduleDate": "CLINIC_DATE SCHEDULE_DATE WORK_DATE SEE_DATE GZRQ CZRQ PBRQ 出诊日 "
        "排班日 就诊日 坐诊日 日期",
        "ClinicLabel": "CLINIC_LABEL HB 号别",
        "DeptCode": "DEPT_CODE DEPTCODE DEPT_ID KSDM GHKS 科室号 科室代码 科室编码 科室",
        "DeptName": "DEPT_NAME DEPTNAME KSMC 科室名",
        "DoctorName": "DOCTOR DOCTOR_NAME YSXM YSMC 医生名 医生姓名 出诊医生 医生",
        "Shift": "TIME_DESC SHIFT NOON ZBLB SXW 班次 班别 班 午别 时段",
        "Limit": "LIMIT REGISTRATION_LIMITS REG_LMT GHXE XHS 限号 限额 号源数 总号",
        "Taken": "REGISTRATION_NUM REGED YGRS YGHS 已挂 已挂号数 已用",
        "Remaining": "REMAINING SYHS 余号 剩余",
        "Stopped": "STOPPED STOP_INDICATOR STOP_FLAG TGBZ TZBZ 停诊 停班",
        "OpenToRemote": "REMOTE REMOTE_INDICATOR WLYY 外挂 远程 网络 对外",
        "RegistrationFee": "REGIST_PRICE REG_FEE GHF 挂号费 挂号金额 价格",
        "ConsultationFee": "CONSULT_FEE CLINIC_FEE ZLF ZCF 诊查费 诊疗费",
        "Place": "PLACE POSITION DDXX 位置 地点",
    },
    "visits": {
        "Key": "VISIT_NO REG_ID CLINIC_CODE SBXH GHXH XH 流水号 挂号号 挂号序号 序列号",
        "PatientId": "PATIENT_ID PATID CARD_NO BRID MZHM 病人号 患者编号 患者号 门诊号 病人ID",
        "ScheduleId": "SCHEDULE_ID SCHEMA_ID PBXH 安排号 排班号 排班序号",
        "ScheduleDate": "VISIT_DATE REG_DATE SEE_DATE GHRQ 就诊日期 挂号日期",
        "Shift": "VISIT_TIME_DESC NOON GHLB ZBLB 班次 午别 时段",
        "SequenceNo": "SERIAL_NO SEQ_NO GHHX JZXH 序号 号序",
        "Amount": "CLINIC_CHARGE TOTAL_COST GHJE JE 金额 费用",
        "RegisteredAt": "REGISTERING_DATE OPER_DATE GHSJ CZSJ 挂号时刻 挂号时间 登记时间",
        "Returned": "RETURNED CANCEL_FLAG VALID_FLAG THBZ JLZT 退号标志 记录状态 退号",
        "ReturnedAt": "RETURNED_DATE CANCEL_DATE THSJ THRQ 退号时刻 退号时间 退号日期",
        "Visited": "YNSEE SEE_FLAG REGISTRATION_STATUS JZZT 就诊标志 就诊状态 就诊",
    },
    "tests": {
        "TestNo": "TEST_NO SAMPLENO SAMPLE_NO BARCODE YBH DH 单号 检验号 标本号 条码 申请单号",
        "PatientId": "PATIENT_ID PATIENTID PATID BRID 病人号 患者编号 患者号 病人ID",
        "Name": "NAME PATIENTNAME PATNAME XM BRXM 姓名",
        "ChargeType": "CHARGE_TYPE PAYTYPE FB BRXZ 费别",
        "Sex": "SEX XB BRXB 性别",
        "Age": "AGE NL 年龄",
        "TestCause": "TEST_CAUSE TESTAIM JYMD 目的",
        "RelevantClinicDiag": "RELEVANT_CLINIC_DIAG DIAGNOSE DIAGNOSIS LCZD ZD 诊断",
        "Specimen": "SPECIMEN SAMPLETYPE BBLX YBLX 标本 样本类型",
        "OrderingDept": "ORDERING_DEPT REQDEPT SQKS 申请科室 送检科室",
        "RequestedDateTime": "REQUESTED_DATE_TIME REQTIME SQSJ SQRQ 申请时刻 申请时间 送检时间",
        "ResultsRptDateTime": "RESULTS_RPT_DATE_TIME REPORTTIME BGSJ BGRQ 报告时刻 报告时间",
        "OrderingProvider": "ORDERING_PROVIDER REQDOCTOR SQYS 申请医生 申请医师 送检医生",
        "PerformedBy": "PERFORMED_BY EXECDEPT ZXKS 执行科室",
        "Transcriptionist": "TRANSCRIPTIONIST REPORTER BGR BGYS 报告者 报告人",
        "VerifiedBy": "VERIFIED_BY CHECKER SHR SHYS 审核者 审核人",
        "ResultStatus": "RESULT_STATUS STATUS ZT BGZT 状态",
    },
    "results": {
        "TestNo": "TEST_NO SAMPLENO SAMPLE_NO BARCODE YBH DH 单号 检验号 标本号 条码",
        "ItemNo": "ITEM_NO PRINT_ORDER XH HH 行号 打印序 序号",
        "ItemCode": "REPORT_ITEM_CODE ITEM_CODE TESTID XMDM 项目代码 项目编码 项目",
        "ItemName": "REPORT_ITEM_NAME ITEM_NAME CHINESENAME XMMC 项目名",
        "Result": "RESULT TESTRESULT JG JYJG 结果",
        "Units": "UNITS UNIT DW 单位",
        "Abnormal": "ABNORMAL_INDICATOR HINT YCBZ TS 提示 异常 结果标志 高低",
        "Reference": "REFERENCE REFRANGE CKFW CKZ 参考",
        "ResultDateTime": "RESULT_DATE_TIME CHECKTIME JYSJ CSSJ 时刻 检验时间 结果时间",
    },
}

#: fields that make a table one of its kind: all of the first, and so many of them together
TELLING: dict[TableKind, tuple[frozenset[str], frozenset[str], int]] = {
    "patients": (
        frozenset({"PatientId", "Name"}),
        frozenset({"BirthDate", "IdentityNo", "Phone", "InsuranceNo", "VisitCardNo", "Address"}),
        2,
    ),
    "slots": (
        frozenset({"ScheduleDate"}),
        frozenset({"Limit", "Taken", "Remaining", "Stopped", "Shift", "DeptCode"}),
        3,
    ),
    "visits": (
        frozenset({"PatientId"}),
        frozenset({"ScheduleId", "SequenceNo", "Returned", "ReturnedAt", "RegisteredAt"})
        | {"Visited", "Amount"},
        3,
    ),
    "tests": (
        frozenset({"TestNo", "PatientId"}),
        frozenset({"Specimen", "RequestedDateTime", "ResultsRptDateTime", "VerifiedBy"})
        | {"ResultStatus", "OrderingDept", "TestCause"},
        2,
    ),
    "results": (
        frozenset({"TestNo", "Result"}),
        frozenset({"Units", "Reference", "Abnormal", "ItemCode", "ItemName"}),
        2,
    ),
}

#: fields whose values a mapping translates
CODED = frozenset(
    {"Sex", "Shift", "Stopped", "OpenToRemote", "Returned", "Visited", "ResultStatus", "Abnormal"}
)

#: other ways to say the same, longer ones first
_SAME = (
    *(("患者", "病人"), ("病员", "病人"), ("就诊人", "病人"), ("医师", "医生"), ("时刻", "时间")),
    *(("标识号", "号"), ("标识", "号"), ("编号", "号"), ("编码", "号"), ("代码", "号")),
    *(("号码", "号"), ("名称", "名")),
)

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def fit(column: str, words: str) -> int:
    """How well a column's name fits: 0 not at all; more for a longer or an exact word."""
    upper = column.upper()
    said = _one_way(column)
    snake = _CAMEL.sub("_", column).upper()
    best = 0
    for word in words.split():
        if upper == word.upper():
            best = max(best, 100 + len(word))
        elif not word.isascii() and _one_way(word) in said:
            best = max(best, 10 * len(_one_way(word)) - len(said))
        elif word.isascii() and len(word) > 2 and f"_{word}_" in f"_{snake}_":
            best = max(best, 20 + len(word))
    return best


def _one_way(text: str) -> str:
    for other, word in _SAME:
        text = text.replace(other, word)
    return re.sub(r"(?<=[\u4e00-\u9fff])ID$", "号", text)


def fields_of(columns: list[str], words: Mapping[str, str]) -> dict[str, str]:
    """The column of each field, every column once: the best fits first."""
    fits = sorted(
        (
            (-fit(column, spelled), order, field, column)
            for order, (field, spelled) in enumerate(words.items())
            for column in columns
            if fit(column, spelled) > 0
        ),
    )
    found: dict[str, str] = {}
    for _, _, field, column in fits:
        if field not in found and column not in found.values():
            found[field] = column
    return {field: found[field] for field in words if field in found}
