"""A mapping's SQL: any dialect's text with ``:Name`` for values and ``[? ... ?]`` for what stands
only where its values are given.

Quoted texts and names, comments, ``::`` casts and ``[bracketed names]`` are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, bindparam, text

_TOKEN = re.compile(
    r"""
    (?P<open>\[\?) | (?P<close>\?\])
    | (?P<plain>
        '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]\n]*\]
        | --[^\n]* | /\*.*?\*/ | :: | \w+ | .
      )
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"(?<![:\w\\]):([^\W\d]\w*)")


class BadSql(ValueError):
    """What is wrong with the text, in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True)
class _Piece:
    """``name``: a value stands here; else ``text`` does. ``part``: the optional part, 0: none."""

    text: str
    name: str
    part: int


class Sql:
    """One statement as written. Raises BadSql."""

    def __init__(self, written: str) -> None:
        self.written = written
        self._pieces = tuple(_pieces(written))
        self._parts: dict[int, frozenset[str]] = {}
        for piece in self._pieces:
            if piece.part:
                names = self._parts.get(piece.part, frozenset())
                self._parts[piece.part] = names | ({piece.name} if piece.name else frozenset())
        if not all(self._parts.values()):
            raise BadSql("[? ?] 中没有 :参数", "a [? ?] holds no :parameter")
        self.names = tuple(dict.fromkeys(piece.name for piece in self._pieces if piece.name))
        #: those that stand outside every optional part, so that they must always be given
        self.always = frozenset(p.name for p in self._pieces if p.name and not p.part)
        words = "".join(p.text for p in self._pieces).split(None, 1)
        self.verb = words[0].upper() if words else ""

    @property
    def reads(self) -> bool:
        return self.verb in ("SELECT", "WITH")

    def explained(self) -> Sql:
        """The statement that asks for this one's plan."""
        return Sql(f"EXPLAIN {self.written}")

    def described(self) -> Sql:
        """The query that answers this one's columns, and no row, without running it."""
        written = self.written.strip().rstrip(";")
        return Sql(f"SELECT * FROM (\n{written}\n) described LIMIT 0")

    def shown(self, given: Collection[str]) -> str:
        """The text as it runs where these values are given, with ``:Name`` for each."""
        return "".join(f":{p.name}" if p.name else p.text for p in self._standing(given))

    def clause(self, given: Mapping[str, tuple[Any, Any]]) -> TextClause:
        """The statement with values: ``given`` has (value, SQLAlchemy type or None) by name. A
        name that is not given stands for NULL, outside optional parts."""
        text_, names = _clause(self, frozenset(given))
        return text_.bindparams(
            *(
                bindparam(f"p{index}", *given.get(name, (None, None)))
                for index, name in enumerate(names)
            )
        )

    def _standing(self, given: Collection[str]) -> Iterator[_Piece]:
        stands = {part for part, names in self._parts.items() if names <= set(given)} | {0}
        return (piece for piece in self._pieces if piece.part in stands)


@lru_cache(maxsize=1024)
def _clause(sql: Sql, given: frozenset[str]) -> tuple[TextClause, tuple[str, ...]]:
    # Values are named p0, p1...: not every driver takes Chinese names.
    pieces = list(sql._standing(given))
    names = tuple(dict.fromkeys(piece.name for piece in pieces if piece.name))
    written = "".join(
        f":p{names.index(piece.name)}" if piece.name else piece.text.replace(":", r"\:")
        for piece in pieces
    )
    return text(written), names


def _pieces(written: str) -> Iterator[_Piece]:
    at, part, parts, plain = 0, 0, 0, ""
    while at < len(written):
        name = _NAME.match(written, at)
        if name:
            yield _Piece(plain, "", part)
            yield _Piece("", name[1], part)
            at, plain = name.end(), ""
            continue
        token = _TOKEN.match(written, at)
        assert token is not None  # every character is some token
        at = token.end()
        if token["open"]:
            if part:
                raise BadSql("[? ?] 不能嵌套", "[? ?] within [? ?]")
            yield _Piece(plain, "", part)
            parts, plain = parts + 1, ""
            part = parts
        elif token["close"] and part:
            yield _Piece(plain, "", part)
            part, plain = 0, ""
        else:
            plain += token[0]
    if part:
        raise BadSql("[? 没有对应的 ?]", "a [? without its ?]")
    yield _Piece(plain, "", 0)
