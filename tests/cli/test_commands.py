"""The yilian command as a process: serving, refusing, WSDLs, password hashes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from services.passwords import verify
from tests.conftest import PROJECT, Alliance, four_free_ports
from yilian.demo.plan import Plan
from yilian.demo.processes import Processes, healthy, until

ENV = {**os.environ, "PYTHONPATH": str(PROJECT), "COLUMNS": "160"}


def yilian(*arguments: str, stdin: str = "", **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "yilian", *arguments],
        env=ENV,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        **options,  # type: ignore[call-overload]
    )


def refusal(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("✗ ")
    return done.stderr


# --- serving -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["node", "registry", "gateway"])
def test_a_wrong_configuration_is_refused_by_line_and_key(command: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('[listen]\nport = "many"\n')
    said = refusal(yilian(command, str(file)), 2)
    assert f"{file} 有误" in said
    assert "第 2 行 listen.port：应为整数" in said


def test_a_busy_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = tmp_path / "registry.toml"
        file.write_text(f'[listen]\nport = {port}\n[store]\nurl = "sqlite:///r.db"\n')
        said = refusal(yilian("registry", str(file)), 2)
    assert f"端口 127.0.0.1:{port} 已被占用" in said


def test_sigterm_ends_a_process_and_frees_its_port(tmp_path: Path) -> None:
    plan = Plan(tmp_path, four_free_ports())
    plan.write()
    program = plan.registry_program()
    with Processes(plan.logs) as processes:
        processes.start(program)
        processes.wait(program)
        os.kill(processes.pids()["registry"], signal.SIGTERM)
        assert until(lambda: not healthy(program.health), 20)
    assert "Traceback" not in (plan.logs / "registry.log").read_text("utf-8")
    assert (tmp_path / "registry.db").exists()


def test_a_node_without_its_password_file_is_refused(alliance: Alliance, tmp_path: Path) -> None:
    text = (alliance.plan.folder / "hx.toml").read_text("utf-8")
    file = tmp_path / "hx.toml"
    file.write_text(text.replace("sqlite:///", f"sqlite:///{alliance.plan.folder}/"), "utf-8")
    assert str(tmp_path / "hx.password") in refusal(yilian("node", str(file)), 2)


# --- wsdl and hash-password ----------------------------------------------------------------------


def test_the_committed_wsdls_are_what_the_code_makes() -> None:
    done = yilian("wsdl", "--check", "--folder", str(PROJECT / "wsdl"))
    assert done.returncode == 0, done.stderr


def test_wsdls_are_written_and_a_difference_is_named(tmp_path: Path) -> None:
    assert yilian("wsdl", "--write", "--folder", str(tmp_path)).returncode == 0
    assert yilian("wsdl", "--check", "--folder", str(tmp_path)).returncode == 0
    (tmp_path / "HisService.wsdl").write_text("changed")
    (tmp_path / "Old.wsdl").write_text("left over")
    said = refusal(yilian("wsdl", "--check", "--folder", str(tmp_path)), 1)
    assert "HisService.wsdl、Old.wsdl" in said


def test_checking_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    said = refusal(yilian("wsdl", "--check", "--folder", "nowhere", cwd=tmp_path), 2)
    assert f"没有文件夹 {tmp_path / 'nowhere'}" in said
    assert "HisService" not in said


def test_a_registry_in_which_nobody_can_publish_says_so_at_start(tmp_path: Path) -> None:
    plan = Plan(tmp_path, four_free_ports())
    plan.write()
    file = tmp_path / "registry.toml"
    file.write_text(file.read_text("utf-8").split("[[publishers]]")[0], "utf-8")
    program = plan.registry_program()
    with Processes(plan.logs) as processes:
        processes.start(program)
        processes.wait(program)
    assert "没有配置任何 publishers" in (plan.logs / "registry.log").read_text("utf-8")


def test_one_wsdl_is_printed_and_an_unknown_one_refused() -> None:
    assert yilian("wsdl", "HisService").stdout.startswith("<?xml")
    assert "HisService" in yilian("wsdl").stdout
    assert "HisService" in refusal(yilian("wsdl", "Nothing"), 2)


def test_a_password_hash_verifies() -> None:
    done = yilian("hash-password", stdin="口令 secret\n")
    assert verify("口令 secret", done.stdout.strip())
    refusal(yilian("hash-password", stdin="\n"), 2)
