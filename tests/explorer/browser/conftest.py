"""Fixtures of the browser tests: the explorer's page over a real server or as a file, in a real Chromium.

`page_of` opens it; whatever the browser complains of (errors of scripts, of the console, of requests) fails the test at
its end. They are skipped where Playwright, a Chromium or axe-core is missing: `pip install playwright`, a Chromium of
the system (or CHAINRULE_CHROMIUM=/path/to/it), and `npm ci` in web/.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

import chainrule as cr
from chainrule.explorer.server import Serving

ROOT = Path(__file__).parents[3]
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 90_000  # milliseconds, which a busy machine may need
MOST_COMPLAINTS = 20
SETTLED = """() => {
  const root = document.querySelector("[data-ready]");
  return root && (document.querySelector("[role=alert]") ||
    (root.dataset.ready === "true" && root.getAttribute("aria-busy") !== "true"));
}"""


def _chromium() -> str | None:
    """A Chromium of this machine."""
    return os.environ.get("CHAINRULE_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests of a process."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = _chromium()
    if path is None:
        pytest.skip(f"no Chromium is installed: none of {', '.join(NAMES)}")
    with api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield opened
        opened.close()


@dataclass
class Pages:
    """Opens pages of the explorer, watches them, and closes everything at the end."""

    browser: Any
    folder: Path
    complaints: list[str] = field(default_factory=list)
    servers: list[Serving] = field(default_factory=list)
    _contexts: list[Any] = field(default_factory=list)

    def __call__(
        self,
        net: cr.Network,
        x: Any,
        targets: Any,
        loss: cr.Loss | None = None,
        *,
        host: Literal["server", "static"] = "server",
        save: Path | None = None,
        budget: int = 400_000,
        exploring: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """A Playwright page with the first view drawn; `exploring` goes to `cr.explorer`, `options` to `open`."""
        explorer = cr.explorer(net, x, targets, loss, **(exploring or {}))
        if host == "static":
            return self.open(
                explorer.save(self.folder / f"{len(self._contexts)}.html", budget=budget).as_uri(), **options
            )
        self.servers.append(explorer.serve(browser=False, save=save))
        return self.open(self.servers[-1].url, **options)

    def open(
        self,
        url: str,
        *,
        lang: str = "en",
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        reduced: bool = True,
        hash: str = "",
        javascript: bool = True,
        wait: bool = True,
        context: Any = None,
    ) -> Any:
        """A page of its own context (its own cookies), or another tab of a `context` that is there."""
        if context is None:
            context = self.browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce" if reduced else "no-preference",
                locale="zh-CN" if lang == "zh" else "en-GB",
                java_script_enabled=javascript,
            )
            self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        self._watch(page)
        page.goto(f"{url}#{hash.lstrip('#')}" if hash else url)
        if javascript and wait:
            settled(page)
        return page

    def _watch(self, page: Any) -> None:
        def said(text: str) -> None:
            if len(self.complaints) < MOST_COMPLAINTS:
                self.complaints.append(text)

        page.on("pageerror", lambda error: said(f"uncaught: {error}"))
        page.on("console", lambda message: said(message.text) if message.type in ("error", "warning") else None)
        page.on("requestfailed", lambda request: said(f"failed: {request.method} {request.url}: {request.failure}"))

    @staticmethod
    def session(page: Any) -> str:
        """The name of the exploration that a tab talks to."""
        return str(page.evaluate("sessionStorage.getItem('chainrule-session')"))

    def forgive(self, *parts: str) -> None:
        """The test provoked complaints that contain one of these; there must be some."""
        left = [text for text in self.complaints if not any(part in text for part in parts)]
        assert len(left) < len(self.complaints), f"nothing was complained of: {self.complaints}"
        self.complaints[:] = left

    def close(self) -> None:
        """Close it all, and fail where the browser complained."""
        for context in self._contexts:
            context.close()
        for server in self.servers:
            server.stop()
        assert not self.complaints, "the browser complained:\n" + "\n".join(self.complaints)


@pytest.fixture
def page_of(browser: Any, tmp_path: Path) -> Iterator[Pages]:
    """`page_of(net, x, targets, ...)` opens the explorer; see `Pages`."""
    pages = Pages(browser, tmp_path)
    yield pages
    pages.close()


def settled(page: Any) -> Any:
    """The page, once its first view stands and no question is under way (or it says what went wrong)."""
    page.wait_for_function(SETTLED)
    return page


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    """`axe(page)` asserts that axe-core finds nothing wrong with the page as it is."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: say npm ci in web/")
    source = AXE.read_text(encoding="utf-8")

    def check(page: Any, **options: Any) -> None:
        page.evaluate(source)
        found = page.evaluate("options => axe.run(document, options)", options)["violations"]
        assert not found, "\n".join(
            f"{one['id']} ({one['impact']}): {one['help']}\n  "
            + "\n  ".join(json.dumps(node["html"])[:300] + " " + node["failureSummary"] for node in one["nodes"][:4])
            for one in found
        )

    return check


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Callable[..., Path]:
    """`look(page, "name")` keeps a screenshot of the page as it is in build/screenshots."""

    def taken(page: Any, name: str | None = None, *, full: bool = False) -> Path:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name or request.node.name}.png"
        page.screenshot(path=path, full_page=full)
        return path

    return taken
