"""The reference engine walks the graph with the layers' own equations: no cleverness, what others must equal."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.arrays import Array, to_floats
from chainrule.engines.base import (
    EpochTotals,
    FirstNonFinite,
    GradientResult,
    OnStep,
    Recipe,
    Samples,
    Trace,
    Traced,
    step_masses,
)
from chainrule.errors import ShapeError
from chainrule.graph import Graph, Step
from chainrule.layers.base import Context
from chainrule.losses import Loss
from chainrule.memory import require_memory
from chainrule.parameters import Parameters
from chainrule.shapes import product, shape_text
from chainrule.walk import walk_back


@dataclass
class Pass:
    """A forward pass: for each node its value and what its layer saved for backward."""

    values: list[Array]
    saved: list[Any]


@dataclass(frozen=True)
class State:
    """Parameters and buffers in the compute precision."""

    parameters: Parameters
    buffers: Parameters

    @staticmethod
    def of(graph: Graph, dtype: np.dtype[Any]) -> State:
        """A copy of the graph's own."""
        return State(graph.parameters.copy(dtype), graph.buffers.copy(dtype))

    def layer(self, name: str) -> dict[str, Array]:
        """All arrays of one layer by their own names."""
        return {**self.parameters.of(name), **self.buffers.of(name)}


def run_forward(graph: Graph, state: State, x: Array, *, training: bool = False, step: int = 0) -> Pass:
    """Compute every node from its inputs."""
    done = Pass([x], [None])
    continue_forward(graph, state, done, graph.steps, training=training, step=step)
    return done


def continue_forward(
    graph: Graph, state: State, done: Pass, steps: tuple[Step, ...], *, training: bool, step: int = 0
) -> None:
    """Append the values of `steps` to a pass that holds all nodes before them."""
    for use in steps:
        context = Context(training, graph.seed, step, use.index)
        inputs = [done.values[i] for i in use.inputs]
        y, saved = use.layer.forward(state.layer(use.layer_name), *inputs, context=context)
        done.values.append(y)
        done.saved.append(saved)


Hook = Callable[[Step, dict[str, Array]], None]


def run_backward(
    graph: Graph,
    state: State,
    done: Pass,
    dy: Array,
    *,
    before_input: Hook | None = None,
    need_dx: bool = True,
) -> tuple[list[Array], Parameters]:
    """(gradient of every node, gradient of every parameter).

    A node that several others take collects from all of them (S0-E31), see `walk_back`; so does a shared parameter
    (S0-E07), here. `before_input` is called between a step's parameter gradients and its input gradient. Without
    `need_dx` the gradient of the input is left out and is zero.
    """
    parameters = state.parameters.zeros()

    def backward(use: Step, flowing: Array) -> tuple[Array | None, ...]:
        values, saved = state.layer(use.layer_name), done.saved[use.index]
        own = use.layer.backward_parameters(values, flowing, saved)
        for name, gradient in own.items():
            total = parameters[f"{use.layer_name}.{name}"]
            _expect_shape(gradient, total, f"the gradient that {use.name} returned for {name}")
            total += gradient
        if before_input is not None and own:
            before_input(use, own)
        if use.inputs == (0,) and not need_dx:
            return (None,)
        dx = use.layer.backward_input(values, flowing, saved)
        parts = dx if isinstance(dx, tuple) else (dx,)
        for source, part in zip(use.inputs, parts, strict=True):
            _expect_shape(part, done.values[source], f"the dx that {use.name} returned")
        return parts

    gradients = walk_back(graph, dy, backward, operator.add)
    zeros = [np.zeros_like(value) if g is None else g for value, g in zip(done.values, gradients, strict=True)]
    return zeros, parameters


def _expect_shape(gradient: Any, value: Array, what: str) -> None:
    """A gradient has exactly the shape of what it belongs to; a layer of the user's own may get it wrong."""
    given = np.shape(gradient)
    if given != value.shape:
        hint = "; its axes seem to be in another order" if sorted(given) == sorted(value.shape) else ""
        raise ShapeError(f"{what} has shape {given}, but must have {value.shape}{hint}")


