"""docs/pacs.md tells of every setting with its default, and of links that are accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from adapters.orthanc.settings import OrthancSettings

TEXT = (Path(__file__).parents[3] / "docs" / "pacs.md").read_text("utf-8")


def section(title: str) -> list[list[str]]:
    """The rows of the tables below a heading."""
    text = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    (found,) = [part for part in text if part.startswith(title)]
    rows = [line.strip("|").split("|") for line in found.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def test_every_setting_with_its_default() -> None:
    told = {row[0].strip("`"): row[1] for row in section("`orthanc`")}
    made = OrthancSettings()
    assert told == {
        name: f"`{json.dumps(getattr(made, name), ensure_ascii=False)}`"
        for name in OrthancSettings.model_fields
    }


LINKS = re.findall(r"^\| [^|]+ \| `(\{base\}[^`]+)` \|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("link", LINKS)
def test_links_are_accepted(link: str) -> None:
    settings = OrthancSettings.model_validate({"link": link, "link_base": "http://v.example/"})
    assert settings.links.startswith("http://v.example/") and "{base}" not in settings.links


def test_there_are_links() -> None:
    assert len(LINKS) == 4
