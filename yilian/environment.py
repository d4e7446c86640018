"""The virtual environment of ``./run``: made, installed, repaired. Standard library only.

Run by ``./run`` with the machine's own Python: ``environment.py ROOT run|test``. Prints the path
of the environment's interpreter on standard output, everything else on standard error.

The project itself is not installed: ``./run`` puts its folder on PYTHONPATH. What is installed
are the requirements of setup.cfg, again only when they change. A stamp, written last, says what
is complete; an environment without one was interrupted and is built anew.
"""

from __future__ import annotations

import configparser
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: distributions that pip collects, about; only the bar's length hangs on it
EXPECTED = {"run": 45, "test": 62}

_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|name resolution|Network is unreachable"
    r"|ConnectTimeout|Max retries exceeded|Connection refused|ProxyError|ReadTimeout"
)


class Refused(Exception):
    """One clear sentence, in Chinese and in English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.zh = zh
        self.en = en


class Bar:
    """A progress bar on standard error; plain lines where that is not a terminal."""

    width = 28

    def __init__(self, what: str) -> None:
        self.what = what
        self.tty = sys.stderr.isatty()
        self.started = time.monotonic()
        self._last = ""
        if not self.tty:
            print(f"… {what}", file=sys.stderr, flush=True)

    def show(self, done: float, detail: str = "") -> None:
        """``done`` from 0 to 1."""
        if not self.tty:
            return
        full = round(min(max(done, 0.0), 1.0) * self.width)
        bar = "━" * full + " " * (self.width - full)
        seconds = time.monotonic() - self.started
        line = f"\r  {self.what}  {bar} {seconds:4.0f} s  {detail[:24]:24}"
        if line != self._last:
            sys.stderr.write(line)
            sys.stderr.flush()
            self._last = line

    def end(self, good: bool) -> None:
        seconds = time.monotonic() - self.started
        mark = "✓" if good else "✗"
        start = "\r\033[K" if self.tty else ""
        print(f"{start}{mark} {self.what}  {seconds:.0f} s", file=sys.stderr, flush=True)


def requirements(root: Path, group: str) -> list[str]:
    """The requirement lines of setup.cfg for a group: ``run``, or ``test``, which is both."""
    config = configparser.ConfigParser()
    config.read(root / "setup.cfg", encoding="utf-8")
    text = config["options"]["install_requires"]
    if group == "test":
        text += "\n" + config["options.extras_require"]["test"]
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def stamp(root: Path, group: str) -> dict[str, str]:
    """What a complete environment of that group was built from."""
    content = "\n".join(requirements(root, group))
    return {group: hashlib.sha256(content.encode()).hexdigest()}


def read_stamp(file: Path) -> dict[str, str]:
    """The stamp of what is complete; empty if there is none, or none that can be read."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """One ``./run`` at a time; the kernel lets go of the lock when its holder dies."""
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(
                "… 另一个 ./run 正在准备环境，请稍候 / another ./run is at it; waiting",
                file=sys.stderr,
                flush=True,
            )
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def ensure(root: Path, group: str) -> Path:
    """The interpreter of an environment that holds the group's requirements."""
    if os.pathsep in str(root):
        raise Refused(
            f"文件夹路径中不能有“{os.pathsep}”：{root}。请改名后重试。",
            f"The folder's path must not hold {os.pathsep!r}: {root}. Rename it and try again.",
        )
    folder = root / ".venv" / "{}.{}".format(*sys.version_info[:2])
    python = folder / "bin" / "python"
    file = folder / "yilian-stamp.json"
    wanted = stamp(root, group)
    if wanted.items() <= read_stamp(file).items() and runs(python):
        return python
    folder.parent.mkdir(exist_ok=True)
    with locked(folder.parent / f"{folder.name}.lock"):
        found = read_stamp(file)
        if not found or not runs(python):
            make(folder)
            found = {}
        elif wanted.items() <= found.items():
            return python  # the other ./run did it
        file.unlink(missing_ok=True)  # until the end: incomplete
        if "test" in found and group == "run":
            group, wanted = "test", stamp(root, "test")
        install(python, requirements(root, group), EXPECTED[group])
        complete = wanted if group == "run" else {**stamp(root, "run"), **wanted}
        file.write_text(json.dumps(complete), "utf-8")
    return python


