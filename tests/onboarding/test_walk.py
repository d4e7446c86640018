"""docs/onboarding.md walked: an unknown database to a checked hospital that answers."""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
import sys
import urllib.request
from datetime import date
from pathlib import Path

from tests.onboarding.conftest import PROJECT, Run
from tests.onboarding.third_hospital import DOCS, block, files, mapping
from yilian.demo.processes import until


def commands() -> list[list[str]]:
    """The page's commands, in its order."""
    text = (DOCS / "onboarding.md").read_text("utf-8")
    shells = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for shell in shells for line in shell.splitlines() if line]
    return [shlex.split(line) for line in lines]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_the_page_names_these_steps() -> None:
    assert [" ".join(words[2:4]) for words in commands()] == [
        *("adapter inspect", "adapter inspect", "adapter explain"),
        *("adapter check", "adapter check", "node third.toml"),
        "call http://127.0.0.1:8084/third/NumberSource?wsdl",
    ]


def test_the_walk(tmp_path: Path, yilian: Run) -> None:
    files(tmp_path, date.today())
    before = (tmp_path / "his.db").read_bytes()
    (tmp_path / "his.toml").unlink()
    look, write, explain, check, prove, node, call = (words[2:] for words in commands())

    # 1. Look
    assert "病人档案" in yilian(*look).stdout
    yilian(*write)
    proposed = (tmp_path / "his.toml").read_text("utf-8")
    assert "出诊安排" in proposed
    assert "已存在" in yilian(*write, status=2).stderr  # never overwritten
    assert (tmp_path / "his.toml").read_text("utf-8") == proposed

    # 2. Describe
    (tmp_path / "his.toml").write_text(mapping(), "utf-8")
    port = free_port()
    config = block("node").replace("8084", str(port))
    (tmp_path / "third.toml").write_text(config, "utf-8")

    # 3. Check
    assert "a.出诊日 = :ScheduleDate" in yilian(*explain).stdout
    assert "✗" not in yilian(*check).stdout

    # 4. Prove the writes
    assert "✗" not in yilian(*prove).stdout
    assert (tmp_path / "his.db").read_bytes() == before  # a copy was written to

    # 5. On the air
    running = subprocess.Popen(
        [sys.executable, "-m", "yilian", *node, "--stop-with-stdin"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PROJECT), "PATH": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert until(lambda: answers(port), 30)
        words = [word.replace("8084", str(port)) for word in call]
        words[-1] = f"ScheduleDate={date.today()}"
        slots = json.loads(yilian(*words, "--json").stdout)
        assert [one["ClinicLabel"] for one in slots] == ["0301D01", "0301D02", "0502", "0502D02"]
    finally:
        running.communicate(timeout=30)  # closes its standard input


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as reply:
            return bool(json.load(reply)["status"] == "ok")
    except OSError:
        return False


def test_a_node_with_a_wrong_mapping_does_not_start(tmp_path: Path, yilian: Run) -> None:
    config = files(tmp_path)
    file = tmp_path / "his.toml"
    for wrong in (("出诊安排 a JOIN", "出诊安掉 a JOIN"), ("[fields]", "[fieldz]")):
        file.write_text(mapping().replace(*wrong, 1), "utf-8")
        told = yilian("node", config.name, status=2).stderr
        assert "his.toml" in told
        assert "行" in told
        assert wrong[1].split()[0].strip("[]") in told
