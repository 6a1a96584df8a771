"""What cannot be exported is refused in one sentence, and nothing is written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import chainrule as cr
from chainrule.cli import app
from chainrule.errors import ArgumentError, ChainruleError, DataError, MissingExtraError, ShapeError, StorageError
from chainrule.interchange.c.rules import LAYER_RULES
from chainrule.layers import LAYERS

STEP: dict[str, Any] = {"what": "train_step", "loss": cr.MSELoss(), "optimizer": cr.SGD(0.1)}


def run(*arguments: Any) -> Result:
    """`chainrule ...` in this process."""
    return CliRunner().invoke(app, [str(a) for a in arguments])


class Doubled(cr.Layer):
    """A layer of a user's own."""

    def output_shape(self, *shapes: Any) -> Any:
        return shapes[0]

    def forward(self, parameters: Any, *xs: Any, context: Any) -> Any:
        return 2 * xs[0], None

    def backward_input(self, parameters: Any, dy: Any, saved: Any) -> Any:
        return 2 * dy


class OwnLoss(cr.MSELoss):
    """A loss of a user's own."""


def _net() -> cr.Network:
    return cr.Sequential(cr.Linear(3, 2), cr.ReLU(), cr.Linear(2, 2))


def _named(name: str) -> cr.Network:
    return cr.Sequential(cr.Linear(3, 2, name=name), cr.Linear(2, 2, name="A"))


REFUSED: list[tuple[cr.Network, dict[str, Any], type[ChainruleError], str]] = [
    (_net(), {"name": "2fast"}, ArgumentError, "identifier.*2fast"),
    (_net(), {"name": "int"}, ArgumentError, "identifier.*int"),
    (_net(), {"name": "a" * 61}, ArgumentError, "at most 60"),
    (cr.Sequential(cr.Linear(3, 3), Doubled()), {}, ArgumentError, "doubled1 .* layer of your own"),
    (_net(), {"what": "gradients"}, ArgumentError, "what must be"),
    (_net(), {"weights": "flash"}, ArgumentError, "weights must be"),
    (_net(), {"dtype": "float16"}, ArgumentError, "dtype must be"),
    (_net(), {"loss": cr.MSELoss()}, ArgumentError, "loss belongs to a training step"),
    (_net(), {"last": 1}, ArgumentError, "last belongs to a training step"),
    (_net(), {"batch": 2}, ArgumentError, "batch belongs to a training step"),
    (_net(), {**STEP, "loss": None}, ArgumentError, "needs its loss"),
    (_net(), {**STEP, "optimizer": None}, ArgumentError, "needs its optimizer"),
    (_net(), {**STEP, "loss": OwnLoss()}, ArgumentError, "no C for the loss OwnLoss"),
    (_net(), {**STEP, "optimizer": "sgd"}, ArgumentError, "no C for the optimizer 'sgd'"),
    (_net(), {**STEP, "batch": 0}, ArgumentError, "batch must lie between"),
    (_net(), {**STEP, "last": 3}, ArgumentError, "only 2 have"),
    (_net(), {**STEP, "last": 0}, ArgumentError, "last must lie between"),
    (_net(), {**STEP, "targets": "classes"}, ArgumentError, "targets is for CrossEntropyLoss"),
    (_net(), {**STEP, "loss": cr.CrossEntropyLoss(weight=[1, 2, 3])}, ShapeError, "3 numbers.*2 classes"),
    (cr.Sequential(cr.ReLU(), input_shape=3), STEP, ArgumentError, "no parameters that train"),
    (cr.Sequential(cr.Linear(3, 2), cr.BatchNorm1d(2)), STEP, ArgumentError, "batchnorm1 .* pass batch=2"),
    (_named("a"), {}, ArgumentError, "a and A would have one name"),
    (_named("größe"), {}, ArgumentError, "no name in C"),
]


