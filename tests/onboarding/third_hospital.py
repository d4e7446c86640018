"""The third hospital as docs/onboarding.md brings it in: its mapping and its configuration."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, make_url

from adapters import ADAPTERS
from adapters.config import SourceConfig
from adapters.database import Source
from adapters.mapped import Mapped
from tests.onboarding.third_his import build

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 9, 0)
DOCS = Path(__file__).parents[2] / "docs"
OFFERS = ["NumberSource", "Patients", "Registration", "LabResults"]


def block(first_line: str, document: str = "onboarding.md") -> str:
    """The TOML block of a document that begins with this line, without it."""
    text = (DOCS / document).read_text("utf-8")
    found = re.search(rf"```toml\n# {re.escape(first_line)}\n(.*?)```", text, re.DOTALL)
    assert found, first_line
    return found[1]


def mapping() -> str:
    return block("his.toml")


def files(folder: Path, today: date = TODAY, **size: int) -> Path:
    """his.db, his.toml and the node's third.toml in a folder; the last one's path."""
    build(folder / "his.db", today, **size)
    (folder / "his.toml").write_text(mapping(), "utf-8")
    config = folder / "third.toml"
    config.write_text(block("node"), "utf-8")
    return config


def open_mapped(
    folder: Path,
    text: str | None = None,
    offers: list[str] | None = None,
    clock: Callable[[], datetime] = lambda: NOW,
    **changes: Any,
) -> Mapped:
    """The adapter over ``folder``/his.db with a mapping; the caller closes its source."""
    file = folder / "his.toml"
    if text is not None:
        file.write_text(text, "utf-8")
    given = {
        **{"adapter": "mapped", "url": f"sqlite:///{folder / 'his.db'}", "read_only": False},
        **{"offers": offers or OFFERS, "settings": {"mapping_file": str(file)}},
    }
    config = SourceConfig.model_validate({**given, **changes})
    source = Source("his", "third", config)
    try:
        made = ADAPTERS["mapped"](source, config.settings, clock)  # type: ignore[call-arg]
    except ValueError:
        source.close()
        raise
    assert isinstance(made, Mapped)
    return made


#: what is otherwise in a database's own SQL
DIALECT = {
    "postgresql": (),
    "mariadb": (("a.科室号 || COALESCE(a.工号, '')", "CONCAT(a.科室号, COALESCE(a.工号, ''))"),),
}


def server_config(
    folder: Path, url: str | URL, change: Callable[[str], str] = lambda text: text
) -> SourceConfig:
    """The configuration of the third hospital on a server; its mapping, changed, is put into the
    folder."""
    written = change(mapping())
    for here, there in DIALECT[make_url(url).get_backend_name()]:
        assert here in written
        written = written.replace(here, there)
    file = folder / "server.toml"
    file.write_text(written, "utf-8")
    return SourceConfig.model_validate(
        {
            **{"adapter": "mapped", "url": url, "read_only": False, "offers": OFFERS},
            "settings": {"mapping_file": str(file)},
        }
    )


def open_on_server(
    folder: Path, url: str | URL, change: Callable[[str], str] = lambda text: text
) -> Mapped:
    """The adapter over it; the caller closes its source."""
    config = server_config(folder, url, change)
    made = ADAPTERS["mapped"](  # type: ignore[call-arg]
        Source("his", "third", config), config.settings, lambda: NOW
    )
    assert isinstance(made, Mapped)
    return made
