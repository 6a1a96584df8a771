"""What a file computes, in ONNX's reference and in ONNX Runtime, and what our reference engine says of the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx.reference import ReferenceEvaluator

import chainrule as cr
from chainrule.engines.base import EpochTotals, Recipe, Samples
from chainrule.engines.reference import ReferenceEngine, ReferenceTrainer
from chainrule.equations.dropout import dropout_mask
from chainrule.interchange.onnx.optimizers import rule_of
from tests.helpers import Array
from tests.strategies import Problem

Arrays = dict[str, Array]
EXACT, SINGLE = 1e-9, 1e-5
RUNNERS = {"float64": "onnx.reference", "float32": "ONNX Runtime"}
ENGINE = ReferenceEngine()


def checked(path: Path) -> onnx.ModelProto:
    """The file, after the checker's hardest look."""
    onnx.checker.check_model(str(path), full_check=True)
    return onnx.load(path)


def run(path: Path, feeds: Arrays, dtype: str) -> Arrays:
    """All outputs of a file: float64 in ONNX's reference, float32 in ONNX Runtime."""
    checked(path)
    if dtype == "float64":
        evaluator = ReferenceEvaluator(str(path))
        with np.errstate(all="ignore"):
            return dict(zip(evaluator.output_names, evaluator.run(None, feeds), strict=True))
    session = runtime(path)
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds), strict=True))


def runtime(path: Path) -> Any:
    """A file in ONNX Runtime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def inputs_of(path: Path) -> dict[str, tuple[str, list[Any]]]:
    """(type, shape) of each input of a file."""
    found = onnx.load(path, load_external_data=False).graph.input
    name = onnx.TensorProto.DataType.Name
    shape = lambda dims: [d.dim_param or d.dim_value for d in dims]  # noqa: E731
    return {v.name: (name(v.type.tensor_type.elem_type), shape(v.type.tensor_type.shape.dim)) for v in found}


def masks(net: cr.Network, samples: int, step: int) -> Arrays:
    """The masks that the engines draw for each dropout layer."""
    dropouts = [s for s in net.steps if isinstance(s.layer, cr.Dropout)]
    shapes = [(samples, *s.shape) for s in dropouts]
    kept = [dropout_mask(shape, s.layer.p, net.seed, step, s.index) for s, shape in zip(dropouts, shapes, strict=True)]
    return {f"mask.{s.name}": mask for s, mask in zip(dropouts, kept, strict=True)}


def data(problem: Problem, dtype: str) -> Arrays:
    """x and targets as a file takes them."""
    targets = problem.loss.prepare_targets(problem.targets, len(problem.x), problem.net.output_shape)
    return {
        "x": problem.x.astype(dtype),
        "targets": targets if targets.dtype == np.int64 else targets.astype(dtype),
    }


def targets_kind(problem: Problem) -> str:
    """What to_onnx has to know of cross-entropy's targets."""
    soft = isinstance(problem.loss, cr.CrossEntropyLoss) and np.asarray(problem.targets).dtype.kind == "f"
    return "probabilities" if soft else "classes"


def stored(net: cr.Network, dtype: str) -> Arrays:
    """Parameters and buffers by name."""
    return {name: np.array(a, dtype) for name, a in (*net.parameters.items(), *net.buffers.items())}


def reference_gradients(problem: Problem, training: bool) -> Arrays:
    """Loss and gradients of the reference engine, in float64, under the names of the file's outputs."""
    targets = problem.loss.prepare_targets(problem.targets, len(problem.x), problem.net.output_shape)
    result = ENGINE.gradients(problem.net, Samples(problem.x, targets), problem.loss, np.dtype("float64"), training)
    found = {"loss": np.array(result.loss), "gradient.x": result.dx}
    return found | {f"gradient.{name}": array for name, array in result.parameters.items()}


def reference_steps(problem: Problem, optimizer: cr.Optimizer, rates: list[float]) -> tuple[list[float], Arrays]:
    """(losses, everything after the last step) of the reference engine, under the names of the file's outputs."""
    net, targets = problem.net, data(problem, "float64")["targets"]
    trainer = ReferenceTrainer(net, Recipe(problem.loss, optimizer, np.dtype("float64"), net.seed))
    losses = []
    for rate in rates:
        totals = EpochTotals()
        trainer.step_on(Samples(problem.x, targets), rate, totals)
        losses.append(totals.loss if problem.loss.reduction == "mean" else totals.loss_sum)
    found: Arrays = {f"new.{name}": a for name, a in trainer.state.parameters.items() if name not in net.frozen}
    found |= {f"new.{name}": a for name, a in trainer.state.buffers.items()}
    for memory, flat in zip(rule_of(optimizer).memories(optimizer), trainer.memory, strict=True):
        parts = trainer.slices.items()
        views = {name: flat[part].reshape(net.parameters.shapes[name]) for name, part in parts}
        found |= {f"new.{memory}.{name}": a for name, a in views.items() if name not in net.frozen}
    return losses, found


def file_steps(path: Path, problem: Problem, dtype: str, rates: list[float]) -> tuple[list[float], Arrays]:
    """The same of a file whose parameters are fed, and whose memory begins with zeros."""
    wanted = inputs_of(path)
    state = {n: np.zeros(shape, dtype) for n, (_, shape) in wanted.items() if n.partition(".")[0] in MEMORIES}
    state |= {n: a for n, a in stored(problem.net, dtype).items() if n in wanted}
    losses, given = [], data(problem, dtype)
    for number, rate in enumerate(rates):
        feeds = given | state | masks(problem.net, len(problem.x), number) | {"learning_rate": np.array(rate, dtype)}
        feeds |= {"step": np.array(number + 1)} if "step" in wanted else {}
        found = run(path, feeds, dtype)
        losses.append(float(found.pop("loss")))
        state |= {name.removeprefix("new."): array for name, array in found.items()}
    return losses, found


MEMORIES = ("velocity", "mean", "square")


def assert_near(actual: Arrays, expected: Arrays, tolerance: float, what: str, at_least: float = 0) -> None:
    """Every array equals the expected one to `tolerance` of the largest number of all of its kind."""
    assert sorted(actual) == sorted(expected), what
    scale = max([at_least, 1e-30, *(float(np.abs(array).max(initial=0)) for array in expected.values())])
    for name, array in expected.items():
        assert actual[name].shape == array.shape, f"{what}: {name}"
        error = float(np.abs(actual[name] - array).max(initial=0)) / scale
        assert error <= tolerance, f"{what}: {name} differs by {error:.3g} of {scale:.3g}"
