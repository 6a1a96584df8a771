"""Writes transcripts of native plans, with all that goes in and comes out, for test_plans.cpp to repeat.

    python -m tests.native.write_plans FILE ISA

What a transcript is: `Recorder` below writes it, `Transcript` in transcript.hpp reads it.
"""

from __future__ import annotations

import os
import sys
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import chainrule as cr
from chainrule.engines.native import core
from chainrule.engines.native.compiled import instruction_set
from chainrule.engines.native.program import EpochRequest, PlanDescription
from chainrule.engines.native.rules import convolution, winograd
from tests.engines import comparing
from tests.helpers import Array
from tests.layers.rows import ROWS, Row

CORE_PLAN = core.Plan


class Words:
    """What a C++ program can read without a parser: words, and how many follow."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, *items: Any) -> None:
        """One line."""
        self.lines.append(" ".join(str(int(item) if isinstance(item, bool | np.bool_) else item) for item in items))

    def numbers(self, numbers: Any) -> None:
        """How many, and which; floats as they are to the bit."""
        flat = np.asarray(numbers).reshape(-1).tolist()
        self.add(len(flat), *(float(n).hex() if isinstance(n, float) else int(n) for n in flat))

    def fields(self, fields: dict[str, Any]) -> None:
        """name, kind (n: nothing; i, d: a number; s: a word; I, D: a list), values."""
        self.add(len(fields))
        for name, value in fields.items():
            if value is None:
                self.add(name, "n")
            elif isinstance(value, str):
                self.add(name, "s", value)
            elif isinstance(value, list):
                self.add(name, "D" if value and isinstance(value[0], float) else "I")
                self.numbers(value)
            else:
                floating = isinstance(value, float)
                self.add(name, "d" if floating else "i", value.hex() if floating else value)

    def batch(
        self, inputs: Array, is_bytes: bool, targets: Array | None, labels: Array | None, weights: Array | None
    ) -> None:
        self.add(is_bytes)
        self.numbers(inputs)
        self.add("none" if targets is None else "indices" if targets.dtype.kind == "i" else "numbers")
        self.numbers([] if targets is None else targets)
        self.numbers([] if labels is None else labels)
        self.numbers([] if weights is None else weights)

    def results(self, *arrays: Any) -> None:
        self.add(len(arrays))
        for array in arrays:
            self.numbers(np.asarray(array, np.float64))


class Recorder:
    """Stands in for the core's plan, does the same, and writes it down."""

    everyone: ClassVar[list[Recorder]] = []
    operations: ClassVar[set[str]] = set()

    def __init__(self, description: PlanDescription) -> None:
        self._plan = CORE_PLAN(description)
        self._sizes, self._dtype = description.sizes, np.dtype(f"f{description.number_bytes}")
        self._events: list[Words] = []
        self._words = Words()
        self._words.add(description.isa, description.number_bytes, description.lanes)
        self._words.fields(description.sizes)
        self._words.add(len(description.stages))
        for parts in description.stages:
            for named in parts:
                self.operations.update(name for name, _ in named)
                self._words.add(len(named))
                for name, fields in named:
                    self._words.add(name)
                    self._words.fields(fields)
        for records in (description.finishes, description.packs, description.folds):
            self._words.add(len(records))
            for fields in records:
                self._words.fields(fields)
        self.everyone.append(self)

    def lines(self) -> list[str]:
        """The plan, then its events."""
        return [*self._words.lines, str(len(self._events)), *(line for event in self._events for line in event.lines)]

    def _event(self, *items: Any) -> Words:
        self._events.append(Words())
        self._events[-1].add(*items)
        return self._events[-1]

    def set_values(self, parameters: Array, buffers: Array) -> None:
        self._plan.set_values(parameters, buffers)
        words = self._event("values")
        words.numbers(parameters)
        words.numbers(buffers)
        words.results()

    def run(self, inputs: Array, is_bytes: bool, targets: Any, labels: Any, weights: Any, scale: float,
            exports: list[Array], samples: int, seed: int, step: int, threads: int) -> Any:  # fmt: skip
        result = self._plan.run(inputs, is_bytes, targets, labels, weights, scale, exports, samples, seed, step,
                                threads)  # fmt: skip
        words = self._event("run", samples, seed, step, float(scale).hex())
        words.batch(inputs, is_bytes, targets, labels, weights)
        gradient = np.zeros(self._sizes["parameters"], self._dtype)
        if gradient.size:
            self._plan.get_gradient(gradient)
        words.results(*result[:2], gradient, *exports)  # whether x is finite is Python's to ask
        return result

    def train(self, request: EpochRequest) -> int:
        done: int = self._plan.train(request)
        words = self._event("train", request.batch_size, request.first, request.seed, request.step, request.memories)
        words.batch(request.inputs, request.bytes, request.targets, request.labels, request.weights)
        words.numbers(request.order)
        words.numbers(request.rates)
        words.numbers(request.scales)
        words.fields(request.update)
        words.numbers(request.trainable)
        parameters, buffers = np.zeros(self._sizes["parameters"]), np.zeros(self._sizes["buffers"])
        self._plan.get_values(parameters, buffers)
        words.results(request.losses[:done], request.correct[:done], parameters, buffers)
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan, name)


