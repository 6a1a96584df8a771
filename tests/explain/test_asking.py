"""What cannot be explained is refused in one clear sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr

NET = cr.parse("1x6x6 -> conv 2@3x3 -> relu -> fc 3")
X, TARGETS = np.random.default_rng(0).normal(size=(2, 1, 6, 6)), np.array([0, 2])


def refused(error: type[Exception], of: Any, **options: Any) -> str:
    """The message of the refusal."""
    with pytest.raises(error) as caught:
        cr.explain(NET, X, TARGETS, cr.CrossEntropyLoss(), of=of, **options)
    assert isinstance(caught.value, cr.ChainruleError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_index_out_of_range_names_the_valid_range() -> None:
    message = refused(cr.errors.ArgumentError, "conv1.weight[0,0,3,1]")
    assert "index 3" in message
    assert "number 3 of the index lies between 0 and 2" in message
    assert "(2, 1, 3, 3)" in message
    assert "between 0 and 1" in refused(cr.errors.ArgumentError, "conv1.bias[-1]")


def test_a_wrong_number_of_indices_shows_a_right_one() -> None:
    assert "has 4 number(s), such as conv1.weight[0,0,0,0]" in refused(cr.errors.ArgumentError, "conv1.weight[0,0]")
    assert "say which element, such as conv1.bias[0]" in refused(cr.errors.ArgumentError, "conv1.bias[]")
    assert "must be whole numbers" in refused(cr.errors.ArgumentError, "conv1.bias[a]")


@pytest.mark.parametrize("of", ["", "conv1.weight[0", 3, None, "conv1.weight[0][1]", "a b[0]"])
def test_a_text_that_is_no_place_is_refused(of: Any) -> None:
    assert 'such as "conv1.weight[0,0,1,2]"' in refused(cr.errors.ArgumentError, of)


def test_an_unknown_name_suggests_the_nearest() -> None:
    assert "did you mean 'conv1.weight'" in refused(cr.errors.NameLookupError, "conv1.wieght[0,0,0,0]")
    assert "'relu1'" in refused(cr.errors.NameLookupError, "relu[0,0,0]")


def test_a_batch_needs_a_sample_for_the_number_of_a_node() -> None:
    assert "say which with sample=0 .. sample=1" in refused(cr.errors.ArgumentError, "relu1[0,0,0]")
    assert "between 0 and 1, not 2" in refused(cr.errors.ArgumentError, "relu1[0,0,0]", sample=2)
    assert "not True" in refused(cr.errors.ArgumentError, "relu1[0,0,0]", sample=True)
    assert cr.explain(NET, X[:1], TARGETS[:1], cr.CrossEntropyLoss(), of="relu1[0,0,0]").sample == 0


def test_nan_in_a_network_is_named() -> None:
    net = cr.Sequential(cr.Linear(2, 2))
    net.parameters["linear1.weight"][1, 0] = np.nan
    with pytest.raises(cr.errors.NonFiniteError, match=r"linear1.weight holds nan at index \[1, 0\]"):
        cr.explain(net, np.ones((1, 2)), np.array([0]), cr.CrossEntropyLoss(), of="input[0]")
    net.parameters["linear1.weight"] = np.full((2, 2), 1e308)
    with pytest.raises(cr.errors.NonFiniteError, match="the output of linear1 holds inf"):
        cr.explain(net, np.full((1, 2), 1e9), np.array([0]), cr.CrossEntropyLoss(), of="input[0]")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lang": "fr"}, 'lang must be "en" or "zh"'),
        ({"terms": 0}, "terms must lie between 1"),
        ({"depth": 0}, "depth must lie between 1"),
        ({"breadth": True}, "breadth must be an integer"),
        ({"quantity": "slope"}, 'quantity must be "gradient" or "value"'),
        ({"optimizer": 0.5}, "optimizer must be an optimizer"),
        ({"optimizer": cr.SGD(0.1), "learning_rate": 0.1}, "not both"),
        ({"learning_rate": -1}, "learning_rate must be"),
        ({"digits": 0}, "digits must lie between 1"),
    ],
)
def test_options_are_checked(options: dict[str, Any], words: str) -> None:
    assert words in refused(cr.errors.ArgumentError, "conv1.bias[0]", **options)


def test_a_value_of_what_is_not_computed_is_refused() -> None:
    assert "input is given" in refused(cr.errors.ArgumentError, "input[0,0,0]", quantity="value", sample=0)
    assert "is a parameter" in refused(cr.errors.ArgumentError, "conv1.bias[0]", quantity="value")


def test_something_that_is_no_loss_or_engine_is_refused() -> None:
    with pytest.raises(cr.errors.ArgumentError, match="loss must be a loss"):
        cr.explain(NET, X, TARGETS, "mse", of="conv1.bias[0]")  # type: ignore[arg-type]
    assert "no engine is named 'gpu'" in refused(cr.errors.NameLookupError, "conv1.bias[0]", engine="gpu")
