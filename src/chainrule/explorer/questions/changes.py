"""Questions that change something, or try what a change would do: nudge, set, reset, draw, sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from chainrule.arrays import Array, to_floats
from chainrule.errors import ChainruleError
from chainrule.explain.nudging import losses_along
from chainrule.explain.nudging import nudge as explained_nudge
from chainrule.explain.steps import Nudge
from chainrule.explain.terms import Place
from chainrule.explorer.questions.arrays import read_array
from chainrule.explorer.questions.asking import Question, finite_number, whole_number
from chainrule.explorer.questions.overview import is_picture
from chainrule.explorer.questions.places import Spot, read_spot
from chainrule.explorer.questions.refusals import QuestionError, refused_form
from chainrule.shapes import shape_text
from chainrule.training import check_targets

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

CURVE = 41
"""Points of the loss along one number."""
LARGEST_VALUE = 1e6
MOST_CHANGES = 4096
MOST_PIXELS = 262_144
LARGEST_SIDE = 1024


class NudgeAnswer(TypedDict):
    """The number is `start`; raised by `step` the loss goes from `before` to `after`, by `change`; the gradient says
    `predicted` = `gradient` x `step`. `losses` are 41 points [offset, loss] on both sides, for a curve beside its
    tangent (null where the loss is not finite)."""

    start: float
    step: float
    before: float
    after: float
    change: float
    predicted: float
    gradient: float
    losses: list[list[float | None]]


class SampleAnswer(TypedDict):
    """The sample that is looked at now."""

    sample: int


def nudge(exploration: Exploration, asked: Question) -> NudgeAnswer:
    """{"ask": "nudge", "place", "by"?, "sample"? (for parameters)} -> NudgeAnswer; nothing is changed for good. Without
    `by` it is the first of 0.01, 0.001, ... by which the loss is still nearly a straight line, as in `explain`."""
    spot = read_spot(exploration, asked.get("place"), exploration.chosen(asked))
    place, traced = _movable(exploration, spot), spot.view.traced
    gradient = float(traced.trace[place.name].gradient[place.index])
    given = (traced.net, traced.trace, traced.ending, place)
    if asked.has("by"):
        by = asked.number("by", -LARGEST_VALUE, LARGEST_VALUE)
        after = losses_along(*given, [by], traced.training)[0]
        start = float(traced.trace[place.name].value[place.index])
        found: Nudge | None = Nudge(start, by, traced.trace.loss, after, gradient)
    else:
        found = explained_nudge(*given, gradient, traced.training)
    if found is None or not math.isfinite(found.after):
        raise QuestionError("off_the_scale")
    reach = max(2 * abs(found.step), float(np.abs(traced.trace[place.name].value).max()), 0.01)
    offsets = np.linspace(-reach, reach, CURVE).tolist()
    losses = losses_along(*given, offsets, traced.training)
    return {
        "start": found.start,
        "step": found.step,
        "before": found.before,
        "after": found.after,
        "change": found.change,
        "predicted": found.predicted,
        "gradient": found.gradient,
        "losses": [[a, b if math.isfinite(b) else None] for a, b in zip(offsets, losses, strict=True)],
    }


def _movable(exploration: Exploration, spot: Spot) -> Place:
    if spot.place is None:
        raise QuestionError("given", name=spot.to_dict(exploration.net)["name"])
    return spot.place


def set_values(exploration: Exploration, asked: Question) -> SampleAnswer:
    """{"ask": "set", "changes": [{"place", "value"}]} -> SampleAnswer: pixels ("value" of "input") and weights
    ("parameter"), all of them or, where one is refused, none."""
    changes = [_change(exploration, change) for change in asked.items("changes", MOST_CHANGES)]
    samples: dict[int, Array] = {}
    for spot, place, value in changes:
        if place.quantity == "parameter":
            exploration.net.parameters[place.name][place.index] = value
            continue
        number = spot.view.sample
        if number not in samples:
            samples[number] = exploration.sample(number).copy()
        samples[number][place.index[1:]] = value
    for number, sample_ in samples.items():
        exploration.edit(number, sample_)
    exploration.changed()
    return {"sample": exploration.current}


def _change(exploration: Exploration, change: object) -> tuple[Spot, Place, float]:
    if not isinstance(change, dict):
        raise refused_form("a change", "an object with “place” and “value”", "含“place”和“value”的对象")
    spot = read_spot(exploration, change.get("place"), exploration.current)
    place = _movable(exploration, spot)
    if place.quantity != "parameter" and (place.quantity, place.name) != ("value", "input"):
        raise QuestionError("given", name=place.name)
    return spot, place, finite_number("“value”", change.get("value"), -LARGEST_VALUE, LARGEST_VALUE)


def reset(exploration: Exploration, asked: Question) -> SampleAnswer:
    """{"ask": "reset"} -> SampleAnswer: weights, samples and the chosen sample as at the start."""
    exploration.reset()
    return {"sample": exploration.current}


def sample(exploration: Exploration, asked: Question) -> SampleAnswer:
    """{"ask": "sample", "index"} -> SampleAnswer: look at another sample."""
    number = exploration.checked_sample(asked.get("index"))
    if number != exploration.current:
        exploration.current = number
        exploration.state += 1
    return {"sample": number}


def draw(exploration: Exploration, asked: Question) -> SampleAnswer:
    """{"ask": "draw", "pixels", "target", "raw"?} -> SampleAnswer: a new sample, which is looked at now.

    `pixels` is an array (rows, columns) or (rows, columns, 3) in 0..1, prepared as `predict` prepares pictures; with
    `raw` it is the sample itself: (rows, columns) of the input for one channel, or the input's shape; its numbers are
    taken as they are. `target` is a class number, or a list of numbers for networks that aim at numbers."""
    if not is_picture(exploration):
        raise QuestionError("no_picture", shape=shape_text(exploration.net.input_shape))
    pixels = read_array(asked.get("pixels"), MOST_PIXELS)
    made = _raw(exploration, pixels) if asked.flag("raw") else _prepared(exploration, pixels)
    exploration.current = exploration.add_drawn(made, _target(exploration, asked.get("target")))
    exploration.changed()
    return {"sample": exploration.current}


def _raw(exploration: Exploration, pixels: Array) -> Array:
    shape = exploration.net.input_shape
    if pixels.shape not in (shape, shape[1:] if shape[0] == 1 else shape):
        raise refused_form("“pixels”", f"an array {shape_text(shape)}", f"形状为 {shape_text(shape)} 的数组")
    if np.abs(pixels).max() > LARGEST_VALUE:
        raise refused_form("“pixels”", f"numbers up to {LARGEST_VALUE:g}", f"不超过 {LARGEST_VALUE:g} 的数")
    return pixels.reshape(shape)


def _prepared(exploration: Exploration, pixels: Array) -> Array:
    flat = pixels.ndim == 2
    if not (flat or (pixels.ndim == 3 and pixels.shape[2] == 3)) or not 2 <= min(pixels.shape[:2]) <= LARGEST_SIDE:
        raise refused_form(
            "“pixels”", "an array (rows, columns) or (rows, columns, 3)", "(行, 列) 或 (行, 列, 3) 的数组"
        )
    if pixels.min() < 0 or pixels.max() > 1:
        raise refused_form("“pixels”", "numbers from 0 to 1", "0 到 1 的数")
    if pixels.min() == pixels.max():
        raise QuestionError("blank")
    picture = np.repeat(pixels[:, :, None], 3, axis=2) if flat else pixels
    made = exploration.preparation.sample(picture, exploration.net.input_shape)
    floats: Array = to_floats(made[None], np.dtype(np.float64))[0]
    return floats


def _target(exploration: Exploration, given: object) -> Array:
    """A target in the form that the others have, as a batch of one."""
    others, net = exploration.subject.targets, exploration.net
    if others.ndim == 1 and others.dtype.kind in "iu":
        return np.array([whole_number("“target”", given, 0, net.output_shape[0] - 1)], others.dtype)
    size = math.prod(others.shape[1:])
    if isinstance(given, int) and not isinstance(given, bool) and others.ndim == 2 and size > 1:
        made = np.zeros((1, size))
        made[0, whole_number("“target”", given, 0, size - 1)] = 1
        return made
    numbers = given if isinstance(given, list) else [given]
    if len(numbers) != size:
        raise refused_form("“target”", f"a class or a list of {size} numbers", f"类别编号或含 {size} 个数的列表")
    values = np.array([finite_number("“target”", n, -LARGEST_VALUE, LARGEST_VALUE) for n in numbers])
    made = values.reshape(1, *others.shape[1:])
    try:
        check_targets(net, exploration.subject.loss, 1, made)
    except ChainruleError as error:
        raise QuestionError("error", detail=str(error)) from None
    return made
