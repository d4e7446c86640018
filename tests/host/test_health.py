"""What a node says of itself: a source that lacks a table is named at start and in /health."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.host.running import running, until
from yilian.config import NodeConfig
from yilian.host import create_app


def _node(tmp_path: Path) -> NodeConfig:
    sqlite3.connect(tmp_path / "empty.db").execute(
        "create table CLINIC_FOR_REGIST (X)"
    ).connection.close()
    return NodeConfig.model_validate(
        {
            "hospital": {"code": "hx", "name": "华夏", "name_en": "Huaxia"},
            "listen": {"port": 8082, "public_url": "http://127.0.0.1:8082"},
            "sources": {
                "his": {
                    "adapter": "junwei",
                    "url": f"sqlite:///{tmp_path}/empty.db",
                    "offers": ["NumberSource"],
                }
            },
        }
    )


def test_a_missing_column_is_told_at_start_and_in_health(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: dict[str, Any] = {}

    def looked() -> bool:
        told.update(requests.get(f"http://127.0.0.1:{node.port}/health", timeout=20).json())
        return told["sources"]["his"]["last_fault"] is not None

    with running(create_app(_node(tmp_path)), None) as node:
        until(looked)
    assert told["status"] == "degraded"
    assert told["sources"]["his"]["failing"] is True
    assert told["sources"]["his"]["last_fault"]["code"] == "SourceError"
    assert "/hx/NumberSource" in told["services"]
    logged = capsys.readouterr().out
    assert "source check" in logged and "CLINIC_INDEX" in logged
