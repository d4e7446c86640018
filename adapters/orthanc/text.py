"""DICOM text as it was meant: mislabelled Chinese, names of several alphabets, dates and times.

Orthanc answers UTF-8, decoded by each file's SpecificCharacterSet. Many devices write GB18030 or
UTF-8 bytes and declare Latin-1 (ISO_IR 100), which loses nothing and can be undone.
"""

from __future__ import annotations

import re
from datetime import datetime

# Latin-1 characters that, as bytes, are pairs of GB 2312. A real French or German word has such
# letters one at a time, between ASCII.
_PAIRS = re.compile(r"(?:[\x00-\x7f]|[\xa1-\xf7][\xa1-\xfe])*")
_HAN = re.compile("[\u3400-\u9fff]")

# Wrongly decoded bytes may be characters that no XML can carry.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_DATE = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)")
_TIME = re.compile(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(?:\.\d+)?)?)?")


def as_meant(text: str) -> str:
    """Without padding; Chinese that was declared to be Latin-1 as Chinese."""
    text = _NOT_XML.sub("", text).strip(" ")
    if text.isascii() or any(char > "\xff" for char in text):
        return text
    raw = text.encode("latin-1")
    try:
        meant = raw.decode("utf-8")
    except UnicodeDecodeError:
        if not _PAIRS.fullmatch(text):
            return text
        meant = raw.decode("gb2312", "replace")
    return meant if _HAN.search(meant) and "\ufffd" not in meant else text


def person_name(text: str) -> str:
    """A PN as people write it: of ``Zhang^Wei=张^伟`` the ideographic group, 张伟; of a name in
    letters, its parts with spaces."""
    groups = [as_meant(group) for group in text.split("=")]
    chosen = next((group for group in groups[1:] if group.strip("^ ")), groups[0])
    joint = "" if _HAN.search(chosen) else " "
    return joint.join(part.strip() for part in chosen.split("^") if part.strip())


def moment(day: str, time: str) -> datetime | None:
    """StudyDate and StudyTime (DA and TM, the old ones with points and colons too), to the
    second. None where there is no such date; a time that is none is midnight."""
    found = _DATE.fullmatch(day.strip(" \0"))
    if found is None:
        return None
    clock = _TIME.fullmatch(time.strip(" \0"))
    parts = [int(part or 0) for part in clock.groups()] if clock else [0, 0, 0]
    try:
        date = datetime(*map(int, found.groups()))  # type: ignore[arg-type]
    except ValueError:
        return None
    try:
        return date.replace(hour=parts[0], minute=parts[1], second=min(parts[2], 59))
    except ValueError:
        return date
