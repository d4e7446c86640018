"""``yilian codec``: what really runs for an operation can be read."""

from __future__ import annotations

import ast

from typer.testing import CliRunner

from yilian.cli import app


def test_the_generated_source_is_printed() -> None:
    result = CliRunner().invoke(app, ["codec", "NumberSource.QueryNumberSource"])
    assert result.exit_code == 0
    names = {node.name for node in ast.walk(ast.parse(result.stdout)) if hasattr(node, "name")}
    assert {"decode", "encode"} <= names


def test_what_there_is_is_listed() -> None:
    listed = CliRunner().invoke(app, ["codec"]).stdout
    assert "HisService.getlabmaster" in listed and "Ordering.PlaceLabOrder" in listed
