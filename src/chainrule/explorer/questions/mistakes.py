"""Questions about mistakes that people make in a backward pass: which there are, and what one does to the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.chinese import report, said
from chainrule.diagnosis.losses import LossProblem
from chainrule.diagnosis.planting import Planted, branch_problem, layer_problem, planted
from chainrule.diagnosis.problem import Problem
from chainrule.diagnosis.report import examine
from chainrule.explorer.questions.arrays import PAGE, ArrayDict, array_dict
from chainrule.explorer.questions.asking import Question, quoted
from chainrule.explorer.questions.places import loss_name
from chainrule.explorer.questions.refusals import QuestionError
from chainrule.explorer.views import View

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

BRANCH = "branch."


class MistakeEntry(TypedDict):
    """`tensor` is the gradient in which it is made: "dx", "dweight", "dbias"; `key` begins with it. `of` names the node
    or the parameter whose gradient that is; of a node that several layers take it is the `share` that comes back
    through this layer."""

    key: str
    tensor: str
    of: str
    share: bool
    sentence: str


class MistakeAnswer(TypedDict):
    """The right gradient of `of`, that with the mistake, and wrong - right, of the sample for a node: maps `first`,
    `first` + 1, ... of `size`, each (rows, columns), or (n,) where the gradient has no rows. `scale` has the least and
    the most number of all three; `diagnosis` is what chainrule's diagnosis says of the wrong one, line by line."""

    key: str
    sentence: str
    tensor: str
    of: str
    right: ArrayDict
    wrong: ArrayDict
    difference: ArrayDict
    first: int
    count: int
    size: int
    scale: dict[str, float]
    diagnosis: list[str]


@dataclass(frozen=True)
class _Case:
    """One mistake with the problem that it belongs to; `key` is unique within the node."""

    key: str
    of: str
    problem: Problem
    made: Planted


def mistakes(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "mistakes", "node", "sample"?, "lang"?} -> {"mistakes": [MistakeEntry]}: those that change a number here;
    of the layer that makes the node, and of the sum of what comes back to it where several layers take it. The loss
    is a node here, too."""
    lang = asked.lang
    entries: list[MistakeEntry] = [
        {
            "key": case.key,
            "tensor": case.made.tensor,
            "of": case.of,
            "share": _is_share(exploration, case),
            "sentence": said(case.made.sentence, lang),
        }
        for case in _planted(exploration, asked)
    ]
    return {"mistakes": entries}


def mistake(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "mistake", "node", "key", "first"?, "count"?, "sample"?, "lang"?} -> MistakeAnswer."""
    view, lang, key = exploration.view(asked), asked.lang, asked.text("key")
    found = _planted(exploration, asked)
    case = next((case for case in found if case.key == key), None)
    if case is None:
        known = ", ".join(case.key for case in found) or "—"
        raise QuestionError("mistake", key=quoted(key), node=quoted(asked.text("node")), known=known)
    made = case.made
    judged = examine(made.tensor, made.wrong, case.problem, float(np.finfo(np.float64).eps))
    right, wrong = (_maps(array, case, view) for array in (made.right, made.wrong))
    whole = (right, wrong, wrong - right)
    fits = max(1, PAGE // (3 * right[0].size))
    first = asked.whole("first", 0, len(right) - 1, 0)
    count = min(asked.whole("count", 1, PAGE, fits), fits, len(right) - first)
    pages = [array_dict(maps[first : first + count], first) for maps in whole]
    answer: MistakeAnswer = {
        "key": key,
        "sentence": said(made.sentence, lang),
        "tensor": made.tensor,
        "of": case.of,
        "right": pages[0],
        "wrong": pages[1],
        "difference": pages[2],
        "first": first,
        "count": count,
        "size": len(right),
        "scale": {"least": min(float(maps.min()) for maps in whole), "most": max(float(maps.max()) for maps in whole)},
        "diagnosis": report(judged, made.wrong, case.problem.truths()[made.tensor], lang),
    }
    return dict(answer)


def _maps(array: Array, case: _Case, view: View) -> Array:
    """A gradient as a list of maps: of this sample, where it belongs to a node."""
    own = array if case.of in view.traced.net.parameters else array[view.row]
    if own.ndim < 2:
        return own.reshape(1, -1)
    return own if own.ndim == 2 else own.reshape(-1, *own.shape[-2:])


def _is_share(exploration: Exploration, case: _Case) -> bool:
    net = exploration.net
    if not case.made.tensor.startswith("dx") or case.key.startswith(BRANCH):
        return False
    return sum(step.inputs.count(net.index_of(case.of)) for step in net.steps) > 1


def _planted(exploration: Exploration, asked: Question) -> list[_Case]:
    """All that can be planted at a node and shows in this sample."""
    node, view = asked.text("node"), exploration.view(asked)
    key = ("mistakes", node, view.sample)
    if key not in exploration.remembered:
        exploration.remembered[key] = [
            case
            for prefix, problem in _problems(exploration, view, node)
            for made in planted(problem)
            if (case := _Case(prefix + made.key, _whose(view, node, prefix, made.tensor), problem, made))
            and (_maps(made.wrong, case, view) != _maps(made.right, case, view)).any()
        ]
    found: list[_Case] = exploration.remembered[key]
    return found


def _problems(exploration: Exploration, view: View, node: str) -> list[tuple[str, Problem]]:
    traced = view.traced
    if node == loss_name(traced.net):
        return [("", LossProblem(traced.loss, traced.ending.outputs, traced.data.targets))]
    if node not in traced.net.names:
        raise QuestionError("no_mistakes", node=quoted(node))
    problems: list[tuple[str, Problem]] = []
    if node != traced.net.names[0]:
        problems.append(("", layer_problem(traced.net, traced.trace, node, traced.training)))
    branch = branch_problem(traced.net, traced.trace, node, traced.training)
    return problems if branch is None else [*problems, (BRANCH, branch)]


def _whose(view: View, node: str, prefix: str, tensor: str) -> str:
    """The node or parameter whose gradient a tensor is."""
    net = view.traced.net
    if tensor == "doutputs":
        return net.names[-1]
    if prefix == BRANCH:
        return node
    step = net.steps[net.index_of(node) - 1]
    if tensor.startswith("dx"):
        return net.names[step.inputs[int(tensor[3:-1]) if "[" in tensor else 0]]
    return f"{step.layer_name}.{tensor[1:]}"
