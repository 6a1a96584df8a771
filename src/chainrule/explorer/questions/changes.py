"""Questions that change something: set, reset, draw, sample."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from chainrule.arrays import Array, to_floats
from chainrule.errors import ChainruleError, DataError, NonFiniteError
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

LARGEST_VALUE = 1e6
MOST_CHANGES = 16_384
MOST_PIXELS = 262_144
LARGEST_SIDE = 1024


class SampleAnswer(TypedDict):
    """The sample that is looked at now."""

    sample: int


class SetAnswer(SampleAnswer):
    """How many numbers were changed; the loss before and after, its change, and what the gradients foretold for it: the
    sum of gradient · move. `near`: the two differ by at most a tenth of what was foretold."""

    count: int
    before: float
    after: float
    change: float
    predicted: float
    near: bool


def _movable(spot: Spot) -> Place:
    if spot.outer is None:
        raise QuestionError("given", name=spot.to_dict()["name"])
    return spot.outer


def set_values(exploration: Exploration, asked: Question) -> SetAnswer:
    """{"ask": "set", "changes": [{"place", "value"}]} -> SetAnswer: pixels ("value" of "input") and weights
    ("parameter"), all of them or, where one is refused or the network then computes NaN, none."""
    changes = [_change(exploration, change) for change in asked.items("changes", MOST_CHANGES)]
    sample = next((spot.sample for spot, place, _ in changes if place.is_node), exploration.current)
    before, kept = exploration.view_of(sample).traced.trace.loss, exploration.values()
    predicted = math.fsum(_foretold(spot, place, value) for spot, place, value in changes)
    _put(exploration, changes)
    try:
        after = exploration.view_of(sample).traced.trace.loss
    except NonFiniteError:
        exploration.restore(kept)
        raise QuestionError("off_the_scale") from None
    one = Nudge(0.0, 1.0, before, after, predicted)
    return {
        "sample": exploration.current,
        "count": len(changes),
        "before": before,
        "after": after,
        "change": one.change,
        "predicted": predicted,
        "near": one.near,
    }


def _foretold(spot: Spot, place: Place, value: float) -> float:
    traced, index = spot.view.traced.trace[place.name], spot.view.inner(place).index
    return float(traced.gradient[index] * (value - traced.value[index]))


def _put(exploration: Exploration, changes: list[tuple[Spot, Place, float]]) -> None:
    samples: dict[int, Array] = {}
    for spot, place, value in changes:
        if place.quantity == "parameter":
            exploration.net.parameters[place.name][place.index] = value
            continue
        number = spot.sample
        if number not in samples:
            samples[number] = exploration.sample(number).copy()
        samples[number][place.index[1:]] = value
    for number, sample in samples.items():
        exploration.edit(number, sample)
    exploration.changed()


def _change(exploration: Exploration, change: object) -> tuple[Spot, Place, float]:
    if not isinstance(change, dict):
        raise refused_form("a change", "an object with “place” and “value”", "含“place”和“value”的对象")
    spot = read_spot(exploration, change.get("place"), exploration.current)
    place = _movable(spot)
    if place.quantity != "parameter" and (place.quantity, place.name) != ("value", "input"):
        raise QuestionError("given", name=place.name)
    return spot, place, finite_number("“value”", change.get("value"), -LARGEST_VALUE, LARGEST_VALUE)


def reset(exploration: Exploration, asked: Question) -> SampleAnswer:
    """{"ask": "reset", "what"?: "weights" | "pixels" | "all"} -> SampleAnswer: the weights as at the start, the current
    sample as it came, or (unless said otherwise) everything, without drawings and at the first sample."""
    what = asked.choice("what", ("weights", "pixels", "all")) if asked.has("what") else "all"
    if what == "weights":
        exploration.restore_weights()
    elif what == "pixels":
        exploration.restore_pixels(exploration.current)
    else:
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
    try:
        made = exploration.preparation.sample(picture, exploration.net.input_shape)
    except DataError:
        raise QuestionError("faint") from None
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
        raise QuestionError("error", detail=str(error).rstrip(".")) from None
    return made
