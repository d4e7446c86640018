"""Messages and logins that would take the registry away from everybody else."""

from __future__ import annotations

import queue
import sqlite3
import threading

import pytest
from registry_server import Running, config, running, v3
from sqlalchemy.exc import OperationalError, TimeoutError
from structlog.testing import capture_logs

import registry.accounts
from registry.app import LOGINS, LOGINS_WAITING
from registry.failures import busy, described
from registry.search import MOST_CRITERIA

REFERENCE = '<keyedReference tModelKey="uddi:uddi.org:xml:localname" keyValue="{}"/>'


def names(count):
    return "".join(f"<name>n{number}</name>" for number in range(count))


def references(bag, count):
    return f"<{bag}>{''.join(map(REFERENCE.format, range(count)))}</{bag}>"


def tmodels(count):
    keys = "".join(f"<tModelKey>uddi:t{number}</tModelKey>" for number in range(count))
    return f"<tModelBag>{keys}</tModelBag>"


def qualifiers(count):
    return f"<findQualifiers>{'<findQualifier>orAllKeys</findQualifier>' * count}</findQualifiers>"


MANY = {
    "find_business": [
        names,
        qualifiers,
        tmodels,
        lambda count: references("categoryBag", count),
        lambda count: references("identifierBag", count),
    ],
}
CASES = [(operation, made) for operation, all_made in MANY.items() for made in all_made]


@pytest.mark.parametrize(("operation", "content"), CASES)
@pytest.mark.parametrize("count", [MOST_CRITERIA + 1, 10_000])
def test_a_find_with_too_many_criteria_never_reaches_the_database(
    registry, operation, content, count
):
    reply = registry.uddi("inquiry", v3(operation, content(count)))
    assert reply.error == (30110, "E_messageTooLarge")
    said = reply.content.findtext("faultstring")
    assert str(MOST_CRITERIA) in said and str(count) in said


def test_the_most_criteria_of_every_kind_at_once_are_answered(registry):
    listed = "".join(
        f"<findQualifier>{one}</findQualifier>"
        for one in ("combineCategoryBags", "approximateMatch", "caseInsensitiveMatch")
    )
    content = (
        f"<findQualifiers>{listed}</findQualifiers>"
        + names(MOST_CRITERIA)
        + references("identifierBag", MOST_CRITERIA)
        + references("categoryBag", MOST_CRITERIA)
        + tmodels(MOST_CRITERIA)
    )
    assert registry.uddi("inquiry", v3("find_business", content)).status == 200


def test_too_many_criteria_in_an_embedded_find_are_refused_too(registry):
    embedded = f"<find_tModel>{references('categoryBag', MOST_CRITERIA + 1)}</find_tModel>"
    reply = registry.uddi("inquiry", v3("find_business", embedded))
    assert reply.error == (30110, "E_messageTooLarge")


def test_an_embedded_find_that_finds_many_tmodels_is_answered(registry):
    token = f"<authInfo>{registry.token()}</authInfo>"
    saved = "".join(f'<tModel tModelKey=""><name>many {n}</name></tModel>' for n in range(999))
    assert registry.uddi("publish", v3("save_tModel", token + saved)).status == 200
    embedded = (
        "<find_tModel><findQualifiers><findQualifier>approximateMatch</findQualifier>"
        "</findQualifiers><name>many%</name></find_tModel>"
    )
    assert registry.uddi("inquiry", v3("find_business", embedded)).status == 200


