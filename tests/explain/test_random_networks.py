"""On random networks a derivation ends with the engine's number, and every number on its way is the trace's."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.engines import Trace
from chainrule.explain.derivation import Derivation, DerivationStep
from chainrule.explain.terms import Factor
from tests.strategies import Problem, problems

LOCAL_TOLERANCE = 1e-10
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def random_place(net: cr.Network, rng: random.Random, names: list[str] | None = None) -> str:
    """Any number of a network that has a gradient, as one asks for it."""
    name = rng.choice(names or [*net.names, *net.parameters])
    shape = net.parameters[name].shape if name in net.parameters else net.shapes[net.index_of(name)]
    return f"{name}[{','.join(str(rng.randrange(extent)) for extent in shape)}]"


def check_factor(trace: Trace, factor: Factor) -> None:
    """A factor that lives somewhere has exactly the number that stands there."""
    place = factor.place
    if place is None or place.quantity in ("local", "constant"):
        return
    tensor = trace[place.name]
    stored = tensor.gradient if place.quantity == "gradient" else tensor.value
    assert stored[place.index] == factor.value, place


def check_step(trace: Trace, step: DerivationStep) -> float:
    """Parts add up, terms multiply up, and the sum is the trace's number; returns the deviation."""
    for part in step.parts:
        for term in part.terms:
            for factor in term.factors:
                check_factor(trace, factor)
            assert term.value == pytest.approx(np.prod([f.value for f in term.factors]), rel=1e-14, abs=1e-300)
        if part.expression is None:
            assert len(part.terms) + part.rest_count == part.count
            shown = sum(term.value for term in part.terms) + part.rest_total
            size = sum(abs(term.value) for term in part.terms) + abs(part.rest_total)
            assert abs(shown - part.total) <= 1e-13 * size + 1e-300
    if step.place is None:
        expected = trace.loss
    else:
        tensor = trace[step.place.name]
        expected = (tensor.value if step.kind == "value" else tensor.gradient)[step.place.index]
    assert step.engine_value == expected
    assert step.deviation <= LOCAL_TOLERANCE
    return step.deviation


def check_derivation(derivation: Derivation, trace: Trace) -> float:
    """Check all steps; returns the worst deviation."""
    assert [step.number for step in derivation.steps] == list(range(1, len(derivation.steps) + 1))
    assert derivation.steps[-1].place == derivation.place
    worst = max(check_step(trace, step) for step in derivation.steps)
    opened = [step.place for step in derivation.steps if step.place is not None]
    assert len(opened) == len(set(opened)), "a number is derived twice"
    return worst


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(problems(), st.integers(0, 2**32), st.booleans())
def test_the_derivation_of_any_scalar_equals_the_engines_gradient(p: Problem, seed: int, training: bool) -> None:
    rng = random.Random(seed)
    of = random_place(p.net, rng)
    derivation = cr.explain(
        p.net, p.x, p.targets, p.loss, of=of, sample=rng.randrange(len(p.x)), training=training,
        terms=rng.choice([1, 3, 6, 50]), breadth=rng.choice([1, 2, 4]),
    )  # fmt: skip
    trace = p.net.trace(p.x, p.targets, loss=p.loss, training=training, dtype="float64", engine="reference")
    check_derivation(derivation, trace)
    size = max(abs(derivation.engine_value), derivation.steps[-1].scale)
    assert abs(derivation.value - derivation.engine_value) <= 1e-10 * size


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(problems(), st.integers(0, 2**32), st.booleans())
def test_the_derivation_of_any_value_equals_the_trace(p: Problem, seed: int, training: bool) -> None:
    rng = random.Random(seed)
    of = random_place(p.net, rng, list(p.net.names[1:]))
    derivation = cr.explain(
        p.net, p.x, p.targets, p.loss, of=of, sample=rng.randrange(len(p.x)), training=training, quantity="value"
    )
    trace = p.net.trace(p.x, p.targets, loss=p.loss, training=training, dtype="float64", engine="reference")
    check_derivation(derivation, trace)
