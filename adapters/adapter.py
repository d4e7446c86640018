"""What every adapter is: a class over one Source, with settings that it checks itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import false

from adapters.columns import Statement
from adapters.database import Source
from adapters.keys import Padding
from services.contract import Contract


class Settings(BaseModel):
    """What every vendor's settings have. An unknown key is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    char_padding: Padding = Field(
        "none",
        description="how CHAR key columns are padded where the database compares them as they "
        "stand: to bytes (GBK), to characters, or not",
    )
    dictionary_seconds: float = Field(
        60.0, ge=0, le=86400, description="how long code tables are kept in memory"
    )


class Adapter(ABC):
    """Base of all adapters. A subclass also derives from the contracts that it implements; its
    methods are synchronous and safe in several threads at once."""

    settings_model: ClassVar[type[Settings]]

    def __init__(self, source: Source, settings: Mapping[str, Any]) -> None:
        """``settings`` as configured; a pydantic ValidationError says what is wrong with them."""
        self.source = source
        source.will_ask(self.statements)

    @classmethod
    def implements(cls, contract: type[Contract]) -> bool:
        return issubclass(cls, contract)

    @abstractmethod
    def statements(self) -> Iterable[Statement]:
        """Selects that together name every table and column in use."""

    def housekeeping(self) -> None:
        """What is to be done every few seconds and at start, as ending the locks that expired.
        The host calls it through ``source.run``; several nodes may do so on one database."""
        return

    def check(self) -> None:
        """Ask the database for no row of each statement. Raises SourceUnavailable, or a
        SourceError that names the missing table or column."""
        with self.source.connect() as connection:
            for statement in self.statements():
                connection.execute(statement.where(false())).close()