@pytest.mark.parametrize(("net", "asked", "error", "says"), REFUSED, ids=[says for *_, says in REFUSED])
def test_what_cannot_be_exported_is_refused(
    net: cr.Network, asked: dict[str, Any], error: type[ChainruleError], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says) as caught:
        net.to_c(tmp_path / "net", **asked)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_numbers_that_float32_does_not_hold_are_refused(value: float, tmp_path: Path) -> None:
    net = _net()
    net.parameters.flat[4] = value
    with pytest.raises(DataError, match=r"linear1\.weight (as float32 )?holds"):
        net.to_c(tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_an_int_cannot_count_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainrule.interchange.c.export.LARGEST", 10)
    with pytest.raises(ShapeError, match="int counts in C"):
        _net().to_c(tmp_path / "net", **STEP)
    assert list(tmp_path.iterdir()) == []


def test_without_jinja2_one_sentence_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r"chainrule\[c\]"):
        _net().to_c(tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


def test_both_files_are_written_or_none(tmp_path: Path) -> None:
    (tmp_path / "net.c").mkdir()
    (tmp_path / "net.h").write_text("before")
    with pytest.raises(StorageError, match=r"net\.c"):
        _net().to_c(tmp_path / "net")
    assert (tmp_path / "net.h").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.c", "net.h"]


def test_existing_files_are_replaced_and_a_suffix_may_be_said(tmp_path: Path) -> None:
    (tmp_path / "net.c").write_text("before")
    _net().to_c(tmp_path / "net.c")
    assert "net_predict" in (tmp_path / "net.c").read_text()
    assert "net_predict" in (tmp_path / "net.h").read_text()


def test_a_file_may_be_called_otherwise_than_the_network(tmp_path: Path) -> None:
    _net().to_c(tmp_path / "my-net.c", name="tiny")
    assert '#include "my-net.h"' in (tmp_path / "my-net.c").read_text()
    with pytest.raises(ArgumentError, match="the name of a C file"):
        _net().to_c(tmp_path / 'my"net.c', name="tiny")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my-net.c", "my-net.h"]


def test_every_layer_has_its_template() -> None:
    renamed = {name for name in LAYERS if name in ("Identity", "Flatten")}
    curves = {name for name, kind in LAYERS.items() if "curve" in vars(kind)}
    assert set(LAYER_RULES) - renamed <= set(LAYERS)
    assert set(LAYERS) - renamed <= set(LAYER_RULES) | curves
    folder = Path(cr.__file__).parent / "interchange" / "c" / "templates" / "layers"
    assert {path.name for path in folder.iterdir()} == {f"{rule.template}.c.j2" for rule in LAYER_RULES.values()} | {
        "curve.c.j2"
    }


def test_the_command_exports_and_prints_the_plan(tmp_path: Path) -> None:
    cr.Sequential(cr.Linear(3, 2), cr.ReLU(), cr.Linear(2, 2)).save(tmp_path / "model.safetensors")
    out = tmp_path / "tiny.c"
    options = (out, "--to", "c", "--what", "train_step", "--momentum", 0.9)
    done = run("export", tmp_path / "model.safetensors", *options)
    assert done.exit_code == 0, done.stderr
    assert "RAM" in done.stdout
    assert "velocity" in done.stdout
    assert "tiny_train_step" in out.read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--to", "cobol"), "form"),
        (("not-a-name.c", "--to", "c"), "identifier"),
        (("--to", "c", "--opset", "17"), "--opset is not for --to c"),
        (("--to", "c", "--what", "train_step", "--last", "9"), "only 2 have"),
        (("--to", "c", "--what", "train_step", "--optimizer", "newton"), "optimizer"),
        (("missing/tiny.c", "--to", "c"), "cannot write"),
    ],
)
def test_the_command_ends_with_a_sentence_and_code_2(
    options: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cr.Sequential(cr.Linear(3, 2), cr.ReLU(), cr.Linear(2, 2)).save("model.safetensors")
    done = run("export", "model.safetensors", *options)
    assert done.exit_code == 2
    assert says in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