def lenet() -> cr.Network:
    """LeNet-5's shape on small images."""
    text = "1x16x16 -> conv 6@5x5 pad 2 -> relu -> maxpool 2 -> conv 16@5x5 -> relu -> maxpool 2 -> fc 20 -> relu"
    return cr.parse(text + " -> dropout 0.3 -> fc 10", seed=1)


def everything() -> cr.Network:
    """The layers that are left."""
    x = cr.Input((4, 9, 8))
    table = np.random.default_rng(0).random((5, 4)) < 0.6
    a = cr.Tanh()(cr.Conv2d(4, 5, 3, padding=1, connections=table)(x))
    b = cr.LocalResponseNorm(3)(cr.Conv2d(4, 4, 3, dilation=2, padding=2, groups=2, mode="convolution")(x))
    c = cr.LeakyReLU()(cr.LocallyConnected2d(4, 2, 3, 2, 1)(x))
    pools = [
        cr.AvgPool2d(3, 2, 1)(a),
        cr.GaussianPool2d(2, sigma=1.0)(b),
        cr.LPPool2d(2, 2)(a),
        cr.MaxPool2d(3, 2, 1)(b),
        cr.TrainablePool2d(4, 2)(b),
        cr.AdaptiveAvgPool2d((2, 3))(a),
        c,
    ]
    flat = cr.Concat()(*(cr.Flatten()(pool) for pool in pools))
    h = cr.Sigmoid()(cr.Linear(flat.shape[0], 33, bias="shared")(flat))
    h = cr.Dropout(0.2)(cr.BatchNorm1d(33)(cr.ScaledTanh()(h)))
    return cr.Network(x, cr.RBF(33, 4)(h), seed=2)


def fit(net: cr.Network, x: Array, targets: Array, loss: cr.Loss, optimizer: cr.Optimizer, **options: Any) -> None:
    net.fit(x, targets, loss=loss, optimizer=optimizer, epochs=2, progress=False, engine="native", **options)