def runs(python: Path) -> bool:
    """Whether it starts and is of our version: the Python it was made from may be gone."""
    code = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True)
    except OSError:
        return False
    return done.stdout.strip() == "{}.{}".format(*sys.version_info[:2])


def make(folder: Path) -> None:
    """A new, empty environment; what stood there goes."""
    bar = Bar("建立环境 / making the environment")
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    done = subprocess.Popen(
        [sys.executable, "-I", "-m", "venv", "--clear", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while done.poll() is None:
        # ensurepip says nothing while it works, which takes some five seconds.
        bar.show((time.monotonic() - bar.started) / 6)
        time.sleep(0.1)
    output = done.stdout.read() if done.stdout else ""
    bar.end(done.returncode == 0)
    if done.returncode:
        version = "{}.{}".format(*sys.version_info[:2])
        raise Refused(
            f"无法建立 Python 环境 {folder}：{last_line(output)}。Debian/Ubuntu 请执行："
            f"apt-get install python3-venv（或 python{version}-venv），然后重试。",
            f"The Python environment {folder} cannot be made: {last_line(output)}. On"
            f" Debian/Ubuntu: apt-get install python3-venv (or python{version}-venv), and"
            " try again.",
        )


def install(python: Path, lines: list[str], expected: int) -> None:
    """pip, with a bar: first what it collects, then what has arrived in site-packages."""
    bar = Bar("安装依赖 / installing")
    command = [str(python), "-I", "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check"]
    if "PIP_RETRIES" not in os.environ:
        command += ["--retries", "2"]
    pip = subprocess.Popen(
        [*command, *lines],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    output: list[str] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.1):
            bar.show(*progress(python, output, expected))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert pip.stdout is not None
    try:
        for line in pip.stdout:
            output.append(line.rstrip())
        pip.wait()
    except BaseException:
        pip.terminate()
        raise
    finally:
        ended.set()
        watcher.join()
    bar.end(pip.returncode == 0)
    if pip.returncode:
        raise refusal("\n".join(output))


def progress(python: Path, output: list[str], expected: int) -> tuple[float, str]:
    """How far pip is, from 0 to 1, and what it is at."""
    for line in reversed(output):
        if line.startswith("Installing collected packages:"):
            total = line.count(",") + 1
            arrived = len(list(python.parent.parent.glob("lib/python*/site-packages/*.dist-info")))
            return 0.6 + 0.4 * arrived / (total + 1), f"{arrived}/{total}"
        if line.startswith("Collecting "):
            collected = sum(one.startswith("Collecting ") for one in output)
            return 0.6 * collected / expected, re.split(r"[<>=!;\[( ]", line[11:])[0]
    return 0.0, ""


def refusal(output: str) -> Refused:
    """What pip's output comes to."""
    if _NO_NETWORK.search(output):
        return Refused(
            "无法连接 Python 软件包仓库。请检查网络或代理，"
            "或用 PIP_INDEX_URL 指定可用的镜像，然后重试。",
            "The Python package index cannot be reached. Check network and proxy, or name a mirror"
            " in PIP_INDEX_URL, then try again.",
        )
    if "No space left on device" in output:
        return Refused("磁盘已满。请清理后重试。", "The disk is full. Make room and try again.")
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    why = "\n    ".join(errors[-3:]) or last_line(output)
    return Refused(
        f"安装依赖失败，pip 的原因如下；处理后重试即可继续：\n    {why}",
        "Installing failed for the reason above that pip gives; put it right and try again.",
    )


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "?"


def main() -> int:
    root, group = Path(sys.argv[1]), sys.argv[2]
    try:
        print(ensure(root, group))
    except Refused as refused:
        print(f"✗ {refused.zh}\n  {refused.en}", file=sys.stderr)
        return 3
    except OSError as error:
        where = error.filename or root
        print(
            f"✗ 无法写入 {where}：{error.strerror}。请检查该文件夹的权限与磁盘空间，"
            "或把项目复制到可写的位置再运行。\n"
            f"  Cannot write {where}: {error.strerror}. Check the folder's permissions and disk"
            " space, or copy the project to a place that you may write to.",
            file=sys.stderr,
        )
        return 3
    except KeyboardInterrupt:
        print(
            "\n✗ 已中断；下次运行会自动修复 / interrupted; the next run repairs it", file=sys.stderr
        )
        return 130
    return 0


if __name__ == "__main__":
    # Messages hold Chinese, whatever the locale says.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    raise SystemExit(main())
