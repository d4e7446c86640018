"""The demo's first and last words: a greeting, the verdict, and what to try next."""

from __future__ import annotations

from collections.abc import Sequence

from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from yilian.demo.plan import PATIENT, Plan
from yilian.screen import Screen


def greet(screen: Screen) -> None:
    screen.print(
        Panel(
            Text("医联 Yilian\n", style="bold")
            + Text("两家医院，两种数据库，一条路：发布 · 查找 · 绑定 · 调用\n", style="default")
            + Text(
                "two hospitals, two databases, one road: publish · find · bind · invoke",
                style="dim",
            ),
            border_style="cyan",
            expand=False,
            padding=(0, 2),
        )
    )


def verdict(screen: Screen, failed: Sequence[str]) -> None:
    screen.print(Rule(style="dim"))
    if failed:
        names = "、".join(failed)
        screen.line(f"✗ 未通过的步骤 / steps that failed: {names}", style="bold red")
    else:
        screen.line("✓ 四个步骤全部完成 / all four steps done", style="bold green")


def curl(plan: Plan) -> str:
    """One line for bash: getlabmaster, as a legacy client sends it."""
    hospital = plan.hospitals[0]
    envelope = (
        '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>'
        '<getlabmaster xmlns="http://tempuri.org/">'
        f"<PatientId>{PATIENT}</PatientId><str/></getlabmaster></Body></Envelope>"
    )
    return (
        f"curl -sS {plan.address(hospital, 'HisService.asmx')} "
        "-H 'Content-Type: text/xml; charset=utf-8' "
        "-H 'SOAPAction: \"http://tempuri.org/getlabmaster\"' "
        f"-d '{envelope}'"
    )


def what_to_try(screen: Screen, plan: Plan) -> None:
    """Addresses, commands and how to end. Printed once the walk is done."""
    first = plan.hospitals[0]
    screen.line("")
    screen.line("现在可以试试 / now try", style="bold")
    rows = [
        ("注册中心页面 registry page", f"{plan.registry}/"),
        ("网关状态 gateway health", f"{plan.gateway}/health"),
    ]
    for hospital in plan.hospitals:
        rows.append((f"{hospital.name} 节点 node", f"{plan.node(hospital)}/health"))
        for service in ("HisService.asmx", "LabResults", "NumberSource"):
            rows.append((f"  WSDL {service}", f"{plan.address(hospital, service)}?wsdl"))
    for name, url in rows:
        screen.pair(name, url)
    screen.line("")
    screen.line("用 curl 调用（整行复制）/ call it with curl (copy the whole line)", style="bold")
    screen.line(curl(plan), style="cyan")
    screen.line("")
    screen.line("或者 / or", style="bold")
    wsdl = plan.address(first, "LabResults")
    screen.line(f"./run yilian call {wsdl} QueryLabMaster PatientId={PATIENT}", style="cyan")
    screen.line("")
    screen.line(f"日志 logs: {plan.logs}", style="dim")
    screen.line("按 Ctrl-C 停止全部进程 / Ctrl-C stops everything", style="bold")
