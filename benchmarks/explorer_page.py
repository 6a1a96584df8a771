"""What a reader of the explorer waits for: `python -m benchmarks.explorer_page`, over HTTP and in Chromium.

The first view counts from the address to the drawn maps, with a warm browser and a new exploration; a step over HTTP is
the question and its answer on the wire, a step on the page the press of a key until it stands there. Aimed at: a first
view within 1 s, a step within 50 ms, a bundle of 200 kB gzip. Needs playwright and a Chromium of the system for all but
HTTP and the bundle.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

import chainrule as cr
from benchmarks.explorer import NETWORKS
from chainrule.explorer.pages import PAGE

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
READY = "() => document.querySelector('[data-ready=true]')"
WAIT = "() => new Promise(requestAnimationFrame)"


def main() -> None:
    """Print the sizes of the bundle and a row for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40, help="steps of each network")
    parser.add_argument("networks", nargs="*", help="some of: " + ", ".join(NETWORKS))
    given = parser.parse_args()
    for title, files in {"page": ("index.html", "app.js", "app.css"), "widget": ("widget.js",)}.items():
        size = sum(len(gzip.compress((PAGE / name).read_bytes(), 9)) for name in files)
        print(f"{title:<22} {size:>10,} bytes gzip")
    print("milliseconds           parameters  step over HTTP median worst  first view  step on page median worst  file")
    with _browser() as browser:
        for name in given.networks or NETWORKS:
            net = NETWORKS[name]()
            print(
                f"{name:<22} {net.parameter_count:>10,}  {_row(_explorer(net), net, browser, given.steps)}", flush=True
            )


@contextmanager
def _browser() -> Iterator[Any]:
    """A Chromium, or None where it or Playwright is missing."""
    path = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        path = None
    if path is None:
        print("without playwright and a Chromium nothing is measured on the page")
        yield None
        return
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        browser.new_page().goto("about:blank")
        yield browser
        browser.close()


def _explorer(net: cr.Network) -> Any:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, *net.input_shape))
    if net.loss is None or isinstance(net.loss, cr.MAPLoss):
        return cr.explorer(net, x, np.arange(4), net.loss or cr.CrossEntropyLoss())
    return cr.explorer(net, x, rng.normal(size=(4, *net.output_shape)))


def _row(explorer: Any, net: cr.Network, browser: Any, steps: int) -> str:
    serving = explorer.serve(browser=False)
    try:
        row = _two(_over_http(serving.url, net, steps), 27)
        if browser is not None:
            first, pressed = _on_the_page(browser, serving.url, steps)
            row += f"  {first:>10.0f}  {_two(pressed, 26)}"
    finally:
        serving.stop()
    if browser is not None:
        with tempfile.TemporaryDirectory() as folder:
            page = explorer.save(Path(folder) / "page.html", budget=1 << 20)
            row += f"  {_first_view(browser.new_page(), page.as_uri()):>4.0f}"
    return row


def _over_http(url: str, net: cr.Network, steps: int) -> list[float]:
    """Milliseconds of questions for steps, drawn from all nodes, on one connection as a browser keeps it."""
    address = urlsplit(url)
    host = f"{address.hostname}:{address.port}"
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    connection.request("GET", f"/?{address.query}")
    entered = connection.getresponse()
    cookie = str(entered.getheader("set-cookie")).partition(";")[0]
    entered.read()
    headers = {"Content-Type": "application/json", "Origin": f"http://{host}", "Cookie": cookie}

    def ask(path: str, question: dict[str, Any]) -> Any:
        connection.request("POST", path, json.dumps(question), headers)
        return json.loads(connection.getresponse().read())

    path = f"/api/{ask('/api/new', {})['session']}"
    assert ask(path, {"ask": "overview"})["ok"]
    rng, found = np.random.default_rng(1), []
    for number in range(steps):
        position = number % len(net.names)
        index = [0, *(int(rng.integers(extent)) for extent in net.shapes[position])]
        start = time.perf_counter()
        answer = ask(
            path, {"ask": "step", "place": {"quantity": "gradient", "name": net.names[position], "index": index}}
        )
        found.append(1e3 * (time.perf_counter() - start))
        assert answer["ok"], answer
    return found


def _on_the_page(browser: Any, url: str, steps: int) -> tuple[float, list[float]]:
    """The first view, and presses of the key for the next stop, in milliseconds."""
    page = browser.new_context(reduced_motion="reduce").new_page()
    first = _first_view(page, url)
    stops = page.evaluate(
        """async (steps) => {
          const found = [];
          for (let k = 0; k < steps; k++) {
            const start = performance.now();
            const key = { key: k % 12 === 11 ? "Home" : "ArrowRight", shiftKey: k % 12 !== 11, bubbles: true };
            document.body.dispatchEvent(new KeyboardEvent("keydown", key));
            do await new Promise(requestAnimationFrame);
            while (!document.querySelector("[data-ready=true]"));
            found.push(performance.now() - start);
          }
          return found;
        }""",
        steps,
    )
    page.context.close()
    return first, stops


def _first_view(page: Any, url: str) -> float:
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_function(READY)
    page.evaluate(WAIT)
    return 1e3 * (time.perf_counter() - start)


def _two(found: list[float], width: int) -> str:
    return f"{statistics.median(found):.1f} {max(found):>6.1f}".rjust(width)


if __name__ == "__main__":
    main()
