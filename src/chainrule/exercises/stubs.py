"""What a student is handed: a .py file or a notebook with the task, the shapes, an example, and an empty function."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np

from chainrule.exercises.exercise import Exercise
from chainrule.exercises.messages import task
from chainrule.exercises.values import Callback
from chainrule.explain.messages import Language
from chainrule.explain.wrapping import wrap

WIDTH = 79
WORDS: dict[str, tuple[str, str]] = {
    "shapes": ("Shapes:", "形状："),
    "example": ("Example:", "例子："),
    "grade": ("Grade it with: ", "评分："),
    "bug": ("Find the bug: ", "找错："),
    "write": ("Write this function; its name and arguments stay as they are.", "写出这个函数；函数名与参数保持不变。"),
    "callback": ("a function of an array", "以数组为自变量的函数"),
}


def file_name(exercise: Exercise, notebook: bool) -> str:
    """dense.py, or dense.ipynb; a name that Python can import."""
    return exercise.name.replace("-", "_") + (".ipynb" if notebook else ".py")


def program(exercise: Exercise, lang: Language = "en") -> str:
    """The text of the .py file."""
    text = task(exercise.name, lang)
    lines = [f'"""{_title(exercise, lang)}', "", *_paragraphs(text["task"]), ""]
    lines += [_word("shapes", lang), *_indented(text["shapes"]), ""]
    lines += [_word("example", lang), *_indented("\n".join(_example(exercise, lang))), ""]
    lines += [f"{_word('grade', lang)}chainrule grade {file_name(exercise, False)}", '"""', ""]
    return "\n".join([*lines, "import numpy as np", "", "", code(exercise, lang)])


def code(exercise: Exercise, lang: Language = "en") -> str:
    """The function as it is handed out: empty, or with its bug."""
    if exercise.kind == "bug":
        handed: str = files("chainrule.exercises").joinpath("bugs", f"{exercise.name}.txt").read_text(encoding="utf-8")
        return handed
    arguments = ", ".join(exercise.example().arguments)
    return f'def {exercise.function}({arguments}):\n    """{_word("write", lang)}"""\n    raise NotImplementedError\n'


def notebook(exercise: Exercise, lang: Language = "en") -> str:
    """The text of the .ipynb file: the task, the function, and a call of the grader."""
    text = task(exercise.name, lang)
    example = "\n".join(_example(exercise, lang))
    told = [
        f"# {_title(exercise, lang)}", text["task"], f"**{_word('shapes', lang)}**", f"```\n{text['shapes']}\n```",
        f"**{_word('example', lang)}**", f"```\n{example}\n```",
    ]  # fmt: skip
    more = "" if lang == "en" else f', lang="{lang}"'
    call = f'from chainrule.exercises import grade\n\ngrade("{exercise.name}", {exercise.function}{more})'
    cells = [
        _cell("markdown", "\n\n".join(told)),
        _cell("code", f"import numpy as np\n\n\n{code(exercise, lang).rstrip()}"),
        _cell("code", call),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"{exercise.name}-{number}"
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": cells, "metadata": {"kernelspec": python}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _cell(kind: str, source: str) -> dict[str, Any]:
    more: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(True), **more}


def _word(key: str, lang: Language) -> str:
    return WORDS[key][lang == "zh"]


def _title(exercise: Exercise, lang: Language) -> str:
    title = task(exercise.name, lang)["title"]
    return _word("bug", lang) + title if exercise.kind == "bug" else title


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        yield from wrap(paragraph, WIDTH)


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.strip().split("\n")]


def _example(exercise: Exercise, lang: Language) -> Iterator[str]:
    """Small arguments and what comes out, one a line."""
    case = exercise.example()
    truths = case.problem.truths()
    names = [*case.arguments, *exercise.returns]
    width = max(map(len, names))
    for name, value in case.arguments.items():
        told = _word("callback", lang) if isinstance(value, Callback) else _number(value)
        yield f"{name:<{width}} = {told}"
    for name in exercise.returns:
        yield f"{name:<{width}} = {_number(truths[name].value)}"


def _number(value: Any) -> str:
    """An array as nested lists, with at most six digits."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list):
        return f"[{', '.join(map(_number, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
