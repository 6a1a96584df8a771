"""Every reader survives its corpus and some inputs made from it; `make fuzz` goes on for as long as one likes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import inputs, seeds
from tests.fuzz.targets import TARGETS, attack


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus(name: str) -> None:
    assert seeds(name)
    for content in seeds(name):
        attack(name, content)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_inputs_made_from_the_corpus(name: str, data: st.DataObject) -> None:
    attack(name, data.draw(inputs(name)))
