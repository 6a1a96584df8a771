"""`explain`: checks what is asked, traces the network once, and has the derivation built."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import as_array, as_batch
from chainrule.errors import ArgumentError
from chainrule.explain.asking import place_text, read_place
from chainrule.explain.building import Builder
from chainrule.explain.derivation import Derivation
from chainrule.explain.messages import Message, check_language, say
from chainrule.explain.nudging import nudge
from chainrule.explain.precision import MOST_DIGITS
from chainrule.explain.routes import chain_rule, route
from chainrule.explain.setting import Setting
from chainrule.explain.sketches import sketches
from chainrule.explain.terms import Place
from chainrule.explain.tracing import TracedPass
from chainrule.explain.updates import chosen_optimizer, update_step
from chainrule.layers import Layer
from chainrule.losses import Loss
from chainrule.memory import MemoryErrorsNamed
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.shapes import integer

TERMS, MOST_TERMS = 6, 12
"""Terms of a sum that are shown unless told otherwise, and where more account for nearly all of it."""
BREADTH = 2
LONGEST_TEXT = 400


@MemoryErrorsNamed("the explanation", "explain a smaller batch or a smaller network")
def derive(
    net: Network,
    x: ArrayLike,
    targets: ArrayLike,
    loss: Loss,
    of: str,
    *,
    sample: int | None = None,
    sample_weight: ArrayLike | None = None,
    quantity: Literal["gradient", "value"] = "gradient",
    depth: int | None = None,
    terms: int | None = None,
    breadth: int = BREADTH,
    lang: str = "en",
    digits: int = 6,
    learning_rate: float | None = None,
    optimizer: Optimizer | None = None,
    training: bool = True,
    engine: str = "reference",
    sources: bool = False,
    level: Literal["short", "full"] = "full",
) -> Derivation:
    """See `chainrule.explain.explain`."""
    language = check_language(lang)
    if quantity not in ("gradient", "value"):
        raise ArgumentError(f'quantity must be "gradient" or "value", not {quantity!r}')
    if level not in ("short", "full"):
        raise ArgumentError(f'level must be "short" or "full", not {level!r}')
    least, most = (TERMS, MOST_TERMS) if terms is None else (integer("terms", terms, 1),) * 2
    opened = integer("breadth", breadth, 1)
    deep = None if depth is None else integer("depth", depth, 1)
    rule = chosen_optimizer(optimizer, learning_rate)
    samples = len(as_batch(x, net.input_shape, check=False))
    asked = read_place(net, of, samples, sample, quantity)
    traced = TracedPass.of(net, x, targets, loss, sample_weight=sample_weight, training=training, engine=engine)
    trace = traced.trace
    place = asked if isinstance(asked, Place) else asked.largest(trace)
    builder = replace(traced.builder(place, least, opened), reach=most)
    chain = builder.value_chain if quantity == "value" else builder.gradient_chain
    steps = chain(place, deep)
    last = steps[-1]
    gradient = last.result
    if place.quantity == "parameter" and rule is not None:
        before = float(trace[place.name].value[place.index])
        steps = [*steps, update_step(rule, place, before, last.result)]
    digits = integer("digits", digits, 1, MOST_DIGITS)
    numbered = tuple(replace(step, number=number) for number, step in enumerate(steps, 1))
    assert last.engine_value is not None
    return Derivation(
        of=of,
        place=place,
        value=last.result,
        engine_value=last.engine_value,
        steps=numbered,
        network=_described(net),
        engine=engine,
        sample=place.index[0] if place.is_node else None,
        samples=samples,
        route=route(net, place),
        chain=chain_rule(net, place),
        notes=_notes(as_array(x, "x").dtype, training, deep, builder, None if asked is place else place),
        lang=language,
        digits=digits,
        sources=bool(sources),
        level=level,
        nudge=None if quantity == "value" else nudge(net, trace, traced.ending, place, gradient, training),
        nodes=sketches(net, place),
        setting=Setting(net, x, targets, loss, training),
    )


def _described(net: Network) -> str:
    """The network in one line, cut where it is long."""
    text = " ".join(str(net).split("\n")).strip()
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT].rstrip() + " …"


def _trains_otherwise(layer: Layer) -> bool:
    """Whether a layer computes something else in training."""
    return layer.couples_samples(True) != layer.couples_samples(False) or (
        layer.is_identity(True) != layer.is_identity(False)
    )


SATISFIED = 0.01
"""Where no output's gradient is larger, the loss asks for nothing more."""


def _notes(
    dtype: np.dtype, training: bool, depth: int | None, builder: Builder, chosen: Place | None
) -> tuple[Message, ...]:
    notes = [say("pixels")] if dtype == np.uint8 else []
    count = 1 if chosen is None else builder.trace[chosen.name].value.size
    if chosen is not None and count > 1:
        key = "largest_value" if chosen.quantity == "value" else "largest_gradient"
        notes.append(say(key, name=chosen.name, place=place_text(chosen), count=count))
    if float(np.abs(builder.trace[builder.ending.node].gradient).max()) < SATISFIED * builder.ending.scale:
        notes.append(say("satisfied", loss=builder.trace.loss))
    if not training and any(_trains_otherwise(layer) for layer in builder.graph.layers.values()):
        notes.append(say("inference"))
    if builder.cut_depth:
        notes.append(say("cut_depth", depth=depth))
    if builder.cut_breadth:
        notes.append(say("cut_breadth", breadth=builder.breadth))
    return tuple(notes)


__all__ = ["BREADTH", "TERMS", "derive"]
