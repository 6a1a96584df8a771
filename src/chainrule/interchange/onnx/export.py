"""`Network.to_onnx`: what may be asked for, checked before anything is written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

from chainrule.arrays import FLOATS, Array
from chainrule.atomic import write_together
from chainrule.errors import ArgumentError, DataError, MissingExtraError, NonFiniteError
from chainrule.files.architecture import graph_to_json
from chainrule.interchange.onnx import graphs
from chainrule.interchange.onnx.builder import Builder
from chainrule.layers import LAYERS, BatchNorm1d, BatchNorm2d
from chainrule.losses import CrossEntropyLoss, Loss
from chainrule.network import Network
from chainrule.optimizers import Optimizer
from chainrule.shapes import choice, integer, product

What = Literal["inference", "gradients", "train_step"]
WHAT = ("inference", "gradients", "train_step")
LOWEST, HIGHEST = 18, 23
"""The versions of ONNX's operators that files can be written for."""

TIES = "Of equal maxima, the one that the runtime's MaxPool names gets the gradient: in ONNX Runtime the first."


def to_onnx(
    net: Network,
    path: str | Path,
    *,
    what: What = "inference",
    batch: int | None = None,
    dtype: Literal["float32", "float64"] = "float32",
    opset: int = LOWEST,
    weights: Literal["inside", "beside", "inputs"] = "inside",
    uint8: bool = False,
    loss: Loss | None = None,
    optimizer: Optimizer | None = None,
    targets: Literal["classes", "probabilities"] = "classes",
    sample_weight: bool = False,
    training: bool = True,
    dx: bool = False,
) -> None:
    """See `Network.to_onnx`."""
    _require_onnx()
    from chainrule.interchange.onnx.writer import Outside, beside, model_bytes

    choice("what", what, WHAT)
    choice("weights", weights, ("inside", "beside", "inputs"))
    choice("targets", targets, ("classes", "probabilities"))
    precision = _precision(dtype)
    builder = Builder(precision, None if batch is None else integer("batch", batch, 1))
    _check_opset(opset)
    _check_training(net, what, loss, optimizer, targets)
    request = graphs.Request(
        net,
        _arrays(net, precision),
        builder,
        pixels=_pixels(net) if uint8 else None,
        given=what != "inference" or weights == "inputs",
        stored=weights == "inside",
        loss=loss,
        optimizer=optimizer,
        soft_targets=targets == "probabilities",
        weighted=sample_weight,
        training=what == "train_step" or (what == "gradients" and training),
        dx=dx,
    )
    _check_batch(net, request)
    getattr(graphs, what)(request)
    target = Path(path)
    outside = Outside.of(beside(target).name, request.arrays) if weights == "beside" else None
    data = model_bytes(builder, opset, _doc(request, what), _metadata(net, request), outside)
    files: dict[str | Path, bytes] = {target: data}
    if outside is not None:
        _refuse_same_name(target, beside(target))
        files[beside(target)] = outside.data
    write_together(files)


def inference_bytes(net: Network, dtype: str, opset: int, batch: int | None, *, uint8: bool) -> bytes:
    """What `to_onnx` writes in inference, weights inside."""
    from chainrule.interchange.onnx.writer import model_bytes

    precision = _precision(dtype)
    builder = Builder(precision, batch)
    pixels = _pixels(net) if uint8 else None
    graphs.inference(graphs.Request(net, _arrays(net, precision), builder, pixels=pixels))
    return model_bytes(builder, opset, "", {})


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise MissingExtraError("writing ONNX", "onnx") from None


def _precision(dtype: object) -> np.dtype[Any]:
    for name, known in FLOATS.items():
        if dtype in (name, known, known.type):
            return known
    raise ArgumentError(f'dtype must be "float32" or "float64", not {dtype!r}; networks are computed in no other')


def _check_opset(opset: object) -> None:
    from onnx import defs

    highest = min(HIGHEST, defs.onnx_opset_version())
    if isinstance(opset, bool) or not isinstance(opset, int) or not LOWEST <= opset <= highest:
        raise ArgumentError(f"opset must be a number from {LOWEST} to {highest}, not {opset!r}")