def require_room(graph: Graph, samples: int, dtype: np.dtype[Any], *, backward: bool) -> None:
    """Refuse a batch whose values, all of which are kept, or whose hungriest layer's work cannot fit into memory."""
    each = samples * dtype.itemsize
    sizes = {
        step: step.layer.working_numbers(*step.input_shapes, backward=backward) + product(step.shape)
        for step in graph.steps
    }
    hungry = max(graph.steps, key=sizes.__getitem__, default=None)
    if hungry is not None:
        require_memory(
            each * sizes[hungry],
            lambda: f"{hungry.name} = {hungry.layer!r} with {samples:,} inputs of {shape_text(hungry.input_shapes[0])}",
            "use a smaller window, smaller maps or a smaller batch",
        )
    what = f"the values of all layers for {samples} samples"
    require_memory(each * graph.value_count, what, "take a smaller batch or a smaller network")


class ReferenceEngine:
    """Any graph, any layer, float32 and float64, NumPy alone."""

    name = "reference"

    def forward(self, graph: Graph, x: Array, dtype: np.dtype[Any]) -> Array:
        """Outputs in inference."""
        require_room(graph, len(x), dtype, backward=False)
        return run_forward(graph, State.of(graph, dtype), to_floats(x, dtype)).values[-1]

    def _passes(
        self, graph: Graph, data: Samples, loss: Loss, dtype: np.dtype[Any], training: bool
    ) -> tuple[float, State, Pass, list[Array], Parameters]:
        require_room(graph, len(data.x), dtype, backward=True)
        state = State.of(graph, dtype)
        done = run_forward(graph, state, to_floats(data.x, dtype), training=training)
        value, saved = loss.forward(done.values[-1], data.targets, data.weights)
        nodes, parameters = run_backward(graph, state, done, loss.backward(saved))
        return value, state, done, nodes, parameters

    def gradients(
        self, graph: Graph, data: Samples, loss: Loss, dtype: np.dtype[Any], training: bool
    ) -> GradientResult:
        """Loss, gradients of all parameters and of the input."""
        value, _, done, nodes, parameters = self._passes(graph, data, loss, dtype, training)
        return GradientResult(value, parameters, nodes[0], done.values[-1])

    def trace(self, graph: Graph, data: Samples, loss: Loss, dtype: np.dtype[Any], training: bool) -> Trace:
        """Values and gradients of every node and parameter."""
        value, state, done, nodes, parameters = self._passes(graph, data, loss, dtype, training)
        tensors = {name: Traced(v, g) for name, v, g in zip(graph.names, done.values, nodes, strict=True)}
        tensors |= {name: Traced(state.parameters[name], parameters[name]) for name in parameters}
        return Trace(value, tensors)

    def trainer(self, graph: Graph, recipe: Recipe) -> ReferenceTrainer:
        """Begin a training run."""
        return ReferenceTrainer(graph, recipe)


