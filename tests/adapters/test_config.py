"""The configuration of a source, and that docs/adapters.md tells of every key of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters import ADAPTERS
from adapters.config import SourceConfig
from services.catalogue import CONTRACTS

DOCS = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text("utf-8")


def config(**changes: Any) -> SourceConfig:
    given = {"adapter": "junwei", "url": "sqlite:////data/hx.db", "offers": ["NumberSource"]}
    return SourceConfig.model_validate({**given, **changes})


def problem(**changes: Any) -> tuple[tuple[Any, ...], str]:
    """Where the one problem is, with the way that the check itself tells, and its message."""
    with pytest.raises(ValidationError) as caught:
        config(**changes)
    (error,) = caught.value.errors()
    cause = error.get("ctx", {}).get("error")
    return (*error["loc"], *getattr(cause, "where", ())), error["msg"]


def test_defaults() -> None:
    made = config()
    assert (made.pool_size, made.queue_length, made.read_only) == (4, 64, True)
    assert made.settings == {}
    assert made.url.database == "/data/hx.db"


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"adapter": "juniwei"}, ("adapter",), ["juniwei", "junwei", "bsoft_lis"]),
        ({"offers": ["LabResult"]}, ("offers", 0), ["LabResult", "NumberSource"]),
        ({"offers": ["NumberSource"] * 2}, ("offers", 1), ["twice"]),
        ({"offers": []}, ("offers",), []),
        ({"adapter": "bsoft", "offers": ["LabResults"]}, ("offers", 0), ["NumberSource"]),
        ({"url": "hx.db"}, ("url",), ["sqlite:///hx.db"]),
        ({"url": "sqlite://"}, ("url",), ["sqlite:///hx.db"]),
        ({"url": "firebird://u:secret@db/x"}, ("url",), ["firebird", "sqlite"]),
        ({"url": "postgresql+psycopg2://u:secret@db/x"}, ("url",), ["postgresql+psycopg,"]),
        ({"url": "mssql://u:secret@db/x"}, ("url",), ["driver=FreeTDS"]),
        ({"url": "oracle://u:secret@db/x?service_name=y"}, ("url",), ["SID"]),
        ({"text_encoding": "gbk"}, ("text_encoding",), ["SQL_ASCII"]),
        ({"text_encoding": "big5"}, ("text_encoding",), []),
        ({"pool_size": 0}, ("pool_size",), []),
        ({"queue_length": -1}, ("queue_length",), []),
        ({"statement_timeout_seconds": 0}, ("statement_timeout_seconds",), []),
        ({"poolsize": 4}, ("poolsize",), []),
        ({"settings": {"curent_no": "next"}}, ("settings", "curent_no"), ["current_no"]),
        ({"settings": {"current_no": "first"}}, ("settings", "current_no"), ["next", "last"]),
        ({"settings": {"remote_flag": "REMOTE"}}, ("settings", "remote_flag"), []),
        ({"settings": {"shifts": {"上午": "5"}}}, ("settings", "shifts", "上午"), []),
    ],
)
def test_what_is_refused(changes: Any, where: tuple[Any, ...], words: list[str]) -> None:
    found, message = problem(**changes)
    assert found == where
    for word in words:
        assert word in message
    assert "secret" not in message


def test_a_padded_lis_needs_a_width() -> None:
    lis = {"adapter": "bsoft_lis", "offers": ["LabResults"]}
    where, message = problem(**lis, settings={"char_padding": "bytes"})
    assert where[0] == "settings"
    assert "key_width" in message
    config(**lis, settings={"char_padding": "bytes", "key_width": 16})


@pytest.mark.parametrize("columns", [{"Nmae": "X"}, {"TestNo": ""}])
def test_columns_of_a_lis(columns: dict[str, str]) -> None:
    where, _ = problem(
        adapter="bsoft_lis", offers=["LabResults"], settings={"sample_columns": columns}
    )
    assert where[:2] == ("settings", "sample_columns")


def test_a_password_is_not_shown() -> None:
    with pytest.raises(ValidationError) as caught:
        config(url="mssql://u:secret@db/x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_adapter_has_a_contract_and_is_documented(name: str) -> None:
    assert any(ADAPTERS[name].implements(contract) for contract in CONTRACTS.values())
    assert f"\n## `{name}`" in DOCS


def keys() -> list[tuple[str, str, Any]]:
    found = [("source", key, field) for key, field in SourceConfig.model_fields.items()]
    for name, adapter in ADAPTERS.items():
        found += [(name, key, field) for key, field in adapter.settings_model.model_fields.items()]
    return found


@pytest.mark.parametrize(("section", "key", "field"), keys(), ids=lambda v: str(v)[:30])
def test_every_setting_is_documented_with_its_default(section: str, key: str, field: Any) -> None:
    parts = re.split(r"^## `?(\w+)`?.*$", DOCS, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    rows = [row for row in sections[section].splitlines() if row.startswith(f"| `{key}` |")]
    assert len(rows) == 1, f"{section}: {key} needs one row"
    default = rows[0].split("|")[2].strip()
    if field.is_required():
        assert default == "—"
    elif not isinstance(field.default, dict | list) or not field.default:
        written = json.dumps(field.get_default(call_default_factory=True), ensure_ascii=False)
        assert default == f"`{written}`"
    else:
        assert default  # a table: told in words
