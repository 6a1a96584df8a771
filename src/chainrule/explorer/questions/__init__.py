"""The questions that an exploration answers: a small module for each family, and the list of all of them.

Every answer is a dictionary that JSON can hold. Its parts are described where they are made: `Overview` in `overview`,
`StepDict` in `steps`, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chainrule.explorer.questions.arrays import array
from chainrule.explorer.questions.asking import Question
from chainrule.explorer.questions.changes import draw, reset, sample, set_values
from chainrule.explorer.questions.examples import example, examples
from chainrule.explorer.questions.mistakes import mistake, mistakes
from chainrule.explorer.questions.nudging import nudge
from chainrule.explorer.questions.overview import overview
from chainrule.explorer.questions.steps import step
from chainrule.explorer.questions.telling import text
from chainrule.explorer.questions.tour import tour
from chainrule.explorer.questions.training import train, undo_training

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

QUESTIONS: dict[str, Callable[[Exploration, Question], Mapping[str, Any]]] = {
    "overview": overview,
    "array": array,
    "step": step,
    "tour": tour,
    "nudge": nudge,
    "set": set_values,
    "reset": reset,
    "draw": draw,
    "sample": sample,
    "train": train,
    "undo_training": undo_training,
    "examples": examples,
    "example": example,
    "mistakes": mistakes,
    "mistake": mistake,
    "text": text,
}
"""Every question by name, with what answers it."""

__all__ = ["QUESTIONS"]