def _check_training(net: Network, what: str, loss: object, optimizer: object, targets: str) -> None:
    """Gradients need a loss, a step also an optimizer; inference needs neither."""
    if what == "inference":
        for name, given in (("loss", loss), ("optimizer", optimizer)):
            if given is not None:
                raise ArgumentError(f'{name} is for what="gradients" or "train_step"; inference has none')
        return
    if not isinstance(loss, Loss):
        raise ArgumentError(f'what="{what}" needs loss=..., such as CrossEntropyLoss(), not {loss!r}')
    if what == "gradients" and optimizer is not None:
        raise ArgumentError('optimizer is for what="train_step"; gradients move nothing')
    if what == "train_step" and not isinstance(optimizer, Optimizer):
        raise ArgumentError(f'what="train_step" needs optimizer=..., such as SGD(0.1), not {optimizer!r}')
    if targets == "probabilities" and not isinstance(loss, CrossEntropyLoss):
        raise ArgumentError(f'targets="probabilities" is for CrossEntropyLoss; {loss!r} takes its own kind of targets')
    shape = net.output_shape
    classes = loss.by_class and targets == "classes"
    loss.prepare_targets(np.zeros((1, *shape[1:]), np.int64) if classes else np.zeros((1, *shape)), 1, shape)


def _check_batch(net: Network, request: graphs.Request) -> None:
    if not request.training or request.builder.batch is None:
        return
    for step in net.steps:
        count = request.builder.batch * product(step.input_shapes[0][1:])
        if isinstance(step.layer, BatchNorm1d | BatchNorm2d) and count < 2:
            raise DataError(f"{step.name} = {step.layer!r} needs at least 2 values per channel in training; batch=1")


def _arrays(net: Network, dtype: np.dtype[Any]) -> dict[str, Array]:
    """Parameters and buffers in the file's precision. Raises NonFiniteError for what it cannot hold."""
    found = {}
    for name, values in (*net.parameters.items(), *net.buffers.items()):
        with np.errstate(over="ignore", under="ignore"):
            found[name] = values.astype(dtype)
        if not np.isfinite(found[name]).all():
            why = "NaN or infinity" if not np.isfinite(values).all() else f"numbers that {dtype.name} cannot hold"
            raise NonFiniteError(f"{name} holds {why}; such a network is not exported")
    return found


def _pixels(net: Network) -> graphs.Pixels:
    known = net.preparation
    return graphs.Pixels() if known is None else graphs.Pixels(known.black, known.white)


def _refuse_same_name(path: Path, other: Path) -> None:
    if os.path.realpath(path) == os.path.realpath(other):
        raise ArgumentError(f'{path} is where weights="beside" puts the weights; call the ONNX file .onnx')


def _doc(request: graphs.Request, what: str) -> str:
    """A few sentences for whoever opens the file."""
    if what == "inference":
        return "A network in inference: x -> y."
    if what == "gradients":
        return f"{request.loss!r} and its gradients by x and by every parameter. {TIES}"
    return (
        f"A training step, {request.optimizer!r} on {request.loss!r}: feed each output new.NAME back as NAME. "
        f"Memory begins with zeros{', step with 1' if _counts(request) else ''}. {TIES}"
    )


def _counts(request: graphs.Request) -> bool:
    return any(place.value.name == "step" for place in request.builder.inputs)


def _metadata(net: Network, request: graphs.Request) -> dict[str, str]:
    """What travels with a network besides its numbers."""
    found: dict[str, str] = {}
    if not request.given and all(LAYERS.get(type(layer).__name__) is type(layer) for layer in net.layers.values()):
        found["architecture"] = json.dumps(graph_to_json(net), separators=(",", ":"))
        found["frozen"] = json.dumps(sorted(net.frozen))
        found["seed"] = json.dumps(net.seed)
    if net.class_names is not None:
        found["class_names"] = json.dumps(net.class_names, ensure_ascii=False)
    if net.preparation is not None:
        found["preparation"] = json.dumps(net.preparation.to_json())
    return found
