"""Makes ``import spyne`` work on Python 3.12 and 3.13.

Spyne 2.14.0 ships an old copy of six, whose importer of ``six.moves`` has no ``find_spec``; since
3.12 nothing else is asked. That copy is loaded first, under its own name, and its importer given
one. (3.13 also lacks ``cgi``: the package legacy-cgi in setup.cfg brings it back.)
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


def prepare() -> None:
    """Must run before the first ``import spyne``; does nothing where nothing is to be done."""
    if sys.version_info < (3, 12) or "spyne.util.six" in sys.modules:
        return
    spyne = importlib.util.find_spec("spyne")  # finds the package without running it
    if spyne is None or spyne.origin is None:
        raise ImportError("spyne is not installed; run: pip install spyne==2.14.0")
    path = Path(spyne.origin).parent / "util" / "six.py"
    spec = importlib.util.spec_from_file_location("spyne.util.six", path)
    assert spec is not None and spec.loader is not None
    six = importlib.util.module_from_spec(spec)
    sys.modules["spyne.util.six"] = six
    spec.loader.exec_module(six)
    importer: Any = six._SixMetaPathImporter

    def find_spec(self: Any, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        known = name in self.known_modules
        return importlib.util.spec_from_loader(name, self) if known else None

    def create_module(self: Any, spec: ModuleSpec) -> ModuleType:
        module: ModuleType = self.load_module(spec.name)
        return module

    def exec_module(self: Any, module: ModuleType) -> None:
        """load_module has already run it."""

    importer.find_spec = find_spec
    importer.create_module = create_module
    importer.exec_module = exec_module
