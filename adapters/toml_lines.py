"""Where things stand in a TOML text: the line of every table, key and array element.

``tomllib`` gives values without positions, and an error message without a line is of little use
in a file of two hundred. The text is taken to be valid TOML: ``tomllib`` has read it before.
"""

from __future__ import annotations

import re

#: a way into the document: keys of tables, indices of arrays
Way = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]*")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL),
    re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL),
    re.compile(r'"((?:[^"\\\n]|\\.)*)"'),
    re.compile(r"'([^'\n]*)'"),
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def find_line(text: str, path: Way) -> int:
    """The line, from 1, where ``path`` stands or, if it does not, its nearest parent."""
    lines = lines_of(text)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def lines_of(text: str) -> dict[Way, int]:
    """The line, from 1, of every table, key and array element of a valid TOML text."""
    return _Scan(text).document()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Way, int] = {}
        self.tables: dict[Way, int] = {}  # arrays of tables: how many elements so far

    def document(self) -> dict[Way, int]:
        table: Way = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self.lines

    def _header(self) -> Way:
        line = self._line()
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        path = self._resolved(self._keys())
        self.at += 2 if array else 1
        if array:
            count = self.tables[path] = self.tables.get(path, -1) + 1
            self.lines.setdefault(path, line)
            path = (*path, count)
        self._note(path, line)
        return path

    def _resolved(self, keys: list[str]) -> Way:
        """A header's keys as a path: an array of tables on the way means its last element."""
        path: Way = ()
        for index, key in enumerate(keys):
            path = (*path, key)
            if path in self.tables and index < len(keys) - 1:
                path = (*path, self.tables[path])
        return path

    def _pair(self, table: Way) -> None:
        line = self._line()
        path = (*table, *self._keys())
        self._note(path, line)
        self.at += 1  # =
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            keys.append(self._key())
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _key(self) -> str:
        for pattern in (*_STRINGS[2:], _BARE):
            match = pattern.match(self.text, self.at)
            if match:
                self.at = match.end()
                if pattern is _BARE:
                    return match[0]
                return _unescaped(match[1]) if match[0][0] == '"' else match[1]
        raise ValueError(f"no key at character {self.at}")

    def _value(self, path: Way) -> None:
        start = self.text[self.at : self.at + 1]
        if start == "[":
            self._array(path)
        elif start == "{":
            self._inline_table(path)
        else:
            patterns = _STRINGS if start in ("'", '"') else (_SCALAR,)
            for pattern in patterns:
                match = pattern.match(self.text, self.at)
                if match:
                    self.at = match.end()
                    return

    def _array(self, path: Way) -> None:
        self.at += 1
        index = 0
        while self.text[self._skip(_BLANK)] != "]":
            self._note((*path, index), self._line())
            self._value((*path, index))
            index += 1
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1

    def _inline_table(self, path: Way) -> None:
        self.at += 1
        while self.text[self._skip(_BLANK)] != "}":
            self._pair(path)
            if self.text[self._skip(_BLANK)] == ",":
                self.at += 1
        self.at += 1

    def _note(self, path: Way, line: int) -> None:
        """The first mention counts, also of the tables on the way."""
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def _line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1


def _unescaped(text: str) -> str:
    def replaced(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else _ESCAPED.get(match[3], match[3])

    return _ESCAPE.sub(replaced, text)
