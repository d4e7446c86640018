"""The line finder, against documents that are written here with their lines counted."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.toml_lines import find_line, lines_of

TEXT = '''\
# a comment with [brackets] and = signs
title = "x"

[hospital]
code = "hx" # = not a key
name = """two
lines = 3"""

[sources.his]
offers = [
    "A", # first
    "B",
]
settings = { current_no = "next", deep = { x = 1 } }

[[publishers]]
user = "a"

[[publishers]]
user = "b"
[publishers.more]
"quoted key" = 1
a.b.c = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("hospital",), 4),
        (("hospital", "code"), 5),
        (("hospital", "name"), 6),
        (("hospital", "missing"), 4),
        (("sources",), 9),
        (("sources", "his", "offers", 0), 11),
        (("sources", "his", "offers", 1), 12),
        (("sources", "his", "settings", "current_no"), 14),
        (("sources", "his", "settings", "deep", "x"), 14),
        (("publishers", 0, "user"), 17),
        (("publishers", 1), 19),
        (("publishers", 1, "user"), 20),
        (("publishers", 1, "more", "quoted key"), 22),
        (("publishers", 1, "more", "a", "b"), 23),
        (("nowhere",), 1),
    ],
)
def test_a_path_is_found_on_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert find_line(TEXT, path) == line


# --- documents with lines counted while they are written -------------------------------------

KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=5),
)
SCALARS = st.one_of(
    st.integers(-9, 9999),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\x7f"), max_size=12),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
TABLES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=3),
    lambda inner: st.dictionaries(
        KEYS, st.one_of(VALUES, inner, st.lists(inner, min_size=1, max_size=3)), max_size=4
    ),
    max_leaves=6,
)


@dataclass
class Writer:
    """Writes TOML in styles that ``choose`` picks, and counts."""

    choose: Any
    text: str = ""
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def note(self, path: tuple[str | int, ...]) -> None:
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], self.text.count("\n") + 1)

    def table(self, path: tuple[str | int, ...], header: tuple[str, ...], data: dict) -> None:
        later = []
        for key, value in data.items():
            if is_tables(value) and self.choose([True, False]):
                later.append((key, value))
                continue
            self.pair((*path, key), value)
            self.text += self.choose(["\n", " # x = [1]\n", "\n\n# [no.table]\n", "\r\n"])
        for key, value in later:
            deeper = (*header, key)
            for number, one in enumerate(value if isinstance(value, list) else [value]):
                inner = (*path, key, number) if isinstance(value, list) else (*path, key)
                self.note(inner)
                name = ".".join(map(self.key, deeper))
                self.text += f"[[{name}]]\n" if isinstance(value, list) else f"[ {name} ]\n"
                self.table(inner, deeper, one)

    def pair(self, path: tuple[str | int, ...], value: Any) -> None:
        self.note(path)
        self.text += self.key(str(path[-1])) + self.choose(["=", " = ", "\t=  "])
        self.value(path, value)

    def value(self, path: tuple[str | int, ...], value: Any) -> None:
        if isinstance(value, bool):
            self.text += str(value).lower()
        elif isinstance(value, int):
            self.text += str(value)
        elif isinstance(value, str):
            self.text += self.string(value)
        elif isinstance(value, list):
            self.text += "["
            for index, one in enumerate(value):
                self.text += self.choose(["", " ", "\n  ", "\n# ] \n"])
                self.note((*path, index))
                self.value((*path, index), one)
                self.text += self.choose([",", " , ", "\n,"])
            self.text += self.choose(["]", "\n]"])
        else:
            self.text += "{ "
            for index, (key, one) in enumerate(value.items()):
                self.text += ", " if index else ""
                self.pair((*path, key), one)
            self.text += " }"

    def key(self, key: str) -> str:
        if key and all(c.isascii() and (c.isalnum() or c in "_-") for c in key):
            return self.choose([key, f'"{key}"', f"'{key}'"])
        return basic(key)

    def string(self, text: str) -> str:
        styles = [basic(text)]
        if "'" not in text and all(c.isprintable() or c == "\t" for c in text):
            styles += [f"'{text}'", f"'''{text}'''"]
        if not text.startswith("\n"):  # TOML drops a line break right behind the quotes
            escaped = basic(text)[1:-1].replace("\\\\", "\0").replace("\\n", "\n")
            styles.append('"""' + escaped.replace("\0", "\\\\") + '"""')
        return self.choose(styles)


def basic(text: str) -> str:
    """A basic string; what TOML does not take as it is, escaped."""
    parts = []
    for c in text:
        if c in '"\\':
            parts.append("\\" + c)
        elif c == "\n":
            parts.append("\\n")
        elif ord(c) < 0x20 or ord(c) == 0x7F:
            parts.append(f"\\u{ord(c):04x}")
        else:
            parts.append(c)
    return '"' + "".join(parts) + '"'


def is_tables(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, dict) for one in value)
    return isinstance(value, dict)


@given(TABLES, st.data())
def test_every_path_of_any_document_is_found(data: dict[str, Any], draw: st.DataObject) -> None:
    writer = Writer(lambda options: draw.draw(st.sampled_from(options)))
    writer.table((), (), data)
    assert tomllib.loads(writer.text) == data, "the writer of this test is at fault"
    assert lines_of(writer.text) == writer.lines
