"""./run demo as a user meets it: the walk, the addresses, the end, and what can go wrong."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import PROJECT, SCALE, Data, four_free_ports, linked
from yilian.demo.plan import Plan
from yilian.demo.processes import healthy, until
from yilian.demo.walk import Walk
from yilian.screen import Screen

STEPS = ("1 发布 publish", "2 查找 find", "3 绑定 bind", "4 调用 invoke")


@pytest.fixture
def folder(data: Data, tmp_path: Path) -> Path:
    """Where the databases are made already."""
    return linked(data, tmp_path / "医联 demo")


def command(folder: Path, port: int, *more: str) -> list[str]:
    made = ["--folder", str(folder), "--port", str(port), "--scale", str(SCALE), "--seed", "7"]
    return [sys.executable, "-P", "-m", "yilian", "demo", *made, *more]


def once(folder: Path, port: int, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(folder, port, "--once"),
        env={**os.environ, "PYTHONPATH": str(PROJECT), **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@contextmanager
def staying(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The demo after its walk, and what it has printed up to the last line."""
    process = subprocess.Popen(
        command(folder, port),
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        assert process.poll() is None, printed
        yield process, printed
    finally:
        process.kill()
        process.wait()


def test_once_walks_every_step_and_ends_with_0(folder: Path) -> None:
    done = once(folder, four_free_ports())
    assert done.returncode == 0, done.stdout + done.stderr
    for step in STEPS:
        assert step in done.stdout
    assert "✗" not in done.stdout
    assert "\x1b" not in done.stdout, "control codes where there is no terminal"
    assert done.stderr == ""


@pytest.mark.parametrize(
    "env", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "gbk"}]
)
def test_any_locale_can_show_it(folder: Path, env: dict[str, str]) -> None:
    done = subprocess.run(
        command(folder, four_free_ports(), "--once"),
        env={**os.environ, "PYTHONPATH": str(PROJECT), **env},
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_behind(folder: Path, number: signal.Signals) -> None:
    port = four_free_ports()
    with staying(folder, port) as (process, printed):
        pids = [int(pid) for pid in re.findall(r"pid (\d+)", printed)]
        assert len(pids) == 4
        assert all(map(alive, pids))
        process.send_signal(number)
        assert process.wait(20) == (-number if number == signal.SIGKILL else 0)
    assert until(lambda: not any(map(alive, pids)), 20)
    with socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", port)) != 0


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # a zombie whose parent was killed is init's to collect


def test_the_curl_line_works_as_it_stands_and_the_addresses_answer(folder: Path) -> None:
    with staying(folder, four_free_ports()) as (_, printed):
        (line,) = (line for line in printed.splitlines() if line.startswith("curl "))
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "<getlabmasterResult>" in done.stdout
        assert done.stdout.count("?") >= 5
        urls = re.findall(r"http://\S+(?:/health|\?wsdl|\d/)(?=\s)", printed)
        assert len(set(urls)) >= 10
        assert [url for url in urls if not healthy(url)] == []


def test_a_process_that_dies_is_told_with_its_last_words(folder: Path) -> None:
    with staying(folder, four_free_ports()) as (process, printed):
        found = re.search(r"gateway.*pid (\d+)", printed)
        assert found
        os.kill(int(found[1]), signal.SIGKILL)
        rest = process.communicate(timeout=20)[0]
        assert process.returncode == 1
    assert "gateway" in rest and "已退出" in rest and "gateway.log" in rest


@pytest.mark.parametrize("offset", [0, 1, 3])
def test_a_busy_port_is_one_sentence(folder: Path, offset: int) -> None:
    port = four_free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + offset))
        taken.listen()
        done = once(folder, port)
    assert done.returncode == 2
    assert f"端口 {port + offset} 不可用" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_step_that_fails_is_named_and_the_status_says_so(tmp_path: Path, data: Data) -> None:
    nowhere = Plan(tmp_path, four_free_ports(), data[1])
    failed = Walk(nowhere, Screen(), date.today()).all_steps()
    assert failed == list(STEPS)
