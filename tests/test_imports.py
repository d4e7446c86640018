"""Who may import whom: the direction of docs/architecture.md as a table."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]

#: a folder, and those of ours that it may import besides itself
MAY_IMPORT = {
    "services": set(),
    "gateway_config": set(),
    "adapters": {"services"},
    "registry": {"services"},
    "gateway": {"services", "gateway_config"},
    "yilian": {"services", "adapters", "registry", "gateway", "gateway_config"},
}

#: a library, and the only modules that may import it
ONLY_IN = {
    "spyne": {"services/soap/wsdl.py", "services/soap/spyne_import.py"},
    "zeep": {"yilian/soap_client.py"},
}

#: what is run by a Python without our requirements
STANDARD_LIBRARY_ONLY = ("yilian/environment.py",)


def modules(folder: str) -> Iterator[Path]:
    return (PROJECT / folder).rglob("*.py")


def imports(module: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level name of every import, also of those inside functions."""
    tree = ast.parse(module.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name.partition(".")[0]) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute here"
            yield node.lineno, str(node.module).partition(".")[0]


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_it_may(folder: str) -> None:
    forbidden = MAY_IMPORT.keys() - MAY_IMPORT[folder] - {folder}
    found = [
        f"{module.relative_to(PROJECT)}:{line} imports {name}"
        for module in modules(folder)
        for line, name in imports(module)
        if name in forbidden or name in ("tests", "bench")
    ]
    assert not found


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_imported_at_one_place(library: str) -> None:
    found = {
        module.relative_to(PROJECT).as_posix()
        for folder in MAY_IMPORT
        for module in modules(folder)
        for _, name in imports(module)
        if name == library
    }
    assert found, f"nothing imports {library}: is this row still true?"
    assert found <= ONLY_IN[library]


@pytest.mark.parametrize("path", STANDARD_LIBRARY_ONLY)
def test_what_runs_before_anything_is_installed(path: str) -> None:
    assert {name for _, name in imports(PROJECT / path)} <= sys.stdlib_module_names


def test_every_folder_of_ours_is_in_the_table_and_in_the_package_list() -> None:
    config = configparser.ConfigParser()
    config.read(PROJECT / "setup.cfg", encoding="utf-8")
    listed = set(config["options"]["packages"].split())
    found = {
        path.parent.relative_to(PROJECT).as_posix().replace("/", ".")
        for folder in MAY_IMPORT
        for path in (PROJECT / folder).rglob("__init__.py")
    }
    assert listed == found


#: an import whose package is named otherwise, or comes with another one that we require
COMES_WITH = {"anyio": "starlette", "requests": "zeep", "markupsafe": "jinja2"}
NAMED = {"prometheus_client": "prometheus-client"}


def test_what_runs_in_production_is_required_there() -> None:
    """Also what only a bench or a test needed once: those have requirements of their own."""
    config = configparser.ConfigParser()
    config.read(PROJECT / "setup.cfg", "utf-8")
    lines = config["options"]["install_requires"].splitlines()
    required = {re.split(r"[\[<>=; ]", line.strip())[0] for line in lines} - {""}
    found = {
        name for folder in MAY_IMPORT for module in modules(folder) for _, name in imports(module)
    }
    foreign = found - sys.stdlib_module_names - MAY_IMPORT.keys()
    needed = {NAMED.get(COMES_WITH.get(name, name), COMES_WITH.get(name, name)) for name in foreign}
    assert needed <= required
