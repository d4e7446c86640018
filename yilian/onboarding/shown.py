"""A check's report on the screen."""

from __future__ import annotations

from typing import Any

from adapters.mapped.scan import BrokenRow
from yilian.onboarding.checking import Report
from yilian.onboarding.findings import Findings, told
from yilian.screen import table

#: broken rows that are listed; more are counted
_ROWS = 50


def shown(report: Report) -> list[Any]:
    """What the screen prints of one source."""
    things: list[Any] = [f"\n来源 source {report.source}（{report.adapter}）"]
    if report.findings:
        columns = ["", "服务 service", "操作 operation", "次数", "最慢 ms", "说明 remarks"]
        rows: list[list[str]] = []
        proved = report.findings.get("write-test")
        for contract, findings in report.findings.items():
            rows += _rows(contract, findings, proved if findings is not proved else None)
        things.append(table(columns, rows))
    if report.broken_rows:
        things.append("不合契约的行 / rows that break the contract")
        things.append(
            table(
                ["语句 statement", "行 row", "列 column", "说明 remarks"],
                [_row(one) for one in report.broken_rows[:_ROWS]],
            )
        )
        if len(report.broken_rows) > _ROWS:
            things.append(f"  ……共 {len(report.broken_rows)} 行 / {len(report.broken_rows)} in all")
    if report.advice:
        things.append("整表扫描，建索引有帮助 / read whole; an index would help")
        things.append(
            table(
                ["表 table", "行数 rows", "列 columns", "建议 SQL"],
                [[a.table, f"{a.rows:,}", ", ".join(a.columns), a.ddl] for a in report.advice],
            )
        )
    if report.fault is not None:
        zh, en = report.fault
        things.append(f"✗ {zh}\n  {en}")
    return things


def _rows(contract: str, findings: Findings, proved: Findings | None) -> list[list[str]]:
    rows = []
    for outcome in findings.outcomes.values():
        if outcome.mark == "–" and proved is not None and outcome.operation in proved.outcomes:
            continue  # told under write-test
        if outcome.broken:
            remarks = "\n".join(f"{zh} / {en}" for zh, en in told(outcome.broken))
        elif outcome.skipped:
            remarks = " / ".join(outcome.skipped)
        else:
            remarks = f"{outcome.rows} 条 records"
        slowest = f"{outcome.slowest * 1000:.1f}" if outcome.calls else ""
        calls = str(outcome.calls or "")
        rows.append([outcome.mark, contract, outcome.operation, calls, slowest, remarks])
    return rows


def _row(one: BrokenRow) -> list[str]:
    where = f"{one.spot.key}\n第 {one.spot.line} 行"
    return [where, one.key, one.column, f"{one.zh} / {one.en}"]
