"""The README's programs run, and the two languages show the same ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

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


def test_every_module_is_in_the_table() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "chainrule"
    for path in package.iterdir():
        if path.name.startswith(("_", ".")) or not (path.is_dir() or path.suffix == ".py"):
            continue
        name = f"`{path.name}/`" if path.is_dir() else f"`{path.name}`"
        assert name in text, f"{name} is missing in the README"


@pytest.mark.parametrize("number", range(3))
def test_program(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    program = programs("README.md")[number].replace("epochs=5", "epochs=1")
    exec(compile(program, f"README program {number}", "exec"), {})
    output = capsys.readouterr().out
    assert ("epoch 1/1", "0.2983711087600027", "The gradients are right")[number] in output
