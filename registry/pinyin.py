"""Chinese text as people type it on a Latin keyboard: full pinyin and its initials."""

from __future__ import annotations

from typing import Any

from pypinyin import lazy_pinyin


def keys_of(text: str) -> tuple[str, str]:
    """The pinyin without blanks and the initials, lower case: 华夏 → ("huaxia", "hx"). What is not
    Chinese stays in both as it is. Readings of characters with several come from the phrase."""
    if text.isascii():
        return "", ""
    syllables = lazy_pinyin(text, errors=_each)
    return "".join(syllables).lower(), "".join(one[:1] for one in syllables).lower()


def letter_of(text: str) -> str:
    """The letter under which a name is listed, "#" where it has none."""
    first = lazy_pinyin(text[:4], errors=_each)[:1]
    letter = first[0][:1].upper() if first else ""
    return letter if letter.isascii() and letter.isalpha() else "#"


# What is not Chinese, character by character. pypinyin takes a list too, though its types do not.
_each: Any = list
