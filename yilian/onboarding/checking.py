"""One source checked: its contracts' rules, its rows, its statements' plans."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from adapters.config import SourceConfig
from adapters.mapped import Mapped
from adapters.mapped.scan import BrokenRow, broken_rows
from services.faults import Fault, SourceError
from yilian.onboarding.findings import Findings
from yilian.onboarding.opening import only_read, opened
from yilian.onboarding.plans import Advice, advise
from yilian.onboarding.rules import check_contract
from yilian.onboarding.samples import patients as sampled
from yilian.onboarding.statements import watched
from yilian.onboarding.writes import copied, prove

#: rows of a query that are looked through, and patients that are asked for
ROWS, PATIENTS = 5000, 10


@dataclass
class Report:
    """What was found of one source. ``findings`` by contract, the writes under ``write-test``."""

    source: str
    adapter: str
    findings: dict[str, Findings] = field(default_factory=dict)
    broken_rows: list[BrokenRow] = field(default_factory=list)
    advice: list[Advice] = field(default_factory=list)
    fault: tuple[str, str] | None = None

    @property
    def broken(self) -> bool:
        found = any(one.broken for one in self.findings.values())
        return found or bool(self.broken_rows) or self.fault is not None


def check_source(
    name: str,
    hospital: str,
    config: SourceConfig,
    *,
    patients: list[str],
    today: date,
    write_test: bool,
    write_here: bool,
) -> Report:
    """Read-only but for ``write_test``, which writes into a copy of a SQLite file; into another
    database only if ``write_here`` says that it is a test copy itself."""
    report = Report(name, config.adapter)
    try:
        with opened(name, hospital, only_read(config)) as one, watched() as sent:
            one.adapter.check()
            _ask_about_writes(name, hospital, config)
            for contract in config.offers:
                asked = patients or sampled(one.adapter, contract, PATIENTS)
                findings = report.findings[contract] = Findings(one.adapter)
                check_contract(findings, contract, asked, today)
            calls = list(sent)
            if isinstance(one.adapter, Mapped):
                runner = one.adapter.runner
                report.broken_rows = broken_rows(one.source, runner, list(config.offers), ROWS)
            report.advice = advise(one.source, calls)
        if write_test:
            _write(report, hospital, config, patients, write_here)
    except Fault as fault:
        report.fault = (f"{fault.code}：{fault.zh}", f"{fault.code}: {fault.en}")
    return report


def _ask_about_writes(name: str, hospital: str, config: SourceConfig) -> None:
    """MariaDB tells a write's plan only to those who may write. Nothing is written here."""
    if not config.read_only and config.adapter == "mapped":
        with opened(name, hospital, config):
            pass  # opening it prepares every statement


def _write(
    report: Report, hospital: str, config: SourceConfig, patients: list[str], here: bool
) -> None:
    if config.url.get_backend_name() == "sqlite":
        with copied(config) as copy:
            _prove(report, hospital, copy, patients)
    elif here:
        _prove(report, hospital, config, patients)
    else:
        raise SourceError(
            "只有 SQLite 能自动复制；请把 url 指向测试副本，并加 --this-is-a-test-copy",
            "only SQLite is copied by itself: point url at a test copy, and add "
            "--this-is-a-test-copy",
        )


def _prove(report: Report, hospital: str, config: SourceConfig, patients: list[str]) -> None:
    with opened(report.source, hospital, config) as one:
        writing = [contract for contract in config.offers if contract != "LabResults"]
        contract = writing[0] if writing else "LabResults"
        asked = patients or sampled(one.adapter, contract, PATIENTS)
        if "Patients" in config.offers:
            asked = patients or sampled(one.adapter, "Patients", PATIENTS)
        findings = report.findings["write-test"] = Findings(one.adapter)
        prove(findings, list(config.offers), asked)
