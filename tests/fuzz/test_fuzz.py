"""Every reader survives its corpus and some inputs made from it; `make fuzz` goes on for as long as one likes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import inputs, seeds
from tests.fuzz.targets import CORPUS, TARGETS, attack


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus(name: str) -> None:
    assert seeds(name)
    for content in seeds(name):
        attack(name, content)


def test_the_plan_of_the_corpus_is_one() -> None:
    """What is made from a plan that is refused already proves nothing. `tests.fuzz.make_corpus` writes it anew."""
    TARGETS["plan"]((CORPUS / "plan" / "small.json").read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_inputs_made_from_the_corpus(name: str, data: st.DataObject) -> None:
    attack(name, data.draw(inputs(name)))
