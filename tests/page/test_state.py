"""The health pages and their charts, and the history of changes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from registry.pruning import prune
from registry.web.charts import BAND, HEIGHT, LEFT, TOP, WIDTH, chart
from services.soap.values import LOCAL
from tests.page import world
from tests.page.client import Client
from tests.page.conftest import Open
from tests.page.test_overview import page
from tests.page.world import Book, Health, Probe

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=LOCAL)
DAY = timedelta(hours=24)
KEY = "uddi:yilian:hx:labresults"
HISTORY = f"/state/{KEY}"


def probes(count: int, *, failed: set[int] = frozenset(), latency: float = 20.0) -> list[Probe]:  # type: ignore[assignment]
    """Evenly over the last day."""
    step = DAY / count
    return [
        Probe(
            NOW - DAY + step * n, n not in failed, latency, "SourceTimeout" if n in failed else ""
        )
        for n in range(count)
    ]


def test_a_quiet_day_is_one_line_and_one_bar() -> None:
    drawn = chart(probes(720), NOW - DAY, NOW)
    assert len(drawn.lines) == 1 and len(drawn.bars) == 1
    assert drawn.bars[0].state == "passing"
    assert drawn.answered == "100" and drawn.typical == 20.0
    assert [tick.label for tick in drawn.levels] == ["0", "25", "50"]
    assert "11-21" in [tick.label for tick in drawn.times]


def test_failures_are_told_and_never_rounded_away() -> None:
    drawn = chart(probes(30_000, failed={7}), NOW - DAY, NOW)
    assert drawn.failed == 1 and len(drawn.failures) == 1
    assert drawn.answered == "99.99"
    assert {bar.state for bar in drawn.bars} == {"passing", "warning"}


def test_an_outage_is_a_gap_in_the_line_and_a_tall_bar() -> None:
    drawn = chart(probes(720, failed=set(range(300, 400))), NOW - DAY, NOW)
    assert len(drawn.lines) == 2
    assert [bar.tall for bar in drawn.bars if bar.state == "critical"] == [BAND]


def test_no_probes_is_no_line() -> None:
    drawn = chart([], NOW - DAY, NOW)
    assert not drawn.lines and drawn.typical is None and drawn.answered == ""
    assert [bar.state for bar in drawn.bars] == ["unknown"]


@given(
    st.lists(
        st.tuples(
            st.integers(-100_000, 100_000),
            st.booleans(),
            st.floats(0, 1e7, allow_nan=False),
        ),
        max_size=60,
    ),
    st.integers(1, 30),
)
def test_any_probes_stay_within_the_picture(made: list[tuple[int, bool, float]], days: int) -> None:
    found = [Probe(NOW + timedelta(seconds=at), ok, ms) for at, ok, ms in made]
    found.sort(key=lambda one: one.moment)
    drawn = chart(found, NOW - DAY * days, NOW)
    for line in drawn.lines:
        for point in line.split():
            x, y = map(float, point.split(","))
            assert LEFT - 6 <= x <= WIDTH and TOP <= y <= TOP + HEIGHT
    assert round(sum(bar.width for bar in drawn.bars)) == pytest.approx(WIDTH - LEFT, abs=2)
    assert all(LEFT <= tick.at <= WIDTH for tick in drawn.times)


class Live(Book):
    """One binding with a history; the others were never probed."""

    def of(self, keys):  # type: ignore[no-untyped-def]
        known = Health("critical", NOW, NOW, None, "超时", "timed out")
        return {key: known if key == f"{KEY}:outside" else Health("unknown") for key in keys}

    def history(self, binding_key, since):  # type: ignore[no-untyped-def]
        if binding_key != f"{KEY}:outside":
            return []
        now = datetime.now(LOCAL)
        return [
            Probe(now - timedelta(minutes=10 * n), n > 5, 30.0, "" if n > 5 else "SourceTimeout")
            for n in range(100, 0, -1)
        ]


def test_the_history_of_a_service(opened: Open) -> None:
    tree = page(opened(world.two(), Live()), HISTORY)
    text = tree.text_content()
    assert "100 次探测" in text and "5 次失败" in text and "SourceTimeout" in text
    (picture,) = tree.cssselect("svg.chart")
    assert "100 次探测" in picture.get("aria-label")
    assert picture.cssselect("polyline") and picture.cssselect("rect.c-critical")
    assert "这段时间没有探测" in text, "the inside face was never probed"
    etree.fromstring(etree.tostring(picture))


@pytest.mark.parametrize("days", ["1", "7", "30", "0", "x", "365", ""])
def test_the_period_is_one_of_three(opened: Open, days: str) -> None:
    tree = page(opened(world.two(), Live()), f"{HISTORY}?days={days}")
    assert len(tree.cssselect("a[aria-current=true]")) == 1


def test_what_is_wrong_comes_first_with_whom_to_call(opened: Open) -> None:
    tree = page(opened(world.two(), Live()), "/state")
    (row,) = tree.cssselect("tbody tr")
    for words in ("故障", "华夏中心医院", "超时", "信息科值班"):
        assert words in row.text_content()


def test_nothing_is_wrong_or_nothing_is_known(opened: Open) -> None:
    assert "还没有探测结果" in page(opened(world.two()), "/state").text_content()


def test_the_history_page_of_what_is_not_there(client: Client) -> None:
    page(client, "/state/uddi:nothing", 404)


# --- changes -------------------------------------------------------------------------------------


def test_who_changed_what_and_when(opened: Open) -> None:
    client = opened(world.two())
    client.app.state.store.delete("hx", "service", [KEY])
    rows = page(client, "/changes").cssselect("tbody tr")
    assert len(rows) == 2, "one row for a publication"
    newest = rows[0].text_content()
    assert "hx" in newest and "删除" in newest and KEY in newest
    assert "华夏中心医院" in rows[1].text_content() and "另有" in rows[1].text_content()
    assert f"{datetime.now(LOCAL):%Y-%m-}" in newest


def test_older_changes(opened: Open) -> None:
    client = opened(world.many(30))
    first = page(client, "/changes")
    (older,) = first.cssselect("a[rel=next]")
    second = page(client, older.get("href"))
    assert second.cssselect("tbody tr")
    for wrong in ("x", "-1", "9" * 30, "0"):
        assert page(client, f"/changes?before={wrong}").cssselect("tbody tr"), wrong


def test_no_page_of_older_changes_where_the_log_was_pruned(opened: Open) -> None:
    client = opened(world.many(30))
    store = client.app.state.store
    far = 10**15
    store.write(lambda connection: prune(connection, far, far))
    tree = page(client, "/changes")
    assert tree.cssselect("tbody tr") and not tree.cssselect("a[rel=next]")


def test_no_changes_yet(opened: Open) -> None:
    assert "还没有变更" in page(opened(), "/changes").text_content()
