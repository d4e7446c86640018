"""The pages' words, each in Chinese and English: a file for each page, one table of all."""

from __future__ import annotations

from registry.web.words import common, overview, service, state, trying

Pairs = dict[str, tuple[str, str]]


def _joined(*tables: Pairs) -> Pairs:
    joined: Pairs = {}
    for table in tables:
        twice = joined.keys() & table.keys()
        if twice:
            raise ValueError(f"the same word twice: {sorted(twice)}")
        joined |= table
    return joined


_ALL = _joined(common.WORDS, overview.WORDS, service.WORDS, state.WORDS, trying.WORDS)

#: by language and name
WORDS: dict[str, dict[str, str]] = {
    "zh": {name: pair[0] for name, pair in _ALL.items()},
    "en": {name: pair[1] for name, pair in _ALL.items()},
}