def whole_networks() -> None:
    """Trained for two epochs, traced, and asked for outputs."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (97, 1, 16, 16), dtype=np.uint8), rng.integers(0, 10, 97)
    fit(lenet(), images, labels, cr.CrossEntropyLoss(), cr.SGD(0.05, momentum=0.9), batch_size=40)
    fit(lenet(), images[:3], labels[:3], cr.CrossEntropyLoss(), cr.Adam(), batch_size=1)
    lenet()(images[:33])
    text = "1x16x16 -> conv 6@5x5 pad 2 -> batchnorm -> relu -> maxpool 2 -> fc 20 -> batchnorm -> fc 10"
    cr.parse(text, seed=1)(images[:33])  # batch normalisation becomes part of the weights
    x, labels = rng.normal(size=(50, 2, 8, 7)), rng.integers(0, 4, 50)
    fit(comparing.mixed_network(), x, labels, cr.CrossEntropyLoss(), cr.AdamW(0.01), batch_size=23)
    comparing.mixed_network().trace(x, labels, loss=cr.CrossEntropyLoss(), engine="native")
    weighted = cr.CrossEntropyLoss(weight=[0.5, 1.0, 2.0, 1.5], label_smoothing=0.1)
    weights = rng.integers(0, 4, 50).astype(float)
    optimizer = cr.RMSprop(0.001, momentum=0.5, centered=True)
    fit(comparing.mixed_network(), x, labels, weighted, optimizer, batch_size=16, sample_weight=weights)
    x = rng.normal(size=(21, 4, 9, 8))
    fit(everything(), x, rng.integers(0, 4, 21), cr.MAPLoss(), cr.SGD(0.001), batch_size=8)
    fit(everything(), x.astype(np.float32), rng.integers(0, 4, 21), cr.MAPLoss(), cr.SGD(0.001), batch_size=3)
    tall = cr.Sequential(cr.Conv2d(2, 3, 3, padding=1), cr.Flatten(), input_shape=(2, 100, 9), seed=3)
    deep = cr.Sequential(cr.Conv2d(33, 20, 3, 2), cr.Flatten(), input_shape=(33, 9, 11), seed=3)
    wide = cr.Sequential(cr.Linear(3, 33), seed=3)  # reads as far past the last weight as anything does
    for samples in (1, 5):
        for net in (tall, deep, wide):
            differentiate(net, samples)


def differentiate(net: cr.Network, samples: int) -> None:
    """The gradients of one batch."""
    rng = np.random.default_rng(samples)
    x, targets = rng.normal(size=(samples, *net.input_shape)), rng.normal(size=(samples, *net.output_shape))
    for loss in (cr.MSELoss(), cr.L1Loss(), cr.HuberLoss()):
        net.gradients(x, targets, loss=loss, sample_weight=np.arange(samples) + 1.0, engine="native")


def small_networks(rows: list[Row]) -> None:
    """One for each layer and option of the table, with one sample and with a few."""
    for index, row in enumerate(rows):
        net = comparing.around(row)
        for samples in (1, 2 + index % 9):
            given = comparing.problem_of(net, samples)
            training = comparing.trainable(row, samples)
            given.net.gradients(given.x, given.targets, loss=given.loss, training=training, engine="native")


def frozen_networks() -> None:
    """Every subset of the gradients that a layer with parameters may be asked for, and nothing before it trained."""
    seen: set[type[cr.Layer]] = set()
    for row in ROWS:
        if type(row.layer) in seen or not row.layer.parameter_shapes(*row.shapes):
            continue
        seen.add(type(row.layer))
        net = comparing.around(row)
        given = comparing.problem_of(net, 5)
        own = [name for name in net.parameters if name.startswith(f"{net.names[-3]}.")]
        for size in range(len(own) + 1):
            for frozen in combinations(own, size):
                for before in (False, True):
                    net.frozen = {*frozen, *(net.parameters if before else ())} - ({*own} - {*frozen})
                    fit(net, given.x, given.targets, given.loss, cr.SGD(0.01), batch_size=3)


def main(target: str, isa: str) -> None:
    os.environ["CHAINRULE_ISA"] = isa
    core.Plan = Recorder  # type: ignore[misc, assignment]
    whole_networks()
    small_networks(ROWS)
    frozen_networks()
    convolutions = [row for row in ROWS if isinstance(row.layer, cr.Conv2d)]
    convolution.LARGE_WEIGHTS, usual = 0, convolution.LARGE_WEIGHTS
    winograd.WORTH = 0.0
    whole_networks()
    small_networks(convolutions)
    convolution.LARGE_WEIGHTS = usual
    # Winograd's algorithm wherever it can be, whatever it costs.
    winograd.WORTH = winograd.NEAR_BYTES = np.inf
    for points, in_registers in (({3: (6,)}, False), ({3: (8,), 5: (8,)}, instruction_set().registers >= 32)):
        winograd.POINTS, winograd.IN_REGISTERS = points, (in_registers,)
        whole_networks()
        small_networks(convolutions)
    if missing := set(core.schema()) - {"sizes", "finish", "pack", "fold", "update"} - Recorder.operations:
        sys.exit(f"no network here has these operations: {missing}")
    lines = [line for recorder in Recorder.everyone for line in recorder.lines()]
    Path(target).write_text("\n".join([str(len(Recorder.everyone)), *lines]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
