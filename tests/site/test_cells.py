"""The cells of the site's pages: what they show, what they compute in prose, and how they fail."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    monkeypatch.syspath_prepend(str(DOCS / "book"))
    import running as module  # type: ignore[import-not-found]

    return module


def cell(code: str) -> str:
    return f"```{{code-cell}}\n{code}\n```\n"


def run(running: ModuleType, text: str, tmp_path: Path, language: str = "en") -> object:
    return running.results_of(text, Path("page.md"), "book/page", language, tmp_path / "kept")


@pytest.mark.skipif(sys.platform != "linux", reason="the site is built on Linux")
def test_cells_share_names_and_numbers_reach_the_prose(running: ModuleType, tmp_path: Path) -> None:
    text = cell("x = 0.5\nprint(x)") + "{eval}`x` {eval}`-x:.2f` {eval}`later`\n" + cell("later = 61706\nx * 2")
    found = run(running, text, tmp_path)
    assert found.values == {"x": "0.5", "-x:.2f": "−0.50", "later": "61,706"}
    assert [(output.text, output.shown) for output in found.outputs] == [("0.5\n", ""), ("", "1.0")]


def test_a_page_knows_its_language(running: ModuleType, tmp_path: Path) -> None:
    text = cell("from figures import say\nprint(lang, say('loss', '损失'))")
    assert run(running, text, tmp_path).outputs[0].text == "en loss\n"
    assert run(running, text, tmp_path, "zh").outputs[0].text == "zh 损失\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (cell("x = 1\nassert x == 2, 'the prose is wrong'"), "AssertionError: the prose is wrong\nline 2 of the cell"),
        (cell("import warnings\nwarnings.warn('old')"), "UserWarning: old"),
        ("{eval}`nothing`", "page.md:1: nothing: NameError"),
        (cell("x = 1") + "{eval}`x`\n" + cell("x = 2") + "{eval}`x`", "x has two values on this page"),
    ],
)
def test_what_is_wrong_fails_the_build(running: ModuleType, tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(running.CellError) as error:
        run(running, text, tmp_path)
    assert said in str(error.value)
    assert not list((tmp_path / "kept").glob("*")), "a page that failed is not kept"


def test_what_ran_is_kept_until_a_cell_changes(running: ModuleType, tmp_path: Path) -> None:
    text = cell("import os\nprint(os.getpid())")
    first = run(running, text, tmp_path)
    assert run(running, "Other prose.\n\n" + text, tmp_path) == first
    assert run(running, text.replace("print(", "print( "), tmp_path) != first
