"""Every initialiser by its distribution: mean, variance, limits and the whole law, from drawn numbers alone."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.errors import ArgumentError
from chainrule.initializers import NAMES, check_initialization, draw
from tests.laws import LAWS, check_law, check_unrelated

FANS = [(3, 5), (5, 3), (600, 2), (1, 1), (2.5, 0.5)]
SHAPE = (60, 400)


def test_every_initialiser_has_a_law() -> None:
    assert set(LAWS) == set(NAMES), "each name of chainrule.initializers.NAMES needs its law in tests/laws.py"


@pytest.mark.parametrize("fans", FANS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_numbers_follow_the_law_of_their_name(name: str, fans: tuple[float, float]) -> None:
    drawn = draw(name, np.random.default_rng(1), SHAPE, *fans)
    assert drawn.shape == SHAPE
    assert drawn.dtype == np.float64
    check_law(name, drawn, *fans)


@pytest.mark.parametrize("name", NAMES)
def test_a_fan_below_one_counts_as_one(name: str) -> None:
    """A connection table may leave a filter without links: no division by zero, no infinite weights."""
    drawn = draw(name, np.random.default_rng(1), SHAPE, 0.0, 0.0)
    check_law(name, drawn, 1, 1)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "zeros"])
def test_numbers_depend_on_the_generator_and_on_nothing_else(name: str) -> None:
    arrays = {seed: draw(name, np.random.default_rng(seed), SHAPE, 3, 5) for seed in range(4)}
    for seed, array in arrays.items():
        assert np.array_equal(array, draw(name, np.random.default_rng(seed), SHAPE, 3, 5))
    check_unrelated(arrays)
    rng = np.random.default_rng(0)
    check_unrelated({turn: draw(name, rng, SHAPE, 3, 5) for turn in ("first", "second")})


@pytest.mark.parametrize("name", ["", "He", "he_", "he_normal ", "zeros_uniform", "orthogonal", None, 0])
def test_unknown_names_are_refused_with_those_that_exist(name: object) -> None:
    with pytest.raises(ArgumentError, match=r"initialization must be .*glorot_uniform"):
        check_initialization(name)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="initialization"):
        draw(name, np.random.default_rng(0), (2, 2), 1, 1)  # type: ignore[arg-type]
