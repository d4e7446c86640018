"""One clear sentence for what stops a command, in Chinese and in English: no traceback."""

from __future__ import annotations


class Refused(Exception):
    """What was wrong, where, and what to do. ``exit_code``: 2, the command was asked wrongly or
    configured wrongly; 1, it was asked rightly and failed."""

    def __init__(self, zh: str, en: str, *, exit_code: int = 2) -> None:
        super().__init__(zh, en)
        self.zh = zh
        self.en = en
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"✗ {self.zh}\n  {self.en}"
