"""MariaDB's and MySQL's error numbers: which fault each is, and what may be told of it."""

from __future__ import annotations

import re

from services.faults import Overloaded, ServerFault, SourceError, SourceTimeout, SourceUnavailable

#: lock wait, deadlock, interrupted, max_statement_time, MySQL's max_execution_time
_TIMEOUTS = {1205, 1213, 1317, 1969, 3024}
_UNDONE = {1213}
#: access, no such database, server going down or away, killed, host blocked, client's own
_UNAVAILABLE = {1044, 1045, 1049, 1053, 1077, 1079, 1080, 1129, 1130, 1152, 1158, 1159, 1160, 1161}
_UNAVAILABLE |= {1184, 1927, 4031}
#: connections of the server and of the account, memory, disk
_FULL = {1040, 1041, 1203, 1226}
#: no room on the disk: waits for some, a tablespace cannot grow
_DISK_FULL = {1021, 1114}
#: a file cannot be written, for a reason that the text gives as the system's number
_FILE_TROUBLE = {3, 1026, 1030}
_NO_SPACE = re.compile(r"\b(?:errno: |error )28\b")
#: what they say names tables, columns and accounts and never a row's value
_SPOKEN = _TIMEOUTS | _UNAVAILABLE | _FULL | _DISK_FULL | _FILE_TROUBLE
_SPOKEN |= {1054, 1142, 1143, 1146, 1290, 1305, 1792}


def fault(number: int | None) -> type[ServerFault]:
    if number in _TIMEOUTS:
        return SourceTimeout
    if number in _FULL:
        return Overloaded
    if number is None or number in _UNAVAILABLE or 2000 <= number < 3000 or number == 0:
        return SourceUnavailable
    return SourceError


def undone(number: int | None) -> bool:
    return number in _UNDONE


def full(number: int | None, text: str) -> bool:
    return number in _DISK_FULL or (number in _FILE_TROUBLE and bool(_NO_SPACE.search(text)))


def detail(number: int | None, text: str) -> str:
    if number is None or number in _SPOKEN or 2000 <= number < 3000:
        return f"{number} {text}" if number else text
    return f"error {number}"
