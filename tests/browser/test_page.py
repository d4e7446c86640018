"""An integration engineer's ten minutes, in real Chromium at 1366×768."""

from __future__ import annotations

import os
import re

import pytest

from tests.browser.accessibility import AXE, problems
from tests.browser.conftest import Tab

pytestmark = pytest.mark.full

HIS = "uddi:yilian:hx:hisservice"
LABS = "uddi:yilian:hx:labresults"
ORDERING = "uddi:yilian:hx:ordering"

PAGES = {
    "overview": "/",
    "overview-letter": "/?letter=C",
    "overview-problems": "/?only=problems",
    "overview-search": "/?q=hx+lab",
    "overview-nothing": "/?q=nobody",
    "hospital": "/hospital/uddi:yilian:hospital:hx",
    "hospital-bare": "/hospital/uddi:yilian:foreign:hospital",
    "service-legacy": f"/service/{HIS}",
    "service-typed": f"/service/{ORDERING}",
    "service-foreign": "/service/uddi:yilian:foreign:weather",
    "wsdl": f"/wsdl/{LABS}",
    "try": f"/try/{HIS}",
    "try-write": f"/try/{ORDERING}?operation=PlaceLabOrder",
    "state": "/state",
    "history": f"/state/{LABS}",
    "changes": "/changes",
}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_whole_and_accessible(tab: Tab, name: str, lang: str) -> None:
    path = PAGES[name]
    tab.go(f"{path}{'&' if '?' in path else '?'}lang={lang}")
    tab.shot(f"{name}-{lang}")
    assert tab.page.evaluate("document.documentElement.lang") == {"zh": "zh-CN", "en": "en"}[lang]
    # Both languages have the same elements: the slower of the two checks looks at one.
    assert not problems(tab.page, thorough=lang == "zh")


def test_a_page_that_is_not_there(tab: Tab) -> None:
    tab.allowed = {404}
    tab.go("/service/uddi:nobody")
    tab.shot("not-found-zh")
    assert not problems(tab.page)


def test_axe_is_there_in_ci() -> None:
    assert AXE.exists() or os.environ.get("CI") != "true", "./run setup-full installs axe-core"


def test_find_read_try(tab: Tab) -> None:
    tab.go("/")
    # As it is typed: the initials of 华夏, and part of an operation's name.
    tab.page.locator("#q").press_sequentially("hxzx getlabm")
    tab.page.wait_for_selector("#found a:has-text('getlabmaster')")
    tab.shot("search-zh")
    tab.page.click("#found a:has-text('getlabmaster')")
    tab.page.wait_for_url(re.compile("/service/.*#op-getlabmaster"))
    assert "检验主记录" in tab.text("#op-getlabmaster h3")
    tab.page.click("#op-getlabmaster a.try")
    tab.page.fill("#v-PatientId", "0000000001")
    tab.page.click("form.form .actions button")
    tab.page.wait_for_url(re.compile("/tried/"))
    assert "成功" in tab.text(".verdict")
    heads = tab.page.locator("table.data thead code").all_inner_texts()
    assert heads[0] == "TestNo" and len(heads) == 17
    assert tab.page.locator("table.data tbody tr").count() == 2
    tab.shot("tried-rows-zh", full=True)
    assert not problems(tab.page)
    shared = tab.page.url
    assert "0000000001" not in shared
    # The same link in another browser.
    other = tab.page.context.browser.new_page()
    other.goto(shared)
    assert other.locator("table.data tbody tr").count() == 2
    other.close()
    tab.page.reload()
    assert tab.page.locator("table.data tbody tr").count() == 2, "a reload sends nothing again"


def test_a_fault_is_explained(tab: Tab) -> None:
    tab.go(f"/try/{LABS}?operation=GetLabResult")
    tab.page.fill("#v-TestNo", "0")
    tab.page.click("form.form .actions button")
    tab.page.wait_for_url(re.compile("/tried/"))
    verdict = tab.text(".verdict")
    assert "NotFound" in verdict and "核对编号" in verdict
    tab.shot("tried-fault-zh", full=True)
    assert not problems(tab.page)
    tab.page.click("a.switch")
    assert "check the id" in tab.text(".verdict")
    tab.shot("tried-fault-en", full=True)
    # What was typed is there again, and can be corrected.
    tab.page.click("a.button[href*='from=']")
    tab.page.fill("#v-TestNo", "2611210001")
    tab.page.click("form.form .actions button")
    tab.page.wait_for_selector("table.data")
    tab.shot("tried-typed-en", full=True)
    assert not problems(tab.page)


