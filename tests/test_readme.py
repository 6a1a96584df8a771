"""The README's programs run, and the two languages show the same ones."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule import zoo
from chainrule.cli.app import app
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def programs(name: str) -> list[str]:
    return BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))


def test_both_languages_show_the_same_programs() -> None:
    def bare(text: str) -> str:
        return re.sub(r'\s+#.*|, lang="zh"', "", text)

    assert [bare(p) for p in programs("README.md")] == [bare(p) for p in programs("README.zh-CN.md")]


def test_both_languages_have_the_same_parts() -> None:
    counts = []
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        counts.append((text.count("\n## "), text.count("```"), text.count("\n| ")))
    assert counts[0] == counts[1]


def test_every_module_is_in_the_map_of_the_contributors() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "chainrule"
    for path in package.iterdir():
        if path.name.startswith(("_", ".")) or not (path.is_dir() or path.suffix == ".py"):
            continue
        name = f"`{path.name}/`" if path.is_dir() else f"`{path.name}`"
        assert name in text, f"{name} is missing in CONTRIBUTING.md"


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_every_layer_and_every_loss_is_in_the_list(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for kind in (*LAYERS, *LOSSES):
        assert f"`{kind}`" in text, f"{kind} is missing in {name}"


@pytest.mark.parametrize("name, lang", [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_derivation_that_is_shown_is_the_one_that_is_printed(name: str, lang: Any) -> None:
    net = zoo.two_two_two()
    derivation = cr.explain(net, [[0.05, 0.1]], [[0.01, 0.99]], cr.HalfSquaredErrorLoss(), of="linear2.weight[0,0]")
    printed = derivation.text(lang=lang)
    assert printed[printed.index("3/4") :].strip() in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name, lang", [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_check_that_is_shown_looks_like_the_one_that_is_printed(name: str, lang: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    command = re.search(r"    chainrule (check --net .*)", text)
    assert command is not None
    printed = CliRunner().invoke(app, [*shlex.split(command[1])]).stdout
    for line in printed.splitlines():
        shape = re.sub(r"\\?[\d.]+e-\d+|\[[\d,]*\]", ".+", re.escape(line).replace(r"\-", "-").replace(r"\ ", " "))
        shape = re.sub(r" +", " +", re.sub(r"\d\\?\.\de-\d\d|\\\[[\d,]*\\\]", ".+?", shape))
        assert re.search(shape, text), line


def test_nothing_is_called_by_a_number_of_the_sources() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        assert not re.search(r"\b(S[0-4]-|ER\d|W\d\d)", (ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("number, words", [(0, "0.2983711087600027"), (1, ""), (2, "epoch 1/1"), (3, "True")])
def test_program(number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    if number == 1:
        pytest.importorskip("anywidget")
    monkeypatch.chdir(tmp_path)
    program = programs("README.md")[number].replace("epochs=5", "epochs=1")
    exec(compile(program, f"README program {number}", "exec"), {})
    assert words in capsys.readouterr().out
