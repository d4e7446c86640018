"""What is asked of every page for people who do not see it well, or have no mouse.

axe-core where ./run setup-full has put it; and a few rules of our own, which need nothing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_CACHE = Path(
    os.environ.get("YILIAN_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "yilian"
)
AXE = _CACHE / "npm" / "node_modules" / "axe-core" / "axe.min.js"

#: answers what is wrong, as sentences
_OWN_RULES = """() => {
    const wrong = [];
    const all = (selector) => Array.from(document.querySelectorAll(selector));
    const seen = (one) => one.getClientRects().length > 0;
    if (!/^(zh-CN|en)$/.test(document.documentElement.lang)) wrong.push("no language");
    if (all("h1").length !== 1) wrong.push("one h1 is expected");
    if (all("main").length !== 1) wrong.push("one main is expected");
    if (document.documentElement.scrollWidth > window.innerWidth + 1)
        wrong.push("wider than the window: " + document.documentElement.scrollWidth);
    const ids = all("[id]").map((one) => one.id);
    ids.filter((id, index) => ids.indexOf(id) !== index)
        .forEach((id) => wrong.push("id twice: " + id));
    all("input:not([type=hidden]), select, textarea").filter(seen).forEach((one) => {
        if (!one.labels.length && !one.getAttribute("aria-label"))
            wrong.push("no label: " + one.id);
    });
    all("button, a[href]").filter(seen).forEach((one) => {
        const name = one.getAttribute("aria-label") || one.textContent;
        if (!name.trim()) wrong.push("no name: " + one.outerHTML.slice(0, 120));
    });
    all("table").forEach((one) => {
        if (!one.querySelector("thead th[scope=col]")) wrong.push("a table without heads");
        Array.from(one.querySelectorAll("th")).forEach((head) => {
            if (!head.scope) wrong.push("no scope: " + head.textContent.slice(0, 40));
        });
    });
    all("a[href^='#']").forEach((one) => {
        const id = decodeURIComponent(one.hash.slice(1));
        if (id && !document.getElementById(id)) wrong.push("leads nowhere: #" + id);
    });

    const parsed = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
    const light = (rgb) => rgb.slice(0, 3).map((part) => {
        part /= 255;
        return part <= 0.03928 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
    }).reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const ground = (one) => {
        for (let at = one; at; at = at.parentElement) {
            const colour = parsed(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const told = new Set();
    while (walker.nextNode()) {
        const one = walker.currentNode.parentElement;
        const box = one.getBoundingClientRect();
        if (!walker.currentNode.data.trim() || !seen(one) || box.width < 2) continue;
        if (one.closest("[disabled], option, script, style, [aria-hidden=true]")) continue;
        const [a, b] = [light(parsed(getComputedStyle(one).color)), light(ground(one))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const words = walker.currentNode.data.trim().slice(0, 40);
        if (ratio < 4.5) told.add(ratio.toFixed(2) + ": " + words);
    }
    told.forEach((one) => wrong.push("contrast " + one));
    return wrong;
}"""

_AXE_RUN = """() => axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }).then(
    (result) => result.violations.map((one) => one.id + ": "
        + one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ")))"""


def problems(page: Any, *, thorough: bool = True) -> list[str]:
    """What is wrong with the page as it stands, one sentence each. ``thorough``: axe-core too."""
    found = [str(one) for one in page.evaluate(_OWN_RULES)]
    if thorough and AXE.exists():
        page.evaluate(AXE.read_text("utf-8"))
        found += [f"axe {one}" for one in page.evaluate(_AXE_RUN)]
    return found
