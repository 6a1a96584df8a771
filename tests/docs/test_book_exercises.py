"""The exercises that the chapters name are exercises of `chainrule exercises`."""

import re
from pathlib import Path

import pytest

from chainrule.exercises.catalogue import EXERCISES

CHAPTERS = sorted((Path(__file__).parents[2] / "docs" / "book").glob("[0-9][0-9]-*.md"))
NAMED = re.compile(r"\((`[\w-]+`(?:, `[\w-]+`)*)\)$", re.MULTILINE)


def names_in(chapter: Path) -> list[str]:
    exercises = chapter.read_text(encoding="utf-8").partition("\n## Exercises\n")[2]
    return [name.strip("`") for group in NAMED.findall(exercises) for name in group.split(", ")]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_names_of_exercises_exist(chapter: Path) -> None:
    unknown = [name for name in names_in(chapter) if name not in EXERCISES]
    assert not unknown


def test_chapters_name_most_exercises() -> None:
    named = {name for chapter in CHAPTERS for name in names_in(chapter)}
    assert len(named) > 0.75 * len(EXERCISES), set(EXERCISES) - named
