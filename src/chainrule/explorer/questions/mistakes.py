"""Questions about mistakes that people make in a backward pass: which there are, and what one does to the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.chinese import report, said
from chainrule.diagnosis.planting import Planted, branch_problem, layer_problem, planted
from chainrule.diagnosis.problem import Problem
from chainrule.diagnosis.report import examine
from chainrule.explorer.questions.arrays import PAGE, ArrayDict, array_dict
from chainrule.explorer.questions.asking import Question, unknown_name
from chainrule.explorer.questions.refusals import QuestionError
from chainrule.explorer.views import View

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration


class MistakeEntry(TypedDict):
    """`tensor` is the gradient in which it is made: "dx", "dweight", "dbias"; `key` begins with it."""

    key: str
    tensor: str
    sentence: str


class MistakeAnswer(TypedDict):
    """The right gradient, that with the mistake, and their difference, in maps like those of `array` (of the sample,
    for "dx"; as many as one answer holds); `diagnosis` is what chainrule's diagnosis says of the wrong one, line by
    line."""

    key: str
    sentence: str
    tensor: str
    right: ArrayDict
    wrong: ArrayDict
    difference: ArrayDict
    diagnosis: list[str]


def mistakes(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "mistakes", "node", "sample"?, "lang"?} -> {"mistakes": [MistakeEntry]}: those that change a number here;
    of the layer that makes the node, and of the sum of what comes back to it where several layers take it."""
    lang = asked.lang
    _, found = _planted(exploration, asked)
    entries: list[MistakeEntry] = [
        {"key": key, "tensor": made.tensor, "sentence": said(made.sentence, lang)} for key, made, _ in found
    ]
    return {"mistakes": entries}


def mistake(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "mistake", "node", "key", "sample"?, "lang"?} -> MistakeAnswer."""
    lang, key = asked.lang, asked.text("key")
    node, found = _planted(exploration, asked)
    chosen = next((entry for entry in found if entry[0] == key), None)
    if chosen is None:
        raise QuestionError("mistake", key=key[:80], node=node, known=", ".join(entry[0] for entry in found) or "—")
    _, made, problem = chosen
    judged = examine(made.tensor, made.wrong, problem, float(np.finfo(np.float64).eps))
    right, wrong = (_shown(array, made.tensor, exploration.view(asked)) for array in (made.right, made.wrong))
    answer: MistakeAnswer = {
        "key": key,
        "sentence": said(made.sentence, lang),
        "tensor": made.tensor,
        "right": array_dict(right),
        "wrong": array_dict(wrong),
        "difference": array_dict(wrong - right),
        "diagnosis": report(judged, made.wrong, problem.truths()[made.tensor], lang),
    }
    return dict(answer)


def _shown(array: Array, tensor: str, view: View) -> Array:
    """This sample's part of a gradient of inputs, or a parameter's: as many maps as one answer holds."""
    maps = array[view.row] if tensor.startswith("dx") else array
    maps = maps.reshape(1) if not maps.ndim else maps
    return maps[: max(1, PAGE // max(1, maps[:1].size))]


def _planted(exploration: Exploration, asked: Question) -> tuple[str, list[tuple[str, Planted, Problem]]]:
    """The node, and (key, mistake, problem) of all that can be planted there."""
    node, view = asked.text("node"), exploration.view(asked)
    if node not in exploration.net.names:
        raise unknown_name(node)
    key = ("mistakes", node, view.sample)
    if key not in exploration.remembered:
        exploration.remembered[key] = [
            (prefix + made.key, made, problem) for prefix, problem in _problems(view, node) for made in planted(problem)
        ]
    found: list[tuple[str, Planted, Problem]] = exploration.remembered[key]
    return node, found


def _problems(view: View, node: str) -> list[tuple[str, Problem]]:
    traced = view.traced
    problems: list[tuple[str, Problem]] = []
    if node != traced.net.names[0]:
        problems.append(("", layer_problem(traced.net, traced.trace, node, traced.training)))
    branch = branch_problem(traced.net, traced.trace, node, traced.training)
    return problems if branch is None else [*problems, ("branch.", branch)]
