"""The page "In and out": each row of its table leads to a section, and the programs there run and use what it names."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chainrule.cli import app
from chainrule.errors import MissingExtraError

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {"en": "interchange.md", "zh": "interchange.zh-CN.md"}
OPTIONAL = (
    "PIL",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "torch",
    "h5py",
    "jinja2",
    "sklearn",
    "skl2onnx",
    "tensorboardX",
)
"""What a program may import that is not installed everywhere."""


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it: programs and commands, in their order."""

    title: str
    blocks: tuple[tuple[str, str], ...]

    @property
    def anchor(self) -> str:
        return "#" + re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")

    @property
    def code(self) -> str:
        return "\n".join(text for _, text in self.blocks)


@cache
def sections(language: str) -> tuple[Section, ...]:
    """All parts of the page that have a heading; the first holds what all programs begin with."""
    parts = re.split(r"^## ", (DOCS / PAGES[language]).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return tuple(
        Section(part.split("\n", 1)[0], tuple(re.findall(r"^```(\w+)\n(.*?)^```", part, re.DOTALL | re.MULTILINE)))
        for part in parts
    )


def rows(language: str) -> list[list[str]]:
    """The cells of the table."""
    text = (DOCS / PAGES[language]).read_text(encoding="utf-8")
    lines = [line for line in text.split("\n## ", 1)[0].splitlines() if line.startswith("| [")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def titles() -> list[str]:
    return [section.title for section in sections("en")[1:]]


def test_both_languages_run_the_same() -> None:
    def bare(language: str) -> list[tuple[tuple[str, str], ...]]:
        return [
            tuple((kind, re.sub(r"\s+#.*", "", text)) for kind, text in section.blocks)
            for section in sections(language)
        ]

    assert bare("en") == bare("zh")
    assert [row[1:] for row in rows("en")] == [row[1:] for row in rows("zh")]


@pytest.mark.parametrize("language", PAGES)
def test_rows_and_sections_belong_together(language: str) -> None:
    linked = [re.search(r"\]\((#[^)]*)\)", row[0]) for row in rows(language)]
    assert [found and found[1] for found in linked] == [section.anchor for section in sections(language)[1:]]


def used_names(text: str) -> list[str]:
    """What must stand in the programs: the function of a call, the last part of a dotted name, each word of a command
    that is no placeholder."""
    if " " in text or text.startswith("-"):
        return [word for word in text.split() if word.islower()]
    return [text.partition("(")[0].rpartition(".")[2]]


@pytest.mark.parametrize("title", titles())
def test_a_row_names_what_its_section_uses(title: str) -> None:
    number = titles().index(title)
    code = sections("en")[1:][number].code
    named = re.findall(r"`([^`]+)`", " ".join(rows("en")[number][1:3]))
    assert named
    for text in named:
        assert all(name in code for name in used_names(text)), f"{text}: no program of the section uses it"


@pytest.mark.parametrize("title", titles())
def test_the_programs_of_a_section(title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAINRULE_DATA", "")  # programs may set it
    first, *others = sections("en")
    section = next(section for section in others if section.title == title)
    assert section.blocks, f"{title}: nothing is tested"
    names: dict[str, Any] = {}
    for kind, text in (*first.blocks, *section.blocks):
        if kind == "python":
            run_program(text, names, title)
        else:
            assert kind == "console", f"{title}: {kind} is neither python nor console"
            for line in text.splitlines():
                run_command(line)


def run_program(text: str, names: dict[str, Any], title: str) -> None:
    try:
        exec(compile(text, f"docs/interchange.md, {title}", "exec"), names)
    except MissingExtraError as error:
        pytest.skip(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in OPTIONAL:
            raise
        pytest.skip(f"{error.name} is not installed")


def run_command(line: str) -> None:
    program, command, *arguments = shlex.split(line.removeprefix("$ "))
    assert program == "chainrule", line
    result = CliRunner().invoke(app, [command, *arguments])
    assert result.exit_code == 0, f"{line}\n{result.output}"
