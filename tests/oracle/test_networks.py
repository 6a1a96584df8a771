"""Whole random networks against torch autograd: chains, and graphs with joins and shared layers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from tests.oracle import adapter
from tests.oracle.adapter import Model, near, tensor
from tests.strategies import Problem, problems


def compare(problem: Problem, training: bool) -> None:
    """The loss, every node, every gradient of a node, every gradient of a parameter."""
    net = problem.net
    model, x = Model.of(net), tensor(problem.x, True)
    nodes = model.nodes(x, training)
    loss = adapter.loss_value(problem.loss, nodes[-1], problem.targets)
    loss.backward()

    value, gradients, dx = net.gradients(
        problem.x, problem.targets, loss=problem.loss, training=training, engine="reference"
    )
    near("loss", value, loss)
    near("dx", dx, x.grad)
    for name, gradient in gradients.items():
        near(f"d{name}", gradient, model.parameters[name].grad)
    trace = net.trace(problem.x, problem.targets, loss=problem.loss, training=training, engine="reference")
    for name, node in zip(net.names, nodes, strict=True):
        near(name, trace[name].value, node)
        near(f"d{name}", trace[name].gradient, node.grad)


@settings(max_examples=250)
@given(problems(), st.booleans())
def test_random_networks_agree_with_autograd(problem: Problem, training: bool) -> None:
    compare(problem, training)


@settings(max_examples=120)
@given(problems(chain=False, most_layers=14), st.booleans())
def test_random_graphs_with_shared_layers_agree_with_autograd(problem: Problem, training: bool) -> None:
    compare(problem, training)


@settings(max_examples=60)
@given(problems(chain=True, most_layers=10, names=("Conv2d", "MaxPool2d", "ReLU", "BatchNorm2d", "Flatten", "Linear")))
def test_random_convolutional_chains_agree_with_autograd(problem: Problem) -> None:
    compare(problem, True)


@settings(max_examples=100)
@given(problems())
def test_inference_and_running_statistics_agree(problem: Problem) -> None:
    net, model = problem.net, Model.of(problem.net)
    with torch.no_grad():
        near("outputs", net(problem.x, engine="reference"), model.nodes(tensor(problem.x), False)[-1])
        model.nodes(tensor(problem.x), True)
    net.fit(
        problem.x, problem.targets, loss=problem.loss, optimizer=cr.SGD(0.0), batch_size=len(problem.x), progress=False,
        shuffle=False, engine="reference", dtype="float64",
    )  # fmt: skip
    for name, buffer in net.buffers.items():
        near(name, buffer, model.buffers[name])


def test_a_layer_used_three_times_in_a_residual_graph() -> None:
    x = cr.Input((2, 5, 5))
    conv, norm = cr.Conv2d(2, 2, 3, padding=1), cr.BatchNorm2d(2)
    h = norm(conv(x))
    h = cr.Add()(cr.Tanh()(norm(conv(h))), h, x)
    net = cr.Network(x, cr.Linear(100, 3)(cr.Concat()(cr.Flatten()(h), cr.Flatten()(conv(h)))))
    rng = np.random.default_rng(0)
    compare(Problem(net, rng.normal(size=(3, 2, 5, 5)), np.array([0, 2, 1]), cr.CrossEntropyLoss()), True)
