"""A configured source opened for looking at it: read-only, whatever the configuration allows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters import ADAPTERS
from adapters.adapter import Adapter
from adapters.config import SourceConfig
from adapters.database import Source
from adapters.mapped.problems import WrongMapping
from yilian.config import NodeConfig, load
from yilian.refused import Refused


@dataclass(frozen=True)
class Opened:
    name: str
    source: Source
    adapter: Adapter


@contextmanager
def opened(name: str, hospital: str, config: SourceConfig) -> Iterator[Opened]:
    """One source and its adapter. Refused: the mapping is wrong."""
    source = Source(name, hospital, config)
    try:
        adapter = ADAPTERS[config.adapter](source, config.settings)
        yield Opened(name, source, adapter)
    except WrongMapping as wrong:
        raise Refused(wrong.zh, wrong.en, exit_code=1) from None
    finally:
        source.close()


def chosen(file: Path, name: str | None) -> tuple[str, dict[str, SourceConfig]]:
    """The hospital's code and the databases of a node's configuration, or the one of that name.
    An image archive is no database: ``yilian pacs`` looks at it."""
    config = load(file, NodeConfig)
    databases = {key: one for key, one in config.sources.items() if one.adapter in ADAPTERS}
    if name is None:
        return config.hospital.code, databases
    if name not in databases:
        known = "、".join(databases)
        raise Refused(
            f"{file} 中没有数据库来源 {name}；有：{known}。",
            f"{file} has no database source {name}: {known}.",
        )
    return config.hospital.code, {name: databases[name]}


def only_read(config: SourceConfig) -> SourceConfig:
    """The same source, which now cannot be written to."""
    return config.model_copy(update={"read_only": True})
