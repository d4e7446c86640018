"""A HIS that is again another one: what ``yilian adapter inspect`` sees in names nobody listed."""

from __future__ import annotations

import sqlite3
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.onboarding.conftest import Run
from yilian.onboarding.proposal import _says_yes

SCHEMA = """
CREATE TABLE 病员信息 (病员编号 INTEGER PRIMARY KEY, 病员姓名 TEXT, 病员性别 TEXT, 出生年月 TEXT,
    证件号码 TEXT, 联系电话 TEXT, 医保编号 TEXT);
CREATE TABLE 门诊排班 (排班号 INTEGER PRIMARY KEY, 日期 TEXT, 科室名称 TEXT, 医师 TEXT, 午别 TEXT,
    总号数 INTEGER, 已用号数 INTEGER, 状态 TEXT, 是否停诊 TEXT, 价格 REAL);
CREATE TABLE 检验主表 (申请单号 TEXT PRIMARY KEY, 病员编号 INTEGER, 病员姓名 TEXT, 送检科室 TEXT,
    申请时间 TEXT, 报告时间 TEXT, 审核人 TEXT, 报告状态 TEXT);
CREATE TABLE 检验明细 (申请单号 TEXT, 序号 INTEGER, 项目名称 TEXT, 检验结果 TEXT, 计量单位 TEXT,
    参考范围 TEXT, 结果标志 TEXT);
CREATE TABLE 系统参数 (参数 TEXT, 值 TEXT);
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    connection = sqlite3.connect(tmp_path / "his.db")
    connection.executescript(SCHEMA)
    for n in range(1, 31):
        person = (n, "张三丰", "男女"[n % 2], "1980-05-06", f"11010119800505{n:04}")
        connection.execute(
            "INSERT INTO 病员信息 VALUES (?,?,?,?,?,?,?)", (*person, f"138{n:08}", f"YB{n}")
        )
        times = ("2026-11-20 08:00:00", "2026-11-20 12:00:00")
        state = ("已发布", "待审核", "未审核")[n % 3]
        connection.execute(
            "INSERT INTO 检验主表 VALUES (?,?,?,?,?,?,?,?)",
            (f"J{n:05}", n, "张三丰", "内科", *times, "李敏", state),
        )
        connection.execute(
            "INSERT INTO 检验明细 VALUES (?,?,?,?,?,?,?)",
            (f"J{n:05}", 1, "白细胞", "6.2", "10^9/L", "3.5-9.5", "H"),
        )
        day = f"{date.today() + timedelta(days=n % 8)}"
        stopped = ("停诊", "正常")[n % 2]
        connection.execute(
            "INSERT INTO 门诊排班 VALUES (?,?,?,?,?,?,?,?,?,?)",
            (n, day, "内科", "王建国", "上午", 20, 3, "可用", stopped, 15.5),
        )
    connection.commit()
    connection.close()
    return tmp_path


def test_every_table_is_recognised_and_nothing_unconfirmed_is_taken_for_confirmed(
    folder: Path, yilian: Run
) -> None:
    shown = yilian("adapter", "inspect", "sqlite:///his.db", "--write", "his.toml").stdout
    assert "其余 / the others（--all）：系统参数" in shown
    assert "张三丰" not in shown and "11010119800505" not in shown
    text = (folder / "his.toml").read_text("utf-8")
    made = tomllib.loads(text)
    slots, patients = made["NumberSource"]["QueryNumberSource"], made["Patients"]["FindPatients"]
    for table, field, sql in (
        ("总号数", '"Limit"', slots["sql"]),
        ("已用号数", "Taken", slots["sql"]),
        ("科室名称", "DeptName", slots["sql"]),
        ("医师", "DoctorName", slots["sql"]),
        ("病员编号", "PatientId", patients["sql"]),
        ("证件号码", "IdentityNo", patients["sql"]),
        ("结果标志", "Abnormal", made["LabResults"]["GetLabResult"]["sql"]),
    ):
        assert f'"{table}" AS {field}' in sql
    assert slots["fields"]["Stopped"]["values"] == {"停诊": True, "正常": False}
    states = made["LabResults"]["QueryLabMaster"]["fields"]["ResultStatus"]["values"]
    assert states == {"已发布": "4", "待审核": "2", "未审核": "2"}


@pytest.mark.parametrize(
    ("field", "value", "yes"),
    [
        *(("Stopped", "停诊", True), ("Stopped", "未停诊", False), ("Stopped", "正常", False)),
        *(("OpenToRemote", "停", False), ("OpenToRemote", "开放", True)),
        *(("OpenToRemote", "未开放", False), ("Returned", "已退", True), ("Returned", "0", False)),
        *(("Visited", "y", True), ("Visited", "未就诊", False), ("Expert", "专家", True)),
    ],
)
def test_what_a_flags_word_says(field: str, value: str, yes: bool) -> None:
    assert _says_yes(field, value) is yes
