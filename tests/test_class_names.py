"""Names of classes travel with a network: into its file, its copies, and whatever it answers."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open

import chainrule as cr
from chainrule.errors import ArgumentError, FileFormatError
from chainrule.metrics import Classification, filled_class_names

PETS = ("cat", "dog", "budgerigar")
X = np.random.default_rng(0).normal(size=(6, 4))


def small(**more: Any) -> cr.Network:
    net = cr.Sequential(cr.Linear(4, 3), seed=1)
    net.class_names = PETS
    return net


@pytest.mark.parametrize("names", ["abc", 3, ("a", "b"), ("a", "b", "c", "d"), ("a", "a", "b"), ("a", "b", 3)], ids=str)
def test_names_that_cannot_be(names: Any) -> None:
    net = small()
    with pytest.raises(ArgumentError, match="class_names"):
        net.class_names = names
    assert net.class_names == PETS


def test_one_output_tells_two_classes_apart() -> None:
    net = cr.Sequential(cr.Linear(4, 1))
    net.class_names = ["no", "yes"]
    answer = net.classify(X, loss=cr.BCEWithLogitsLoss())
    chance = 1 / (1 + np.exp(-net.predict(X)[:, 0]))
    np.testing.assert_allclose(answer.probabilities, np.stack([1 - chance, chance], axis=1), rtol=1e-12)
    assert list(answer.names) == ["yes" if p > 0.5 else "no" for p in chance]


@pytest.mark.parametrize(
    "way", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net)), lambda net: net.snapshot()]
)
def test_copies_know_the_names(way: Any) -> None:
    assert way(small()).class_names == PETS


def test_names_survive_the_file(tmp_path: Path) -> None:
    net = small()
    net.class_names = ("naïve", "猫\n", "\udcff")
    net.save(tmp_path / "net.safetensors")
    assert cr.load(tmp_path / "net.safetensors").class_names == net.class_names
    net.class_names = None
    net.save(tmp_path / "none.safetensors")
    with safe_open(tmp_path / "none.safetensors", framework="numpy") as file:
        assert "class_names" not in file.metadata()  # as in files written before there were names
    assert cr.load(tmp_path / "none.safetensors").class_names is None


@pytest.mark.parametrize(
    "names", [{"a": 1}, ["a", "b"], ["a", "a", "b"], ["a", "b", 3], "abc", None, [["a"], "b", "c"]]
)
def test_a_file_with_names_that_cannot_be_is_refused(names: Any, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    small().save(path)
    data = path.read_bytes()
    stop = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:stop])
    header["__metadata__"]["class_names"] = json.dumps(names)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[stop:])
    with pytest.raises(FileFormatError, match="class_names"):
        cr.load(path)


def test_classify_gives_labels_probabilities_and_names() -> None:
    net = small()
    outputs = net.predict(X)
    labels, probabilities, names = net.classify(X)
    assert outputs.shape == (6, 3)
    assert labels.tolist() == outputs.argmax(axis=1).tolist()
    assert names == tuple(PETS[k] for k in labels)
    expected = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-12)
    np.testing.assert_array_equal(net.predict_proba(X), probabilities)
    assert f"0: {names[0]} {100 * probabilities[0].max():.1f} %" in str(net.classify(X))
    net.class_names = None
    assert net.classify(X).names == tuple(map(str, labels))


def test_logits_that_happen_to_sum_to_one_are_logits() -> None:
    net = cr.Sequential(cr.Linear(2, 2, bias=False))
    net.parameters["linear1.weight"] = np.eye(2)
    expected = 1 / (1 + np.exp(-0.5))
    np.testing.assert_allclose(net.predict_proba([[0.25, 0.75]])[0], [1 - expected, expected])


@pytest.mark.parametrize("more", [(), (cr.Identity(),), (cr.Dropout(), cr.Identity())])
def test_what_softmax_made_is_a_probability_already(more: tuple[cr.Layer, ...]) -> None:
    net = cr.Sequential(cr.Linear(4, 3), cr.Softmax(), *more, seed=2)
    np.testing.assert_allclose(net.predict_proba(X), net.predict(X), rtol=1e-12)


def test_the_smallest_penalty_is_the_likeliest() -> None:
    net = cr.Sequential(cr.Linear(4, 3), cr.RBF(3, 3), seed=2)
    labels, probabilities, _ = net.classify(X)
    assert labels.tolist() == net.predict(X).argmin(axis=1).tolist() == probabilities.argmax(axis=1).tolist()


@pytest.mark.parametrize(
    ("net", "loss"),
    [
        (cr.Sequential(cr.Linear(4, 1)), cr.MSELoss()),
        (cr.Sequential(cr.Linear(4, 1)), None),
        (cr.Sequential(cr.Conv2d(1, 2, 1), input_shape=(1, 2, 2)), None),
    ],
)
def test_outputs_without_a_class(net: cr.Network, loss: cr.Loss | None) -> None:
    with pytest.raises(ArgumentError, match="sees no class"):
        net.classify(np.zeros((2, *net.input_shape)), loss=loss)


def test_an_evaluation_calls_classes_by_name() -> None:
    text = str(small().evaluate(X, [0, 1, 2, 0, 1, 2]))
    assert all(name in text for name in PETS)
    net = small()
    net.class_names = ("a" * 100, "\x1b[31m\n", "c")
    lines = str(net.evaluate(X, [0, 1, 2, 0, 1, 2])).split("\n")
    assert len(lines) == 5
    assert max(map(len, lines)) < 80
    assert r"\x1b[31m\n" in lines[3]


def test_outputs_that_a_data_set_leaves_over() -> None:
    assert filled_class_names(("a", "b"), (4,)) == ("a", "b", "output 2", "output 3")
    assert filled_class_names(PETS, (3,)) == PETS


def test_many_answers_print_briefly() -> None:
    answers = small().classify(np.zeros((50, 4)))
    assert isinstance(answers, Classification)
    assert str(answers).endswith("... 50 in all")
    assert str(answers).count("\n") == 20