def test_many_logins_leave_the_registry_to_everybody_else(
    registry: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify, may_go_on = registry_verify(), threading.Event()

    def held(password: str, line: str) -> bool:
        assert may_go_on.wait(60)
        return verify(password, line)

    monkeypatch.setattr("registry.accounts.verify", held)
    answers: queue.Queue[tuple[int, str]] = queue.Queue()
    message = v3("get_authToken", attributes='userID="hx" cred="wrong"')
    refused_at_once = 15

    def log_in() -> None:
        answers.put(registry.uddi("security", message).error)

    threads = [
        threading.Thread(target=log_in) for _ in range(LOGINS + LOGINS_WAITING + refused_at_once)
    ]
    try:
        for thread in threads:
            thread.start()
        at_once = [answers.get(timeout=15) for _ in range(refused_at_once)]
        assert set(at_once) == {(10400, "E_busy")}
        assert registry.uddi("inquiry", v3("find_business", "<name>a</name>")).status == 200
        assert registry.send("GET", "/health").status == 200
        assert answers.empty()
    finally:
        may_go_on.set()
        for thread in threads:
            thread.join(60)
    left = [answers.get(timeout=15) for _ in range(LOGINS + LOGINS_WAITING)]
    assert set(left) == {(10150, "E_unknownUser")}
    assert registry.token()


def registry_verify():
    return registry.accounts.verify


# --- the database's failures -----------------------------------------------------------------


def sqlite_error(code: int, text: str) -> OperationalError:
    cause = sqlite3.OperationalError(text)
    cause.sqlite_errorcode = code
    return OperationalError("SELECT secret FROM patients WHERE x = ?", {"x": "张伟"}, cause)


class _Foreign(Exception):
    sqlstate: str | None = None


def foreign(sqlstate: str | None, *arguments: object) -> OperationalError:
    cause = _Foreign(*arguments)
    cause.sqlstate = sqlstate
    return OperationalError("SELECT 1", {}, cause)


@pytest.mark.parametrize(
    ("error", "is_busy"),
    [
        (sqlite_error(sqlite3.SQLITE_BUSY, "database is locked"), True),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT, "database is locked"), True),
        (sqlite_error(sqlite3.SQLITE_LOCKED, "database table is locked"), True),
        (sqlite_error(sqlite3.SQLITE_ERROR, "Expression tree is too large"), False),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN, "unable to open database file"), False),
        (foreign("55P03", "lock not available"), True),
        (foreign("42P01", "no such table"), False),
        (foreign(None, 1205, "Lock wait timeout exceeded"), True),
        (foreign(None, 1054, "Unknown column"), False),
        (foreign(None), False),
        (TimeoutError("QueuePool limit"), True),
    ],
)
def test_only_locks_and_timeouts_are_busy(error, is_busy):
    assert busy(error) is is_busy


def test_a_failure_is_described_without_the_statement():
    said = described(sqlite_error(sqlite3.SQLITE_ERROR, "too large\nmore " + "x" * 500))
    assert said == "OperationalError: too large"
    assert described(TimeoutError("SELECT secret")) == "TimeoutError"


def test_a_failed_find_is_fatal_and_logs_no_sql(registry, monkeypatch):
    def fail(*_arguments):
        raise sqlite_error(sqlite3.SQLITE_ERROR, "Expression tree is too large")

    monkeypatch.setattr("registry.search.find_keys", fail)
    with capture_logs() as logged:
        reply = registry.uddi("inquiry", v3("find_business", "<name>张伟</name>"))
    assert reply.error == (10500, "E_fatalError")
    [line] = [one for one in logged if one["event"] == "uddi store failed"]
    assert line["error"] == "OperationalError: Expression tree is too large"


def test_a_locked_database_is_busy(registry, monkeypatch):
    def fail(*_arguments):
        raise sqlite_error(sqlite3.SQLITE_BUSY, "database is locked")

    monkeypatch.setattr("registry.search.find_keys", fail)
    reply = registry.uddi("inquiry", v3("find_business", "<name>a</name>"))
    assert reply.error == (10400, "E_busy")


# --- what is no XML --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "position"),
    [
        (b"<a>\n<b></a>", "line 2, column "),
        (b'<?xml version="1.0" encoding="utf-8"?>\n\n<a>&nothing;</a>', "line 3, column "),
        (b"<a>" * 1000, "256 deep"),
        (b"not xml", "line 1, column 1"),
        (b"  \n", "the message is empty"),
    ],
)
def test_what_is_no_xml_says_where_and_what_to_do(registry, body, position):
    reply = registry.send("POST", "/uddi/inquiry", body, {"Content-Type": "text/xml"})
    said = reply.content.findtext("faultstring")
    assert position in said
    for internal in ("HUGE", "<string>", "xmlParse", "libxml"):
        assert internal not in said


# --- nobody can publish ----------------------------------------------------------------------


@pytest.mark.parametrize("publishers", [(), None])
def test_a_registry_without_publishers_warns(tmp_path, publishers):
    settings = config(tmp_path) if publishers is None else config(tmp_path, publishers=publishers)
    with capture_logs() as logged, running(settings) as server:
        assert server.send("GET", "/health").status == 200
    warned = [one for one in logged if "publishers" in one["event"]]
    assert len(warned) == (0 if publishers is None else 1)
    assert all(one["log_level"] == "warning" for one in warned)
    assert not warned or warned[0]["event"].startswith("没有配置任何 publishers")
