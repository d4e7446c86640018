"""PostgreSQL and MariaDB servers of the tests' own: in a temporary folder, on a free port, run by
somebody who is not root, and gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pymysql

#: what a password may be made of; ODBC's and the URL's own marks among it
PASSWORD = "p{w};@/%:=}' x"
USER = "yilian"


class NotInstalled(Exception):
    """The server's programs are not on this machine."""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


def _children(pid: int) -> list[int]:
    found = []
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += [int(child), *_children(int(child))]
    return found


def _tasks(pid: int) -> list[Path]:
    """The folders of a process's threads; none where it is gone, or the system has no /proc."""
    with suppress(OSError):
        return list(Path(f"/proc/{pid}/task").iterdir())
    return []


def _state(task: Path) -> str:
    """A thread's state as the system's one letter: X where it is gone."""
    with suppress(OSError):
        return (task / "stat").read_text("ascii", "replace").rpartition(") ")[2][0]
    return "X"


class Server(ABC):
    """One server. ``start`` and ``stop`` may be called again and again."""

    name: str

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"yilian-{self.name}-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.user = self._owner()
        if self.user:
            shutil.chown(self.folder, self.user)

    def _owner(self) -> str:
        """Who runs it where we are root, which both servers refuse or should."""
        if os.geteuid() != 0:
            return ""
        for one in (self.name, "nobody"):
            with suppress(KeyError):
                return pwd.getpwnam(one).pw_name
        raise NotInstalled("no user to run a server as")

    def run(self, *command: str) -> None:
        done = subprocess.run(
            command, capture_output=True, cwd=self.folder, user=self.user or None, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self.user or None,
                start_new_session=True,
            )
        until(self._answers, 120)  # it may have much to recover

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text("utf-8", "replace")
        try:
            self.administrator().close()
        except (psycopg.OperationalError, pymysql.err.OperationalError):
            return False
        return True

    def send(self, number: int) -> None:
        """To the server and everything that it began; PostgreSQL's are groups of their own."""
        assert self._process is not None
        pids = [self._process.pid, *_children(self._process.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGSTOP:  # a thread that is at work on another core stops a bit later
            until(lambda: all(_state(task) in "TtXZ" for pid in pids for task in _tasks(pid)))

    def stop(self, number: int = signal.SIGKILL) -> None:
        """SIGKILL: as when the power goes."""
        if self._process is not None:
            self.send(signal.SIGCONT)
            self.send(number)
            self._process.wait(60)
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def do(self, *statements: str, database: str = "") -> None:
        connection = self.administrator(database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
        finally:
            connection.close()

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        connection = self.administrator()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def administrator(self, database: str = "") -> Any:
        """A connection that may do everything, by the driver itself; every statement commits."""

    @abstractmethod
    def database(self, options: str = "") -> str:
        """The name of a new, empty database that USER owns."""

    @abstractmethod
    def connections(self) -> int:
        """How many of USER's connections are open."""

    @abstractmethod
    def kill_connections(self) -> None:
        """End every connection of USER's."""


class PostgreSQL(Server):
    name = "postgres"

    def __init__(self) -> None:
        super().__init__()
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        if not found:
            raise NotInstalled("PostgreSQL")
        self._bin = found[-1]
        data = str(self.folder / "data")
        options = ("-U", "admin", "--auth", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
        self.run(str(self._bin / "initdb"), "-D", data, *options)
        hba = "local all all trust\nhost all admin all trust\nhost all all all scram-sha-256\n"
        (self.folder / "data" / "pg_hba.conf").write_text(hba)
        self.start()
        quoted = PASSWORD.replace("'", "''")
        self.do(f"CREATE USER {USER} PASSWORD '{quoted}'")

    def command(self) -> list[str]:
        settings = {
            **{"port": self.port, "listen_addresses": "127.0.0.1", "max_connections": 200},
            **{"unix_socket_directories": self.folder, "shared_buffers": "32MB"},
            # These servers are killed and the machine is not. With fsync a server that comes back
            # first syncs every file of the hundred databases of a whole run.
            "fsync": "off",
        }
        given = [f"-c{key}={value}" for key, value in settings.items()]
        return [str(self._bin / "postgres"), "-D", str(self.folder / "data"), *given]

    def administrator(self, database: str = "") -> Any:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="admin",
            dbname=database or "postgres",
            autocommit=True,
            connect_timeout=5,
        )

    def database(self, options: str = "") -> str:
        self._databases += 1
        name = f"his{self._databases}"
        self.do(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE template0 {options}")
        return name

    def connections(self) -> int:
        query = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{USER}'"
        return int(self.ask(query)[0][0])

    def kill_connections(self) -> None:
        self.do(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + USER + "'"
        )


class MariaDB(Server):
    name = "mysql"

    def __init__(self) -> None:
        super().__init__()
        program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
        install = shutil.which("mariadb-install-db")
        if program is None or install is None:
            raise NotInstalled("MariaDB")
        self._program = program
        self.run(
            *(install, "--no-defaults", f"--datadir={self.folder / 'data'}", "--skip-test-db"),
            *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
        )
        self.start()
        quoted = PASSWORD.replace("'", "''")
        for host in ("localhost", "127.0.0.1"):
            self.do(f"CREATE USER {USER}@'{host}' IDENTIFIED BY '{quoted}'")

    def command(self) -> list[str]:
        return [
            *(self._program, "--no-defaults", f"--datadir={self.folder / 'data'}"),
            *(f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve"),
            *(f"--socket={self.folder / 'socket'}", f"--pid-file={self.folder / 'pid'}"),
            *("--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M"),
            *("--innodb-flush-log-at-trx-commit=1", "--character-set-server=utf8mb4"),
            "--max-connections=200",
        ]

    def administrator(self, database: str = "") -> Any:
        return pymysql.connect(
            unix_socket=str(self.folder / "socket"),
            user="root",
            database=database or None,
            autocommit=True,
            connect_timeout=5,
            read_timeout=10,
        )

    def database(self, options: str = "") -> str:
        self._databases += 1
        name = f"his{self._databases}"
        self.do(f"CREATE DATABASE {name} {options}")
        for host in ("localhost", "127.0.0.1"):
            self.do(f"GRANT ALL ON {name}.* TO {USER}@'{host}'")
        return name

    def _threads(self) -> list[int]:
        query = f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{USER}'"
        return [int(row[0]) for row in self.ask(query)]

    def connections(self) -> int:
        return len(self._threads())

    def kill_connections(self) -> None:
        for thread in self._threads():
            with suppress(pymysql.err.OperationalError):  # it ended by itself
                self.do(f"KILL {thread}")
