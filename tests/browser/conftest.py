"""Real Chromium over a registry of 300 hospitals, two of which have a real node and gateway.

What it needs: Debian's chromium, Playwright for Python, fonts-noto-cjk (./run setup-full). Every
page's console, errors and policy violations are collected, and a test fails where there is one.
Screenshots go to ${YILIAN_ARTEFACTS:-build}/screenshots.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.interop.served import served
from tests.page import world
from tests.page.foreign import FOREIGN, foreign_hospital
from tests.page.serving import registry_app, serving
from tests.page.test_service import Kept, Versions

PROJECT = Path(__file__).parents[2]
ARTEFACTS = Path(os.environ.get("YILIAN_ARTEFACTS") or PROJECT / "build") / "screenshots"
CHROMIUM = os.environ.get("YILIAN_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
SIZE = {"width": 1366, "height": 768}

#: what a policy that was violated says, as an error of the console
_WATCH = """document.addEventListener("securitypolicyviolation",
    (event) => console.error("CSP: " + event.violatedDirective + " " + event.blockedURI));"""


def _missing() -> str:
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "Playwright"
    return "" if Path(CHROMIUM).exists() else "chromium"


# Not for the session: while it is open its event loop counts as the thread's, and tests of other
# files that run a loop of their own would fail.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    missing = _missing()
    if missing:
        message = f"{missing} 未安装，请运行 ./run setup-full / is not installed: ./run setup-full"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root there is no sandbox to be had; CI's machines are thrown away.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL."""
    with served() as running:
        gateway = f"http://127.0.0.1:{running.gateway}"
        businesses = [*world.two(gateway), *world.many(300), foreign_hospital()]
        book = world.Book(now=datetime.now(UTC))
        app = registry_app(tmp_path_factory.mktemp("browser"), businesses, book)
        app.state.site.versions = Versions(
            Weather=[
                Kept("urn:weather", FOREIGN),
                Kept("urn:weather", FOREIGN.replace(b'name="Days"', b'name="DaysAhead"')),
            ]
        )
        with serving(app) as url:
            yield url


@dataclass
class Tab:
    """A browser's page, and what went wrong in it. ``allowed``: statuses of documents that are
    meant to be errors."""

    page: Any
    url: str
    wrong: list[str] = field(default_factory=list)
    allowed: set[int] = field(default_factory=set)

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def shot(self, name: str, *, full: bool = False) -> None:
        """A screenshot to look at."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=full)

    def text(self, selector: str) -> str:
        return " ".join(self.page.inner_text(selector).split())


Opened = Callable[..., Tab]


@pytest.fixture
def tab(chromium: Any, registry: str) -> Iterator[Tab]:
    context = chromium.new_context(
        viewport=SIZE, locale="zh-CN", timezone_id="Asia/Shanghai", permissions=["clipboard-read"]
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.add_init_script(_WATCH)
    one = Tab(page, registry)

    def said(message: Any) -> None:
        refused = any(f"status of {status}" in message.text for status in one.allowed)
        if message.type in ("error", "warning") and not refused:
            one.wrong.append(message.text)

    def asked(request: Any) -> None:
        if not request.url.startswith(registry):
            one.wrong.append(f"asked elsewhere: {request.url}")

    page.on("console", said)
    page.on("pageerror", lambda error: one.wrong.append(str(error)))
    page.on("request", asked)
    yield one
    context.close()
    assert not one.wrong