def test_a_write_is_warned_of(tab: Tab) -> None:
    tab.allowed = {422}
    tab.go(f"/try/{LABS}?operation=MarkLabPrinted")
    assert tab.page.input_value("#v-RequestId").startswith("web-")
    tab.page.fill("#v-TestNo", "2611210001")
    tab.page.click("form.form .actions button")
    assert "请先勾选确认" in tab.text("#problems")
    tab.shot("try-unconfirmed-zh", full=True)
    assert not problems(tab.page)
    tab.page.check("#confirm")
    tab.page.click("form.form .actions button")
    tab.page.wait_for_url(re.compile("/tried/"))


def test_a_list_grows(tab: Tab) -> None:
    tab.go(f"/try/{ORDERING}?operation=PlaceLabOrder")
    tab.page.fill("#v-Items-OrderLine-0-ItemCode", "BRT")
    tab.page.click("button[name=more]")
    tab.page.wait_for_selector("#v-Items-OrderLine-1-ItemCode")
    assert tab.page.input_value("#v-Items-OrderLine-0-ItemCode") == "BRT"


def test_the_language_stays(tab: Tab) -> None:
    tab.go("/")
    assert "医院" in tab.text("h1")
    tab.page.click("a.switch")
    assert "Hospitals" in tab.text("h1")
    tab.page.click("nav a:has-text('Health')")
    assert "Health" in tab.text("h1")
    tab.page.locator("#q").press_sequentially("huaxia central")
    tab.page.wait_for_selector("#found a:has-text('Huaxia Central Hospital')")
    tab.shot("search-en")
    tab.page.click("a.switch")
    assert "健康" in tab.text("h1")


def test_with_the_keyboard_alone(tab: Tab) -> None:
    tab.go("/")
    press = tab.page.keyboard.press
    press("Tab")
    assert tab.page.evaluate("document.activeElement.className") == "skip"
    tab.shot("skip-link-zh")
    press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "main"
    press("/")
    assert tab.page.evaluate("document.activeElement.id") == "q"
    tab.page.keyboard.type("hxzx lab")
    tab.page.wait_for_selector("#found a")
    press("ArrowDown")
    active = tab.page.get_attribute("#q", "aria-activedescendant")
    assert tab.page.get_attribute(f"#{active}", "aria-selected") == "true"
    press("Escape")
    assert not tab.page.is_visible("#found")
    tab.page.keyboard.type("r")
    tab.page.wait_for_selector("#found a:has-text('LabResults')")
    press("ArrowDown")
    press("Enter")
    tab.page.wait_for_url(re.compile("/service/"))
    # The recipes' tabs by arrow keys.
    tab.page.focus("[role=tab][aria-selected=true]")
    press("ArrowRight")
    assert tab.page.inner_text("[role=tab][aria-selected=true]") == "Python zeep"
    assert tab.page.is_visible("#code-python") and not tab.page.is_visible("#code-curl")
    press("End")
    assert "PowerBuilder" in tab.page.inner_text("[role=tab][aria-selected=true]")
    # The console: from the first field to the answer.
    tab.go(f"/try/{LABS}?operation=GetLabResult")
    tab.page.focus("#v-TestNo")
    tab.page.keyboard.type("2611210001")
    press("Enter")
    tab.page.wait_for_url(re.compile("/tried/"))
    assert "成功" in tab.text(".verdict")


def test_what_is_copied_is_the_text_beside_it(tab: Tab) -> None:
    tab.go(f"/service/{LABS}")
    button = tab.page.locator("#addresses button.copy").nth(2)
    button.click()
    tab.page.wait_for_selector("button.copy:has-text('已复制')")
    copied = tab.page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith("/hx/LabResults?wsdl")


def test_without_scripts_everything_can_be_read_and_tried(tab: Tab) -> None:
    context = tab.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{tab.url}/?q=getlabmaster")
    page.click("section.results a:has-text('getlabmaster')")
    assert page.is_visible("#code-curl") and page.is_visible("#code-powerbuilder")
    page.goto(f"{tab.url}/try/{HIS}")
    page.fill("#v-PatientId", "0000000001")
    page.click("form.form .actions button")
    page.wait_for_selector("table.data tbody tr")
    assert page.locator("table.data tbody tr").count() == 2
    context.close()


@pytest.mark.parametrize("width", [1920, 1024, 400])
def test_other_widths(tab: Tab, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": 768})
    for name in ("overview", "service-typed", "try-write", "history"):
        tab.go(PAGES[name])
        tab.shot(f"{name}-{width}")
        assert not problems(tab.page, thorough=False), name
