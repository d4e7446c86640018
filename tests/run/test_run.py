"""./run on machines of all kinds: a copy of it in a folder of its own, with a tiny project.

The copy's requirement is a wheel made here, so that a real venv and a real pip need no network.
"""

from __future__ import annotations

import itertools
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MAIN = "import os, sys, tiny; print(tiny.VERSION, os.getcwd(), *sys.argv[1:], sep='\\n')"


def wheel(folder: Path, version: str) -> None:
    name = f"tiny-{version}"
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as made:
        made.writestr("tiny.py", f"VERSION = '{version}'")
        info = f"{name}.dist-info"
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}")
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        made.writestr(f"{info}/RECORD", "")


def require(project: Path, line: str) -> None:
    (project / "setup.cfg").write_text(
        f"[options]\ninstall_requires =\n    {line}\n[options.extras_require]\ntest =\n    # none\n"
    )


def copy(folder: Path) -> Path:
    """A project with ./run as it is, and a ``yilian`` that shows how it was called."""
    (folder / "yilian").mkdir(parents=True)
    shutil.copy2(PROJECT / "run", folder)
    shutil.copy2(PROJECT / "yilian/environment.py", folder / "yilian")
    (folder / "yilian/__init__.py").write_text("")
    (folder / "yilian/__main__.py").write_text(MAIN)
    wheels = folder / "wheels"
    wheels.mkdir()
    wheel(wheels, "1.0")
    wheel(wheels, "2.0")
    require(folder, "tiny==1.0")
    return folder


def run(
    project: Path, *arguments: str, env: Mapping[str, str] | None = None, **options: object
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(project / "run"), *arguments],
        env=environment(project) | (env or {}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        **options,  # type: ignore[call-overload]
    )


