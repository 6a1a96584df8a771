"""A student's file, from the stub to the verdict: every way in which it can go wrong ends in a clear sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from chainrule.cli import app
from chainrule.errors import ArgumentError, DataError, FileFormatError, NameLookupError, StorageError
from chainrule.exercises import EXERCISES, Report, grade, grade_file, stubs

DENSE = "return dy @ weight, dy.T @ x, dy.sum(axis=0)"


def dense(*lines: str, before: str = "") -> str:
    """A program that solves `dense` with these lines."""
    body = "\n".join(f"    {line}" for line in lines)
    return f"import numpy as np\n{before}\ndef dense_backward(x, weight, dy):\n{body}\n"


def graded(folder: Path, text: str, *names: str, **options: Any) -> Report:
    file = folder / "work.py"
    file.write_text(text, encoding="utf-8")
    return grade_file(file, names, seed=5, **options)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_right_solution_is_right(tmp_path: Path) -> None:
    report = graded(tmp_path, dense(DENSE))
    assert report.ok
    assert "dense: right" in str(report)
    assert "dweight: right in all 5 cases" in str(report)


def test_a_mistake_is_named_with_its_place_and_without_the_answer(tmp_path: Path) -> None:
    report = graded(tmp_path, dense("return dy @ weight, dy.T @ x / len(x), dy.sum(axis=0)"))
    assert report.verdicts[0].mistakes == {"dweight": ("extra_mean",)}
    text = str(report)
    assert "Divided by the batch size" in text
    assert "(output " in text
    rng = np.random.default_rng([5, *b"dense"])
    truths = [case.problem.truths()["dweight"].value for case in EXERCISES["dense"].cases(rng)]
    digits = {f"{abs(v):.4g}" for truth in truths for v in truth.ravel()}
    assert not any(number in text + report.json() for number in digits)


FAILURES = {
    "raises": (dense("return x[7]"), "failed", "Line 4 (return x[7]): IndexError"),
    "in a helper": (
        dense("return helper(x)", before="def helper(v):\n    return 1 / 0\n"), "failed", "Line 3 (return 1 / 0)",
    ),
    "on loading": (dense(DENSE, before="1 / 0\n"), "failed", "while the file was loaded"),
    "endless": (dense("while True:", "    x = x + 0"), "failed", "did not end in time"),
    "endless on loading": (dense(DENSE, before="while True: pass\n"), "failed", "did not end loading in time"),
    "memory": (dense("return np.ones((1 << 20, 1 << 12)), 0, 0"), "failed", "more memory than the grader allows"),
    "exit": (dense("import sys", "sys.exit(0)"), "failed", "calls sys.exit"),
    "exit on loading": (dense(DENSE, before="exit()\n"), "failed", "calls sys.exit while it is loaded"),
    "dies": (dense("import os", "os._exit(3)"), "failed", "ended without a word (code 3)"),
    "unwritten": (dense("raise NotImplementedError"), "unwritten", "it is yours to write"),
    "nothing returned": (dense("dx = dy @ weight"), "wrong", "Is a `return` missing?"),
    "one of three": (dense("return dy @ weight"), "wrong", "returns one value; expected are 3"),
    "two of three": (dense("return dy @ weight, dy.T @ x"), "wrong", "returns 2 values; expected are 3"),
    "a part is None": (dense("return dy @ weight, None, dy.sum(0)"), "wrong", "dweight is None"),
    "text": (dense('return dy @ weight, "dw", dy.sum(0)'), "wrong", "dweight is of the kind text"),
    "complex": (dense("return 1j * dy @ weight, dy.T @ x, dy.sum(0)"), "wrong", "dx is of the kind complex128"),
    "a dictionary": (dense("return {}, dy.T @ x, dy.sum(0)"), "wrong", "dx is of the kind dict"),
    "ragged": (dense("return [[1, 2], [3]], dy.T @ x, dy.sum(0)"), "wrong", "rows have different lengths"),
    "shape": (dense("return dy @ weight, dy.T @ x, dy.sum()"), "wrong", "not"),
    "nan": (dense("return dy @ weight / 0, dy.T @ x, dy.sum(0)"), "wrong", "NaN or infinite, the first at"),
    "changes x": (
        dense("x *= 2", "return dy @ weight, dy.T @ x / 2, dy.sum(0)"), "wrong", "changes its arguments in place: x",
    ),
    "remembers": (
        dense("calls.append(1)", "return dy @ weight, dy.T @ x, dy.sum(0) * (1 if len(calls) < 6 else 2)",
              before="calls = []\n"),
        "wrong", "gives another result the second time",
    ),
    "other order": (dense("return dy.T @ x, dy @ weight, dy.sum(0)"), "wrong", "in another order"),
    "whole numbers": (
        dense("dx = np.zeros(x.shape, int)", "dx[:] = dy @ weight", "return dx, dy.T @ x, dy.sum(0)"), "wrong",
        "whole numbers only",
    ),
    "chainrule": (
        dense("return linear_backward_input(dy, weight), dy.T @ x, dy.sum(0)",
              before="from chainrule.equations import linear_backward_input\n"),
        "borrowed", "Line 2 (from chainrule.equations import linear_backward_input): The solution uses chainrule",
    ),
    "chainrule in the function": (dense("import chainrule as cr", "return cr.parse"), "borrowed", "uses chainrule"),
    "torch": (dense("import torch", "return torch.ones(1)"), "borrowed", "uses torch"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_ends_in_a_clear_sentence(name: str, tmp_path: Path) -> None:
    text, status, said = FAILURES[name]
    report = graded(tmp_path, text, seconds=1.0 if name.startswith("endless") else 60.0)
    assert report.verdicts[0].status == status, str(report)
    assert said in " ".join(str(report).split()), str(report)
    assert report.text("zh").splitlines()[0].startswith("dense：")
    json.loads(report.json())


def test_what_is_printed_is_ignored_and_said(tmp_path: Path) -> None:
    report = graded(tmp_path, dense("print('here', x)", DENSE))
    assert report.ok
    assert "The code prints" in str(report)


def test_checks_of_ones_own_may_stand_under_main(tmp_path: Path) -> None:
    text = dense(DENSE) + '\nif __name__ == "__main__":\n    import chainrule\n    raise SystemExit(1)\n'
    assert graded(tmp_path, text).ok


def test_a_named_exercise_that_the_file_lacks_is_missing(tmp_path: Path) -> None:
    report = graded(tmp_path, dense(DENSE), "dense", "relu")
    assert [v.status for v in report.verdicts] == ["right", "missing"]
    assert "defines no function relu_backward" in str(report)
    assert "1 of 2 exercises right." in str(report)


def test_files_that_cannot_be_graded_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot read"):
        grade_file(tmp_path / "none.py")
    with pytest.raises(FileFormatError, match=r"line 3 of .* is not Python"):
        graded(tmp_path, "x = 1\n\ndef f(:\n")
    with pytest.raises(DataError, match="defines none of the functions"):
        graded(tmp_path, "x = 1\n")
    with pytest.raises(NameLookupError, match="did you mean 'dense'"):
        graded(tmp_path, dense(DENSE), "dens")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="UTF-8"):
        grade_file(tmp_path / "bytes.py")
    (tmp_path / "bad.ipynb").write_text("{}")
    with pytest.raises(FileFormatError, match="not a notebook"):
        grade_file(tmp_path / "bad.ipynb")
    with pytest.raises(ArgumentError, match="lang must be"):
        graded(tmp_path, dense(DENSE), lang="fr")


def test_a_seed_repeats_a_report(tmp_path: Path) -> None:
    text = dense("return dy @ weight, dy.T @ x / len(x), dy.sum(axis=0)")
    assert str(graded(tmp_path, text)) == str(graded(tmp_path, text))
    first, second = (grade_file(tmp_path / "work.py").verdicts[0].seed for _ in range(2))
    assert first != second


def notebook(*cells: str) -> str:
    made = [{"cell_type": "code", "source": cell.splitlines(True), "outputs": [{"data": "x" * 99}]} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "def no"}, *made], "nbformat": 4})


def test_a_notebook_is_graded_cell_by_cell(tmp_path: Path) -> None:
    file = tmp_path / "work.ipynb"
    file.write_text(notebook(
        "%matplotlib inline\nimport numpy as np", "!pip list", "%%bash\nls",
        "%%time\nhelper = lambda dy: dy.sum(axis=0)",
        "def dense_backward(x, weight, dy):\n    return dy @ weight, dy.T @ x, helper(dy)",
        "import torch", "1 / 0", "def broken(:",
        "from chainrule.exercises import grade\n\ngrade('dense', dense_backward)",
    ))  # fmt: skip
    report = grade_file(file)
    assert report.ok, str(report)
    text = " ".join(str(report).split())
    assert "Cell 6, line 1 (import torch): The solution uses torch" in text
    assert "Cell 7, line 1 (1 / 0): ZeroDivisionError" in text
    assert "Cell 8, line 1" in text
    assert "Cell 9" not in text
    file.write_text(notebook("def dense_backward(x, weight, dy):\n\n    return x[9]"))
    assert "Cell 1, line 3 (return x[9]): IndexError" in str(grade_file(file))


def test_a_function_is_graded_where_it_stands() -> None:
    def dense_backward(x: Any, weight: Any, dy: Any) -> Any:
        return dy @ weight, dy.T @ x, -dy.sum(axis=0)

    def wild(x: Any, weight: Any, dy: Any) -> Any:
        while True:
            pass

    def borrowing(x: Any, weight: Any, dy: Any) -> Any:
        import torch

        return torch

    report = grade("dense", dense_backward, seed=1)
    assert report.verdicts[0].mistakes == {"dbias": ("sign_flipped",)}
    assert grade("dense", borrowing).verdicts[0].status == "borrowed"
    assert "IndexError: index 9 is out of bounds" in str(grade("dense", lambda x, weight, dy: x[9]))
    assert "It did not end in time" in " ".join(str(grade("dense", wild, seconds=0.3)).split())
    with pytest.raises(ArgumentError, match="give the function itself"):
        grade("dense", "dense_backward")  # type: ignore[arg-type]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", EXERCISES)
def test_what_is_handed_out_is_a_program_and_a_notebook_without_a_solution(name: str, lang: Any) -> None:
    exercise = EXERCISES[name]
    text = stubs.program(exercise, lang)
    names: dict[str, Any] = {}
    exec(compile(text, name, "exec"), names)
    case = exercise.example()
    assert max(map(len, text.split("\n"))) <= 120
    if exercise.kind != "bug":
        with pytest.raises(NotImplementedError):
            names[exercise.function](*case.arguments.values())
    cells = json.loads(stubs.notebook(exercise, lang))["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", "code", "code"]
    assert f'grade("{name}", {exercise.function}' in "".join(cells[2]["source"])


def test_copies_are_written_once_and_all_together(tmp_path: Path) -> None:
    assert run("exercises", "copy", "all", "--to", tmp_path / "new").exit_code == 0
    assert len(list((tmp_path / "new").glob("*.py"))) == len(EXERCISES)
    (tmp_path / "new" / "dense.py").write_text("mine")
    again = run("exercises", "copy", "relu", "dense", "--to", tmp_path / "new")
    assert again.exit_code == 2
    assert "is there already" in again.output
    assert (tmp_path / "new" / "dense.py").read_text() == "mine"
    assert run("exercises", "copy", "dense", "--to", tmp_path / "new", "--force").exit_code == 0
    assert run("exercises", "copy", "dense", "--notebook", "--to", tmp_path).exit_code == 0
    assert json.loads((tmp_path / "dense.ipynb").read_text())["nbformat"] == 4
    assert "did you mean" in run("exercises", "copy", "denze").output


def test_the_commands_end_with_the_code_of_the_verdict(tmp_path: Path) -> None:
    file = tmp_path / "work.py"
    file.write_text(dense(DENSE))
    assert run("grade", file).exit_code == 0
    file.write_text(dense("return dy @ weight, dy.T @ x, -dy.sum(axis=0)"))
    result = run("grade", file, "--json", "--seed", "3")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["format"] == "chainrule-grade/1"
    assert (report["ok"], report["right"], report["count"]) == (False, 0, 1)
    assert report["exercises"][0]["results"][2]["mistakes"] == ["sign_flipped"]
    assert report["exercises"][0]["seed"] == 3
    assert run("grade", tmp_path / "none.py").exit_code == 2
    refused = run("grade", tmp_path / "none.py", "--json")
    assert refused.exit_code == 2
    assert json.loads(refused.stdout)["error"].startswith("cannot read")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_list_names_every_exercise(lang: str) -> None:
    output = run("exercises", "--lang", lang).output
    assert all(f" {name} " in output for name in EXERCISES)


REFUSED = {"none.py": None, "bytes.py": b"\xff\xfe", "e.py": b"x = 1", "s.py": b"def f(:", "n.ipynb": b"{}"}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_said_in_chinese_too(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    content = REFUSED[name]
    if content is not None:
        Path(name).write_bytes(content)
    result = CliRunner(env={"CHAINRULE_LANG": "zh"}).invoke(app, ["grade", name, "--lang", "zh"])
    assert result.exit_code == 2
    plain = result.stderr.replace("chainrule：", "").replace(name, "").replace("No such file or directory", "")
    assert not [word for word in ("is not", "defines", "cannot") if word in plain], result.stderr
    assert any("\u4e00" <= ch <= "\u9fff" for ch in plain)


def test_the_process_of_a_solution_holds_no_answers(tmp_path: Path) -> None:
    """Neither the equations nor the cases: only the runner, which knows calls and results."""
    looking = 'import sys\nseen = sorted(n for n in sys.modules if n.startswith("chainrule"))\n'
    report = graded(tmp_path, dense("raise ValueError(seen)", before=looking))
    names = "['chainrule', 'chainrule.exercises', 'chainrule.exercises.runner', 'chainrule.exercises.values']"
    assert names in " ".join(str(report).split())
