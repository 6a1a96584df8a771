"""The built site in a real browser: `make docs` first. No page has a fault that axe-core sees, asks anything of another
host, or is wider than a phone; both languages lead to each other, and both can be searched.

Some pages of each kind; all of them with CHAINRULE_LONG_TESTS=1.
"""

from __future__ import annotations

import functools
import http.server
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.explorer.browser.conftest import browser  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "docs"
AXE = ROOT / "docs" / "node_modules" / "axe-core" / "axe.min.js"
SOME = ("index", "search", "book/01-one-neuron", "book/02-chain-rule-as-a-graph", "guide/train", "reference/errata")

pytestmark = pytest.mark.skipif(not (SITE / "zh").is_dir(), reason="the site is not built: make docs")


def names(language: str) -> list[str]:
    """The pages of a language."""
    folder = SITE / language
    pages = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.html"))
    return sorted(page for page in pages if not page.startswith("_"))


def chosen(language: str) -> list[str]:
    every = os.environ.get("CHAINRULE_LONG_TESTS")
    return [f"{language}/{page}" for page in names(language) if every or page in SOME]


ALL = [*chosen("en"), *chosen("zh")]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest, address: str) -> Iterator[Any]:  # noqa: F811
    """A page that fails the test at its end if it asked anything of another host or complained."""
    scheme, width = getattr(request, "param", ("light", 1280))
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    opened, complaints = context.new_page(), []
    opened.on(
        "request", lambda asked: asked.url.startswith((address, "data:", "blob:")) or complaints.append(asked.url)
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert not complaints


def violations(page: Any) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations'], iframes: false})")["violations"]
    return [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"]]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm ci --prefix docs")
@pytest.mark.parametrize("page", [("light", 1280), ("dark", 390)], indirect=True, ids=["light", "dark, phone"])
@pytest.mark.parametrize("name", ALL)
def test_axe_sees_nothing_wrong(page: Any, name: str, address: str) -> None:
    page.goto(f"{address}/{name}.html", wait_until="load")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the window"


@pytest.mark.parametrize(("here", "there"), [("en", "zh"), ("zh", "en")])
def test_every_page_leads_to_itself_in_the_other_language(here: str, there: str) -> None:
    assert names(here) == names(there)
    for name in names(here):
        text = (SITE / here / f"{name}.html").read_text(encoding="utf-8")
        assert f'href="{"../" * (name.count("/") + 1)}{there}/{name}.html"' in text, name


@pytest.mark.parametrize(
    ("language", "query", "title"),
    [
        ("en", "sensitivity", "One number through one neuron"),
        ("zh", "神经元的灵敏度", "一个数穿过一个神经元"),
        ("zh", "卷积核", "相关与卷积"),
        ("zh", "LeNet-5", "一个数穿过一个神经元"),
    ],
)
def test_search_finds(page: Any, address: str, language: str, query: str, title: str) -> None:
    page.goto(f"{address}/{language}/search.html?q={query}")
    page.wait_for_selector("#search-results li a")
    page.wait_for_function("title => document.querySelector('#search-results').innerText.includes(title)", arg=title)


def test_the_first_page_leads_to_the_reader_s_language(browser: Any, address: str) -> None:  # noqa: F811
    for locale, language in (("zh-CN", "zh"), ("en-GB", "en"), ("fr-FR", "en")):
        context = browser.new_context(locale=locale)
        opened = context.new_page()
        opened.goto(f"{address}/index.html")
        opened.wait_for_url(f"**/{language}/index.html")
        assert opened.locator("html").get_attribute("lang").startswith(language)
        context.close()


def test_the_theme_switch_and_the_menu_work_by_keyboard(page: Any, address: str) -> None:
    page.goto(f"{address}/en/book/01-one-neuron.html")
    before = page.evaluate("document.body.dataset.theme")
    page.locator(".theme-toggle-content button").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.body.dataset.theme") != before


def test_both_languages_show_the_same_numbers() -> None:
    for name in names("en"):
        english, chinese = (numbers(SITE / language / f"{name}.html") for language in ("en", "zh"))
        assert english == chinese, name


def numbers(path: Path) -> list[str]:
    """All numbers that cells have put into the prose of a page."""
    spans = re.findall(r'<span class="number">([^<]*)</span>', path.read_text(encoding="utf-8"))
    return sorted(re.findall(r"−?\d+(?:[.,]\d+)*", " ".join(spans)))
