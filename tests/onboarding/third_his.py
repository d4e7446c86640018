"""A HIS that is neither junwei nor bsoft: Chinese names, dates as text, flags of its own."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from pathlib import Path

SCHEMA = """
CREATE TABLE 病人档案 (病人号 CHAR(10) PRIMARY KEY, 姓名 VARCHAR(40), 性别 CHAR(1),
    出生 CHAR(8), 身份证号 VARCHAR(18), 医保卡号 VARCHAR(20), 就诊卡 VARCHAR(20),
    费别 VARCHAR(40), 手机 VARCHAR(20), 住址 VARCHAR(200));
CREATE TABLE 科室 (科室号 VARCHAR(8) PRIMARY KEY, 科室名 VARCHAR(40), 位置 VARCHAR(40));
CREATE TABLE 医生 (工号 VARCHAR(8) PRIMARY KEY, 医生名 VARCHAR(40), 职称 VARCHAR(20),
    专长 VARCHAR(200), 专家 CHAR(2));
CREATE TABLE 出诊安排 (安排号 INTEGER PRIMARY KEY, 出诊日 CHAR(8), 科室号 VARCHAR(8),
    工号 VARCHAR(8), 班 CHAR(1), 限号 INTEGER, 已挂 INTEGER, 下一号 INTEGER, 停诊 CHAR(1),
    外挂 CHAR(1), 挂号费 DECIMAL(8,2), 诊查费 DECIMAL(8,2));
CREATE TABLE 挂号流水 (流水号 INTEGER PRIMARY KEY, 病人号 CHAR(10), 姓名 VARCHAR(40),
    安排号 INTEGER, 序号 INTEGER, 金额 DECIMAL(8,2), 挂号时刻 CHAR(16), 操作员 VARCHAR(20),
    记录状态 CHAR(1), 就诊 CHAR(1), 退号时刻 CHAR(16));
CREATE TABLE 化验单 (单号 VARCHAR(16) PRIMARY KEY, 病人号 CHAR(10), 姓名 VARCHAR(40),
    费别 VARCHAR(40), 性别 CHAR(1), 年龄 VARCHAR(8), 目的 VARCHAR(40), 诊断 VARCHAR(200),
    标本 VARCHAR(40), 说明 VARCHAR(100), 申请科室 VARCHAR(40), 申请时刻 CHAR(16),
    报告时刻 CHAR(16), 申请医生 VARCHAR(40), 执行科室 VARCHAR(40), 工作号 VARCHAR(16),
    报告者 VARCHAR(40), 审核者 VARCHAR(40), 状态 VARCHAR(8));
CREATE TABLE 化验结果 (单号 VARCHAR(16), 行号 INTEGER, 项目 VARCHAR(16), 项目名 VARCHAR(40),
    结果 VARCHAR(100), 单位 VARCHAR(20), 提示 VARCHAR(4), 参考 VARCHAR(60), 时刻 CHAR(16),
    PRIMARY KEY (单号, 行号));
CREATE TABLE 操作日志 (时刻 CHAR(16), 内容 VARCHAR(200));
CREATE INDEX 化验单_病人 ON 化验单 (病人号);
"""


def build(path: Path, today: date, *, patients: int = 40, days: int = 8) -> Path:
    """The hospital's file: patients 0000000001 and on, sessions from yesterday on."""
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    connection.executemany(
        "INSERT INTO 病人档案 VALUES (?,?,?,?,?,?,?,?,?,?)",
        [_patient(number) for number in range(1, patients + 1)],
    )
    connection.executemany(
        "INSERT INTO 科室 VALUES (?,?,?)",
        [("0301", "心血管内科", "三层A区"), ("0502", "儿科", "二层B区")],
    )
    connection.executemany(
        "INSERT INTO 医生 VALUES (?,?,?,?,?)",
        [
            ("D01", "王建国", "主任医师", "冠心病介入治疗", "是"),
            ("D02", "李敏", "主治医师", None, "否"),
        ],
    )
    number = 100
    for day in range(-1, days):
        written = (today + timedelta(days=day)).strftime("%Y%m%d")
        for dept, doctor, shift, limit, stopped, remote in (
            ("0301", "D01", "A", 4, "F", "Y"),
            ("0301", "D02", "P", 20, "T" if day == 2 else "F", "Y"),
            ("0502", None, "N", 0, "F", "Y"),
            ("0502", "D02", "A", 10, "F", "N"),
        ):
            number += 1
            row = (number, written, dept, doctor, shift, limit, 0, 1, stopped, remote, 1, 24.5)
            connection.execute(f"INSERT INTO 出诊安排 VALUES ({','.join('?' * len(row))})", row)
    for one in range(1, patients + 1):
        for test, state in enumerate(("已审", "初审", "登记")):
            _test(connection, one, test, state, today)
    connection.execute("INSERT INTO 操作日志 VALUES ('2026112108:00:00', '开机')")
    connection.commit()
    connection.close()
    return path


def _patient(number: int) -> tuple[object, ...]:
    name = "赵钱孙李周吴郑王"[number % 8] + "测试甲乙丙丁戊己"[number % 8 :][:2]
    born = f"{1950 + number % 60}0{1 + number % 9}15"
    return (
        *(f"{number:010}", name, "MF"[number % 2], born, f"110101{born}00{number % 10}X"),
        *(f"YB{number:08}", f"JZ{number:08}", "城镇职工", f"138{number:08}", "建设路1号"),
    )


def _test(connection: sqlite3.Connection, patient: int, test: int, state: str, today: date) -> None:
    number = f"T{patient:05}{test}"
    asked = (today - timedelta(days=test)).strftime("%Y%m%d") + "08:30:00"
    row = (
        *(number, f"{patient:010}", "某人", "城镇职工", "MF"[patient % 2], "45岁", "查体"),
        *("高血压病", "静脉血", "空腹", "心血管内科", asked, asked, "王建国", "检验科", "A01"),
        *("李敏", "赵静", state),
    )
    connection.execute(f"INSERT INTO 化验单 VALUES ({','.join('?' * len(row))})", row)
    for line, (code, name, mark) in enumerate((("WBC", "白细胞计数", "↑"), ("RBC", "红细胞", ""))):
        result = (number, line + 1, code, name, "6.21", "10^9/L", mark, "3.5-9.5", asked)
        connection.execute("INSERT INTO 化验结果 VALUES (?,?,?,?,?,?,?,?,?)", result)
