"""The examples in README.md and docs/: TOML is loaded, Python run, commands checked or run.

A TOML block says by its first line which configuration it is (``# node``); a shell block that
begins with ``# needs: demo`` is run against a running alliance, any other is looked at: the
subcommands and options that it names must exist. A Python block that only declares classes is a
sketch of a seam: what it declares must be there in the code. One that names the demo's addresses
is run against a running alliance.
"""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
import typer.main

from gateway_config.model import GatewayConfig
from registry.config import RegistryConfig
from tests.conftest import Alliance
from yilian.cli import app
from yilian.config import NodeConfig, load

PROJECT = Path(__file__).parents[2]
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("**/*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MODELS = {"node": NodeConfig, "registry": RegistryConfig, "gateway": GatewayConfig}
OURS = ("services", "adapters", "registry", "gateway", "gateway_config", "yilian")


@dataclass(frozen=True)
class Example:
    where: str
    language: str
    text: str

    @property
    def first_line(self) -> str:
        return self.text.split("\n", 1)[0]


def examples(*languages: str) -> list[object]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for fence in FENCE.finditer(text):
            line = text.count("\n", 0, fence.start()) + 1
            where = f"{document.relative_to(PROJECT).as_posix()}:{line}"
            if fence[1] in languages:
                found.append(pytest.param(Example(where, fence[1], fence[2]), id=where))
    return found


@pytest.mark.parametrize("example", examples("toml"))
def test_toml(example: Example, tmp_path: Path) -> None:
    tomllib.loads(example.text)
    model = MODELS.get(example.first_line.removeprefix("# "))
    if model is None:
        return
    text = example.text.replace('"scrypt$..."', f'"{HASH}"')
    for name, other in named_files(example.where.partition(":")[0]).items():
        (tmp_path / name).write_text(other, "utf-8")
    file = tmp_path / "example.toml"
    file.write_text(text, "utf-8")
    load(file, model)


def named_files(document: str) -> dict[str, str]:
    """A document's TOML blocks that begin with a file's name, as ``# his.toml``: what another
    block of it refers to."""
    fences = FENCE.finditer((PROJECT / document).read_text("utf-8"))
    texts = [fence[2] for fence in fences if fence[1] == "toml"]
    names = [re.match(r"# (\S+\.toml)\n", text) for text in texts]
    return {name[1]: text for name, text in zip(names, texts, strict=True) if name}


HASH = "scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.mark.parametrize("example", examples("python"))
def test_python(example: Example, request: pytest.FixtureRequest) -> None:
    tree = ast.parse(example.text)
    declarations = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    if len(declarations) < len(tree.body):
        text, given = example.text, {"__name__": "example"}
        if "http://127.0.0.1:80" in text:
            # Of its own, since an example may publish and change what it likes.
            breakable: Alliance = request.getfixturevalue("breakable")
            text, given = here(text, breakable), given | given_names(breakable)
        exec(compile(text, example.where, "exec"), given)
        return
    missing = [name for node in declarations for name in names(node) if name not in declared()]
    assert not missing, f"{example.where} tells of what is not there"


def here(text: str, alliance: Alliance) -> str:
    """The text with the documents' ports (gateway 8080, registry, nodes) as they are here."""
    for offset, port in enumerate(alliance.plan.ports):
        text = text.replace(f"http://127.0.0.1:{8080 + offset}", f"http://127.0.0.1:{port}")
    return text


def given_names(alliance: Alliance) -> dict[str, Any]:
    """What an example of publishing may take for granted: hx and its LabResults."""
    outside = alliance.plan.address(alliance.hx, "LabResults")
    return {
        "password": (alliance.plan.folder / "hx.password").read_text().strip(),
        "outside_address": outside,
        "inside_address": f"{alliance.plan.node(alliance.hx)}/hx/LabResults",
        "wsdl": requests.get(f"{outside}?wsdl", timeout=10).content,
    }


def names(node: ast.AST) -> list[str]:
    assert isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    if not isinstance(node, ast.ClassDef):
        return [node.name]
    members = [
        one.target.id if isinstance(one, ast.AnnAssign) else one.name  # type: ignore[union-attr]
        for one in node.body
        if isinstance(one, ast.AnnAssign | ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [node.name, *(f"{node.name}.{member}" for member in members)]


@cache
def declared() -> frozenset[str]:
    found = set()
    for folder in OURS:
        for module in (PROJECT / folder).rglob("*.py"):
            for node in ast.parse(module.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    found.update(names(node))
                if isinstance(node, ast.ClassDef):
                    found.update(assigned(node))
    return frozenset(found)


def assigned(node: ast.ClassDef) -> list[str]:
    """Attributes that are set on self, which a sketch shows as a member."""
    return [
        f"{node.name}.{one.attr}"
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute)
        and isinstance(one.ctx, ast.Store)
        and isinstance(one.value, ast.Name)
        and one.value.id == "self"
    ]


@pytest.mark.parametrize("example", examples("sh", "bash"))
def test_shell(example: Example, request: pytest.FixtureRequest) -> None:
    subprocess.run(["bash", "-n"], input=example.text, text=True, check=True)
    if example.first_line == "# needs: demo":
        alliance: Alliance = request.getfixturevalue("alliance")
        run(example, alliance)
        return
    for words in commands(example):
        if words[0] == "./run":
            assert f"\n    {words[1]})" in (PROJECT / "run").read_text(), words
        if words[:2] == ["./run", "yilian"]:
            known = options_of(words[2:])
            unknown = {word for word in words[3:] if word.startswith("--")} - known - {"--help"}
            assert not unknown, f"{example.where}: yilian {words[2]} has no {unknown}"


def run(example: Example, alliance: Alliance) -> None:
    for words in commands(example):
        assert words[:2] == ["./run", "yilian"], f"{example.where}: {words}"
        arguments = [here(word, alliance) for word in words[2:]]
        done = subprocess.run(
            [sys.executable, "-m", "yilian", *arguments],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, f"{example.where}: {shlex.join(words)}\n{done.stderr}"


def commands(example: Example) -> list[list[str]]:
    lines = example.text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def options_of(words: list[str]) -> set[str]:
    """Of a subcommand, or of one of a group's, at whatever depth."""
    command: Any = typer.main.get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    for word in words[1:]:
        if not hasattr(command, "commands"):
            break
        command = command.commands[word]
    return {option for parameter in command.params for option in parameter.opts}


def test_there_are_examples_of_every_kind() -> None:
    assert examples("toml") and examples("python") and examples("sh")