def environment(project: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(project),
        "LC_ALL": "C",
        "YILIAN_PYTHON": getattr(sys, "_base_executable", sys.executable),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": (project / "wheels").as_uri(),
        "PIP_CONFIG_FILE": os.devnull,
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy whose environment is complete, in a folder of a difficult name."""
    made = copy(tmp_path_factory.mktemp("run") / "医联 with  spaces")
    first = run(made, "yilian", "first")
    assert first.returncode == 0, first.stderr
    assert "✓ 建立环境" in first.stderr
    assert "✓ 安装依赖" in first.stderr
    assert "\x1b" not in first.stderr and "\r" not in first.stderr
    return made


def test_arguments_and_folder_reach_the_command_as_they_are(project: Path, tmp_path: Path) -> None:
    done = run(project, "yilian", "two words", "*", "医联", cwd=tmp_path)
    assert done.stdout.splitlines() == ["1.0", str(tmp_path), "two words", "*", "医联"]
    assert done.stderr == ""


def test_a_link_to_run_finds_the_project(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project / "run")
    done = subprocess.run(
        [tmp_path / "link", "yilian"], env=environment(project), capture_output=True, text=True
    )
    assert done.stdout.startswith("1.0")


def test_changed_requirements_are_installed_and_nothing_else_is_done(project: Path) -> None:
    require(project, "tiny==2.0")
    done = run(project, "yilian")
    assert done.stdout.startswith("2.0")
    assert "建立环境" not in done.stderr
    require(project, "tiny==1.0")
    assert run(project, "yilian").stdout.startswith("1.0")
    assert run(project, "yilian").stderr == ""


def test_an_interrupted_install_is_repaired(project: Path) -> None:
    (venv,) = (path.parent for path in project.glob(".venv/*/yilian-stamp.json"))
    (venv / "yilian-stamp.json").unlink()
    shutil.rmtree(next(venv.glob("lib/python*/site-packages/pip")))
    done = run(project, "yilian")
    assert done.stdout.startswith("1.0"), done.stderr
    assert "建立环境" in done.stderr


def test_an_environment_whose_python_is_gone_is_made_again(project: Path) -> None:
    (python,) = project.glob(".venv/*/bin/python")
    python.unlink()
    python.symlink_to("/nonexistent/python")
    assert run(project, "yilian").stdout.startswith("1.0")


def test_two_at_once_share_one_environment(tmp_path: Path) -> None:
    made = copy(tmp_path / "two")
    both = [
        subprocess.Popen(
            [str(made / "run"), "yilian"],
            env=environment(made),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for _ in range(2)
    ]
    outputs = [process.communicate() for process in both]
    assert [output.split("\n")[0] for output, _ in outputs] == ["1.0", "1.0"], outputs
    assert sum("✓ 安装依赖" in errors for _, errors in outputs) == 1


def test_a_bar_moves_on_a_terminal(tmp_path: Path) -> None:
    made = copy(tmp_path / "tty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(made / "run"), "yilian"], env=environment(made), stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while chunk := read(ours):
        shown += chunk
    assert process.wait() == 0
    assert "\r  建立环境".encode() in shown
    assert "━".encode() in shown


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's end of file of a terminal
        return b""


# --- what is wrong with the machine: one clear sentence each ---------------------------------


def refusal(done: subprocess.CompletedProcess[str], code: int = 3) -> str:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert "✗" in done.stderr
    return done.stderr


def bare(project: Path, **pythons: str) -> dict[str, str]:
    """PATH with nothing but what every Debian has, and the pythons given as shell scripts."""
    folder = project / "bin"
    folder.mkdir()
    for tool in ("sh", "dirname", "readlink", "cat"):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    for name, script in pythons.items():
        file = folder / name.replace("_", ".")
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    return {"PATH": str(folder), "YILIAN_PYTHON": "", "PYENV_ROOT": str(project / "none")}


def pretending(lines: str) -> str:
    """A Python that runs ./run's own probe, after these lines."""
    return f'exec "{sys.executable}" -I -c "{lines}; import sys; exec(sys.argv[1])" "$3"'


def test_no_python(tmp_path: Path) -> None:
    made = copy(tmp_path / "p")
    said = refusal(run(made, "demo", env=bare(made)))
    assert "没有找到 Python" in said
    assert "apt-get install python3 python3-venv" in said


def test_help_needs_no_python(tmp_path: Path) -> None:
    made = copy(tmp_path / "p")
    done = run(made, "--help", env=bare(made))
    assert done.returncode == 0
    for command in ("demo", "test", "lint", "yilian"):
        assert f"\n  {command} " in done.stdout


def test_wrong_versions_are_named(tmp_path: Path) -> None:
    made = copy(tmp_path / "p")
    old = pretending("import sys; sys.version_info = (3, 9, 18)")
    said = refusal(run(made, "demo", env=bare(made, python3=old)))
    assert "python3 = 3.9" in said
    assert "3.11, 3.12, 3.13" in said


def test_a_missing_venv_package_is_named(tmp_path: Path) -> None:
    made = copy(tmp_path / "p")
    without = pretending("import sys; sys.modules['ensurepip'] = None")
    said = refusal(run(made, "demo", env=bare(made, python3=without)))
    assert "apt-get install python3-venv" in said
    assert "python{}.{}-venv".format(*sys.version_info[:2]) in said


def test_a_python_that_does_not_run_is_passed_over(project: Path) -> None:
    good = f'exec "{sys.executable}" "$@"'
    env = bare(project, python3="exit 127", python3_12=good)
    assert run(project, "yilian", env=env).stdout.startswith("1.0")


def test_a_chosen_python_that_does_not_run(tmp_path: Path) -> None:
    made = copy(tmp_path / "p")
    said = refusal(run(made, "demo", env={"YILIAN_PYTHON": "/nonexistent"}))
    assert "YILIAN_PYTHON=/nonexistent" in said


def test_no_network(tmp_path: Path) -> None:
    made = copy(tmp_path / "p")
    require(made, "tiny==3.0")
    nowhere = {"PIP_NO_INDEX": "", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    said = refusal(run(made, "demo", env=nowhere))
    assert "PIP_INDEX_URL" in said


def test_a_failed_install_is_told_with_pips_reason_and_repaired_later(tmp_path: Path) -> None:
    made = copy(tmp_path / "p")
    require(made, "tiny==3.0")
    assert "No matching distribution found for tiny==3.0" in refusal(run(made, "yilian"))
    require(made, "tiny==2.0")
    assert run(made, "yilian").stdout.startswith("2.0")


def test_an_unwritable_folder(tmp_path: Path) -> None:
    made = copy(tmp_path / "p")
    made.chmod(0o555)
    options: dict[str, object] = {}
    if os.geteuid() == 0:  # root may write anywhere
        options = {"user": 65534, "group": 65534, "extra_groups": []}
        shared = Path(tempfile.gettempdir())
        for folder in itertools.takewhile(lambda one: one != shared, [tmp_path, *tmp_path.parents]):
            folder.chmod(0o755)
        env = {"YILIAN_PYTHON": "/usr/bin/python3"}
        if run(made, "yilian", env=env, **options).stderr.count("YILIAN_PYTHON"):
            pytest.skip("no Python that another user may run")
    else:
        env = {}
    said = refusal(run(made, "yilian", env=env, **options))
    made.chmod(0o755)
    assert str(made / ".venv") in said
    assert "Permission denied" in said


def test_an_unknown_command(tmp_path: Path) -> None:
    assert "./run --help" in refusal(run(copy(tmp_path / "p"), "dmo"), code=2)
