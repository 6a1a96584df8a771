"""Wrong solutions are called by the name of their mistake, right ones are never refused, however they are written."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.exercises import EXERCISES, stubs
from chainrule.exercises.messages import SENTENCES, axis_name, hint, hinted, task
from tests.exercises.planted import PLANTED, right_ones, solve, wrong


@pytest.mark.parametrize("name", EXERCISES)
def test_right_solutions_are_never_refused(name: str) -> None:
    for exercise, how, text in right_ones():
        if exercise == name:
            report = solve(name, text)
            assert report.ok, f"{how}\n{report}"


def test_there_are_enough_of_both() -> None:
    assert len(PLANTED) >= 100
    assert len(right_ones()) - len(EXERCISES) >= 30
    assert {name for name, *_ in PLANTED} == set(EXERCISES)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_planted_mistake_is_named(name: str) -> None:
    """Each one of them, although 95 of 100 would do."""
    for exercise, result, mistake, old, new in PLANTED:
        if exercise == name:
            report = solve(name, wrong(name, old, new))
            assert not report.ok, (old, new)
            assert mistake in report.verdicts[0].mistakes[result][:3], f"{mistake}\n{report}"
            assert "No mistake that the grader knows" not in report.text()
            assert report.text("zh").isprintable() or "\n" in report.text("zh")


def test_every_mistake_has_a_sentence_in_both_languages() -> None:
    rng, needed = np.random.default_rng(1), set()
    for exercise in EXERCISES.values():
        for case in exercise.cases(rng):
            needed |= {suspect.key for name in exercise.returns for suspect, _ in case.problem.wrong(name)}
    assert needed <= hinted(), needed - hinted()
    for key in hinted():
        english, chinese = hint(key, "the batch size", "en"), hint(key, "the batch size", "zh")
        assert english[-1] in ".?!", key
        assert chinese[-1] in "。？！", key
        assert not any("\u4e00" <= ch <= "\u9fff" for ch in english), key


def test_sentences_and_tasks_have_the_same_places_in_both_languages() -> None:
    import re

    for key, (english, chinese) in SENTENCES.items():
        assert set(re.findall(r"\{(\w+)\}", english)) == set(re.findall(r"\{(\w+)\}", chinese)), key
    for name, exercise in EXERCISES.items():
        english, chinese = task(name, "en"), task(name, "zh")
        assert set(english) == set(chinese) == {"title", "task", "shapes"}
        assert english["task"].count("\n\n") == chinese["task"].count("\n\n"), name
        for result in exercise.returns:
            assert result in english["shapes"] + english["title"] or len(exercise.returns) == 1, (name, result)


def test_axes_have_names_in_chinese() -> None:
    rng = np.random.default_rng(1)
    for exercise in EXERCISES.values():
        for name, truth in next(iter(exercise.cases(rng))).problem.truths().items():
            if name in exercise.returns:
                assert all(axis_name(axis, "zh") != axis for axis in truth.axes), (exercise.name, truth.axes)


def test_a_bug_is_not_named_while_it_is_still_there(tmp_path: pytest.TempPathFactory) -> None:
    from pathlib import Path

    from chainrule.exercises import grade_file

    for exercise in (e for e in EXERCISES.values() if e.kind == "bug"):
        file = Path(str(tmp_path)) / stubs.file_name(exercise, False)
        file.write_text(stubs.program(exercise))
        report = grade_file(file)
        assert not report.ok
        assert "the bug is still in it" in " ".join(str(report).split())
        assert "Likely mistake" not in str(report)
        assert not any(report.verdicts[0].mistakes.values())


def test_two_mistakes_at_once_are_both_named() -> None:
    """A batch of one hides the second, and other counts are as large as the batch in some cases."""
    both = wrong("strided-input", "range(H)", "range(H - 1)").replace("return dx", "return dx / n")
    report = solve("strided-input", both)
    assert report.verdicts[0].mistakes == {"dx": ("loop_ends_early+extra_mean",)}
    assert "Divided by the batch size" in " ".join(str(report).split())
