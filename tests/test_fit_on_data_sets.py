"""`fit` and `evaluate` take data sets, and `fit` keeps a share of the samples apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import data
from chainrule.errors import ArgumentError, DataError

RNG = np.random.default_rng(0)
LOSS = cr.CrossEntropyLoss()
NAMES = ("cat", "dog", "owl")


def pictures(names: tuple[str, ...] = NAMES, turn: int = 0) -> data.Dataset:
    """Pictures whose class is a bright row, numbered in another order."""
    labels = np.arange(60) % 3
    images = RNG.integers(0, 60, (60, 1, 6, 6), dtype=np.uint8)
    images[np.arange(60), 0, 2 * labels] += 180
    labels = (labels + turn) % 3
    return data.Dataset("rows", images[:45], labels[:45], images[45:], labels[45:], names)


def net(outputs: int = 3) -> cr.Network:
    return cr.Sequential(cr.Flatten(), cr.Linear(36, outputs), input_shape=(1, 6, 6))


def train(model: cr.Network, *data: Any, **more: Any) -> cr.training.History:
    return model.fit(*data, loss=LOSS, optimizer=cr.SGD(0.5), epochs=10, progress=False, **more)


def test_fit_learns_the_training_part_with_names_and_preparation() -> None:
    dataset, first, second = pictures(), net(4), net(4)
    train(first, dataset)
    train(second, dataset.train_images, dataset.train_labels)
    np.testing.assert_array_equal(first.parameters.flat, second.parameters.flat)
    assert first.class_names == (*NAMES, "output 3")
    assert first.preparation == dataset.picture_preparation()
    assert (second.class_names, second.preparation) == (None, None)


def test_evaluate_judges_the_test_part_by_name() -> None:
    model = net()
    train(model, pictures())
    assert model.evaluate(pictures()).samples == 15
    assert model.evaluate(pictures()).accuracy == 1
    assert model.evaluate(pictures(("owl", "cat", "dog"), 1)).accuracy == 1
    with pytest.raises(DataError, match="has a class 'ant', but the network knows cat, dog, owl"):
        model.evaluate(pictures(("cat", "ant", "owl")))


def test_targets_are_missing() -> None:
    for use in (lambda: train(net(), np.zeros((2, 1, 6, 6))), lambda: net().evaluate([[1.0]])):
        with pytest.raises(ArgumentError, match="targets are missing"):
            use()


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_share_is_kept_apart_by_the_seed(engine: Any) -> None:
    dataset = pictures()
    x, t = dataset.train_images, dataset.train_labels
    model, twin = net(), net()
    history = train(model, x, t, validation_split=0.2, seed=7, engine=engine)
    order = np.random.default_rng([7, 45]).permutation(45)
    kept, apart = np.sort(order[9:]), np.sort(order[:9])
    same = train(twin, x[kept], t[kept], validation=(x[apart], t[apart]), seed=7, engine=engine)
    np.testing.assert_array_equal(model.parameters.flat, twin.parameters.flat)
    assert history["validation_loss"] == same["validation_loss"]
    assert len(set(t[apart])) == 3, "drawn from all classes, though the data may be sorted"


def test_a_split_serves_early_stopping_and_lists() -> None:
    history = train(net(), pictures(), validation_split=0.5, patience=1, keep_best=True)
    assert history.best_epoch is not None
    flat = cr.Sequential(cr.Linear(2, 2))
    history = train(flat, [[1.0, 2.0], [2.0, 1.0]], [0, 1], validation_split=0.5)
    assert history["validation_loss"][0] is not None


@pytest.mark.parametrize(
    ("share", "more", "says"),
    [
        (0, {}, "validation_split must be a number above 0"),
        (-0.1, {}, "validation_split must be"),
        (1.5, {}, "validation_split must be"),
        ("0.1", {}, "validation_split must be"),
        (1.0, {}, "leaves none to train on"),
        (0.99, {}, "leaves none to train on"),
        (0.5, {"validation": ([[1.0, 2.0]], [0])}, "two ways to say the same"),
    ],
)
def test_shares_that_cannot_be(share: Any, more: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        train(cr.Sequential(cr.Linear(2, 2)), np.ones((3, 2)), [0, 1, 0], validation_split=share, **more)


def test_a_split_of_samples_and_targets_that_do_not_belong_together() -> None:
    with pytest.raises(DataError, match="x has 3 samples, but targets has 2"):
        train(cr.Sequential(cr.Linear(2, 2)), np.ones((3, 2)), [0, 1], validation_split=0.3)