class ReferenceTrainer:
    """Training in plain NumPy: forward, loss, backward, update, batch by batch."""

    def __init__(self, graph: Graph, recipe: Recipe) -> None:
        self.graph = graph
        self.recipe = recipe
        self.state = State.of(graph, recipe.dtype)
        slices = self.state.parameters.slices()
        self.trainable = [part for name, part in slices.items() if name not in graph.frozen]
        self.slices = slices
        self.memory = recipe.optimizer.initial_state(self.state.parameters.flat)
        self.step = 0

    def epoch(self, data: Samples, order: Array, batch_size: int, rates: Array, on_step: OnStep | None) -> EpochTotals:
        """Train on x[order] in batches, one learning rate per step."""
        require_room(self.graph, min(batch_size, len(order)), self.recipe.dtype, backward=True)
        totals = EpochTotals()
        truth = self.recipe.loss.true_classes(data.targets)  # of all: a few rows may look like classes by chance
        for rate, start in zip(rates, range(0, len(order), batch_size), strict=True):
            chosen = order[start : start + batch_size]
            self.step_on(data.at(chosen), float(rate), totals, None if truth is None else truth[chosen])
            if on_step is not None:
                on_step(totals)
        return totals

    def epochs(
        self, data: Samples, orders: Array, batch_size: int, rates: Array, on_step: OnStep | None
    ) -> list[EpochTotals]:
        """Several epochs, one row of `orders` and `rates` for each."""
        rows = zip(orders, rates, strict=True)
        return [self.epoch(data, order, batch_size, rate, on_step) for order, rate in rows]

    def step_on(self, batch: Samples, rate: float, totals: EpochTotals, truth: Array | None = None) -> None:
        """One step on one batch, entered in `totals`; `truth` are the classes that its targets name."""
        graph, loss, x = self.graph, self.recipe.loss, to_floats(batch.x, self.recipe.dtype, known_finite=True)
        with np.errstate(all="ignore"):  # what overflows is found below, and named
            done = run_forward(graph, self.state, x, training=True, step=self.step)
            value, saved = loss.forward(done.values[-1], batch.targets, batch.weights)
            before = self.step, self.state.parameters.flat.copy(), self.state.buffers.flat.copy()
            hook = self._updating_hook(rate) if self.recipe.sequential else None
            nodes, gradients = run_backward(
                graph, self.state, done, loss.backward(saved), before_input=hook, need_dx=False
            )
        search = FirstNonFinite()
        if not (np.isfinite(value) and np.isfinite(gradients.flat).all()):
            search = self._search(value, done, nodes, gradients)
        else:
            self.step += 1
            with np.errstate(all="ignore"):
                self._finish_step(done, gradients, rate)
            for name, array in (*self.state.parameters.items(), *self.state.buffers.items()):
                search.look(f"{name} after the update", array)
        if search.names:
            self.step, self.state.parameters.flat[:], self.state.buffers.flat[:] = before
            raise search.error(f"at step {totals.steps + 1}")
        self._count(totals, value, done.values[-1], batch, truth)

    def _finish_step(self, done: Pass, gradients: Parameters, rate: float) -> None:
        """Move the parameters, unless they have moved on the way, and the buffers."""
        if not self.recipe.sequential:
            self._update(gradients.flat, self.trainable, rate)
        for use in self.graph.steps:
            buffers = use.layer.updated_buffers(self.state.layer(use.layer_name), done.saved[use.index])
            for name, buffer in buffers.items():
                self.state.buffers[f"{use.layer_name}.{name}"][...] = buffer

    def _update(self, gradients: Array, parts: list[slice], rate: float) -> None:
        for part in parts:
            memory = [array[part] for array in self.memory]
            self.recipe.optimizer.update(self.state.parameters.flat[part], gradients[part], memory, rate, self.step)

    def _updating_hook(self, rate: float) -> Hook:
        """Update a step's parameters before the gradient goes on through them: not the rule, but how S0's four printed
        results came about (ER0-14)."""
        flat = self.state.parameters.zeros()

        def update(use: Step, own: dict[str, Array]) -> None:
            names = [f"{use.layer_name}.{name}" for name in own]
            for name, gradient in zip(names, own.values(), strict=True):
                flat[name][...] = gradient
            parts = [self.slices[name] for name in names if name not in self.graph.frozen]
            self.step += 1
            self._update(flat.flat, parts, rate)
            self.step -= 1

        return update

    def _search(self, loss: float, done: Pass, nodes: list[Array], gradients: Parameters) -> FirstNonFinite:
        search = FirstNonFinite()
        for name, value in zip(self.graph.names, done.values, strict=True):
            search.look(f"the output of {name}", value)
        search.look("the loss", np.asarray(loss))
        for use in reversed(self.graph.steps):
            search.look(f"the gradient of {use.name}", nodes[use.index])
            for name in use.layer.parameter_shapes(*use.input_shapes):
                search.look(f"the gradient of {use.layer_name}.{name}", gradients[f"{use.layer_name}.{name}"])
        return search

    def _count(self, totals: EpochTotals, value: float, outputs: Array, batch: Samples, truth: Array | None) -> None:
        loss = self.recipe.loss
        mass = float(step_masses(loss, batch.targets, batch.weights).sum())
        totals.loss_sum += value * mass if loss.reduction == "mean" else value
        totals.mass += mass
        totals.samples += len(outputs)
        totals.steps += 1
        guess = loss.predicted_classes(outputs)
        if truth is not None and guess is not None:
            weights = np.ones(len(outputs)) if batch.weights is None else batch.weights
            right = (truth == guess).reshape(len(outputs), -1)
            totals.correct += float(weights @ right.sum(axis=1))
            totals.labelled += float(weights.sum()) * right.shape[1]

    def store(self) -> None:
        """Write parameters and buffers back into the graph."""
        self.graph.parameters.flat[:] = self.state.parameters.flat
        self.graph.buffers.flat[:] = self.state.buffers.flat
