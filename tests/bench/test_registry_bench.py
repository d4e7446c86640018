"""The registry's benchmark fills, asks and publishes. What its table says is not tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import registry
from bench.catalogue import cases


def test_every_inquiry_and_publication_has_its_figures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "QUICK", (39,))
    monkeypatch.setattr(registry, "RESULTS", tmp_path)
    registry.main(["--quick", "--save"])
    table = capsys.readouterr().out
    assert (tmp_path / "registry.txt").read_text("utf-8") == table
    raw = json.loads((tmp_path / "registry.json").read_text("utf-8"))
    [size] = raw["sizes"]
    assert (size["bindings"], size["hospitals"]) == (39, 3)
    assert {case.name for case in cases()} == size["inquiries"].keys()
    assert all(len(one["milliseconds"]) == 3 for one in size["inquiries"].values())
    assert all(len(one) == 3 for one in size["publishing"].values())
    assert size["memory_megabytes"]["asked"]["now"] > 10
    for name in (*size["inquiries"], *size["publishing"]):
        assert name in table
