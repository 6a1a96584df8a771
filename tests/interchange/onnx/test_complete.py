"""Whatever the package has can be written: a new layer, loss or optimizer without a rule fails here."""

from __future__ import annotations

import inspect

from chainrule import optimizers
from chainrule.interchange.onnx import losses, rules
from chainrule.interchange.onnx import optimizers as moves
from chainrule.interchange.onnx.layers import activations
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES


def test_every_layer_has_a_rule() -> None:
    assert activations.Rule is rules.Rule  # importing the families registers their rules
    curves = {kind for kind in LAYERS.values() if "curve" in vars(kind)}
    assert set(rules.RULES) | curves >= set(LAYERS.values())


def test_every_loss_has_a_rule() -> None:
    assert set(losses.RULES) == set(LOSSES.values())


def test_every_optimizer_has_a_rule() -> None:
    known = {
        kind for _, kind in inspect.getmembers(optimizers, inspect.isclass) if issubclass(kind, optimizers.Optimizer)
    }
    assert set(moves.RULES) == known - {optimizers.Optimizer}


def test_an_optimizer_names_each_of_its_memories() -> None:
    made = [optimizers.SGD(0.1), optimizers.SGD(0.1, momentum=0.9), optimizers.Adam(), optimizers.AdamW()]
    made += [optimizers.RMSprop(), optimizers.RMSprop(momentum=0.5, centered=True)]
    for optimizer in made:
        assert len(moves.rule_of(optimizer).memories(optimizer)) == optimizer.memories, optimizer
