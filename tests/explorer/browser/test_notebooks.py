"""The explorer in notebooks: a notebook that is executed, and its script in a page that stands for a cell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import chainrule as cr
from tests.explorer.networks import small, two_two_two

CELL = """async ({ script, shadow }) => {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  const heard = new Set();
  window.hear = (content) => heard.forEach((callback) => callback(content, []));
  const model = {
    send: (content) => { window.ask(content); },
    on: (event, callback) => { if (event === "msg:custom") heard.add(callback); },
    off: (event, callback) => { heard.delete(callback); },
    get: () => undefined,
  };
  const cell = document.getElementById("cell");
  const el = document.createElement("div");
  (shadow ? cell.attachShadow({ mode: "open" }) : cell).append(el);
  window.leave = await widget.render({ model, el });
  window.listening = () => heard.size;
}"""


class Notebook:
    """A page that stands for a notebook's cell, and the kernel behind it."""

    def __init__(self, page: Any, explorer: Any, shadow: bool = False) -> None:
        self.page, self.widget = page, explorer.widget()
        self.widget.send = lambda content, buffers=None: page.evaluate("content => window.hear(content)", content)
        page.expose_function("ask", lambda content: self.asked.append(content))
        self.asked: list[Any] = []
        page.set_content('<!doctype html><html lang="en"><title>A notebook</title><main id="cell"></main></html>')
        page.evaluate(CELL, {"script": str(self.widget._esm), "shadow": shadow})
        self.answer()

    def answer(self) -> None:
        """Answer what was asked until nothing more comes."""
        quiet = 0
        while quiet < 5:
            quiet = 0 if self.asked else quiet + 1
            for content in [self.asked.pop(0) for _ in range(len(self.asked))]:
                self.widget._handle_custom_msg(content, [])
            self.page.wait_for_timeout(30)


@pytest.fixture
def cell(page_of: Any) -> Iterator[Any]:
    """An empty page."""
    pytest.importorskip("anywidget", reason="the widget needs the extra explorer")
    return page_of.open("about:blank", wait=False)


@pytest.mark.parametrize("shadow", [False, True])
def test_the_script_draws_into_a_cell_and_asks_by_messages(cell: Any, look: Any, shadow: bool) -> None:
    notebook = Notebook(cell, cr.explorer(*two_two_two()), shadow)
    assert cell.locator("[data-ready=true]").count() == 1
    assert "0.298371" in cell.locator("[data-ready=true]").inner_text()
    canvas = cell.locator("canvas").first
    canvas.wait_for()
    assert cell.locator("[data-ready=true]").evaluate("element => getComputedStyle(element).getPropertyValue('--ink')")
    look(cell, f"notebook-{'shadow' if shadow else 'plain'}")
    cell.evaluate("window.leave()")
    assert cell.locator("[data-ready]").count() == 0
    assert cell.evaluate("window.listening()") == 0
    assert notebook.asked == []


def test_the_cell_has_no_violations(cell: Any, axe: Any) -> None:
    Notebook(cell, cr.explorer(*small()))
    axe(cell)


def test_the_address_of_the_notebook_stays(cell: Any) -> None:
    notebook = Notebook(cell, cr.explorer(*two_two_two()))
    cell.get_by_role("button", name="中文").click()
    notebook.answer()
    assert cell.url == "about:blank"


def test_a_notebook_that_is_executed_shows_the_widget() -> None:
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    source = "import chainrule as cr\nnet = cr.parse('2 -> fc 3', seed=1)\ncr.explorer(net, [[1.0, 2.0]], [1])"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    client.execute()
    data = notebook.cells[0].outputs[0]["data"]
    shown = data["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert data["text/plain"] == "Explorer of 2 -> fc 3"
    state = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"][shown]
    assert state["model_module"] == "anywidget"
    assert "render" in state["state"]["_esm"]
