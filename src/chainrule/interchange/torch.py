"""Weights from and for PyTorch, and networks from its modules. PyTorch is imported by `from_torch` alone, and by
`to_torch_state` where it is installed; files are safetensors, and a pickle is never opened."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array
from chainrule.errors import (
    ArgumentError,
    ChainruleError,
    EngineError,
    FileFormatError,
    StorageError,
    WeightsError,
)
from chainrule.interchange.weights import Place, Transfer, grouped, matched, misfit, natural, places_of, transfer
from chainrule.layers import BatchNorm1d, BatchNorm2d
from chainrule.network import Network
from chainrule.shapes import shown

COUNTS = "num_batches_tracked"
"""How many batches a BatchNorm of PyTorch has seen; nothing here depends on it."""
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


def load_torch(
    net: Network, source: str | Path | Mapping[str, Any], *, names: Mapping[str, str] | None = None
) -> Transfer:
    """Weights of PyTorch into a network of the same layers; the answer is a table of what went where.

    source   a .safetensors file, or a mapping such as `module.state_dict()`
    names    {"conv2": "features.3"}: the module of a layer, where names, shapes and order do not tell

    A module belongs to the layer whose arrays have the same shapes: the one of the same name if there is one, else the
    only one of these shapes, else by order: that of a mapping, and in a file, which keeps none, that of the names. What
    a BatchNorm has counted is not kept here. A weight of Conv1d fits a Conv2d of one row.

    Raises WeightsError, with a table of both sides, where arrays are missing, left over or of other shapes, and changes
    nothing then; FileFormatError for other files, StorageError where the file cannot be read.
    """
    if isinstance(source, Mapping):
        arrays = {str(name): _array(name, value) for name, value in source.items()}
    elif isinstance(source, str | Path):
        arrays = _from_file(Path(source))
    else:
        raise ArgumentError(
            f"weights come from a .safetensors file or a mapping of names to arrays, not {shown(source)}"
        )
    kept = {name: array for name, array in arrays.items() if name.rpartition(".")[2] != COUNTS}
    return transfer(net, grouped(kept), [name for name in arrays if name not in kept], names)


def _array(name: str, value: Any) -> Array:
    """A tensor or array as float64, without importing PyTorch."""
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.double().numpy() if value.is_floating_point() else value.numpy()
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ArgumentError(f"{name} is not an array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise ArgumentError(f"{name} is not an array of real numbers, but {shown(value)}")
    return array


def _from_file(path: Path) -> dict[str, Array]:
    """The arrays of a safetensors file, sorted by name with numbers in their order."""
    if path.suffix.lower() in PICKLES:
        raise FileFormatError(
            f"{path} is a pickle, which runs code when it is opened, and is not read; convert it once, where you trust "
            f'it, in PyTorch: safetensors.torch.save_file(torch.load("{path.name}", weights_only=True), '
            f'"{path.stem}.safetensors")'
        )
    from safetensors import SafetensorError, safe_open

    try:
        if path.is_dir():
            raise StorageError(f"cannot read {path}: it is a folder")
        path.open("rb").close()
        with safe_open(path, framework="numpy") as file:
            return {name: _tensor(file, name) for name in sorted(file.keys(), key=natural)}
    except SafetensorError as error:
        raise FileFormatError(f"{path} is not a complete safetensors file: {error}") from None
    except ChainruleError:
        raise
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def _tensor(file: Any, name: str) -> Array:
    kind = file.get_slice(name).get_dtype()
    if kind not in ("F16", "F32", "F64", "I64", "I32", "U8", "BOOL"):
        raise FileFormatError(f"{name} holds numbers of the type {kind}, which is not read; store them as F32")
    array: Array = file.get_tensor(name)
    return array


# --- out -----------------------------------------------------------------------------------------------------------


def to_torch_state(net: Network, like: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """See `Network.to_torch_state`."""
    arrays = _named(net) if like is None else _named_like(net, like)
    if like is not None:
        return {name: _as_type_of(arrays[name], value) for name, value in like.items()}
    if find_spec("torch") is None:
        return {name: array if array.dtype.kind == "i" else array.astype(np.float32) for name, array in arrays.items()}
    import torch

    floats = {name: torch.tensor(array) for name, array in arrays.items()}
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in floats.items()}


def _named(net: Network) -> dict[str, Array]:
    """Names of an nn.Sequential for a chain, else our own."""
    prefixes = {name: name for name in net.layers}
    if net.is_chain and len(net.layers) == len(net.steps):
        prefixes = {step.layer_name: str(step.index - 1) for step in net.steps}
    found: dict[str, Array] = {}
    for place in places_of(net):
        found |= {f"{prefixes[place.name]}.{own}": array for own, array in _outgoing(net, place).items()}
    return found


def _outgoing(net: Network, place: Place) -> dict[str, Array]:
    held = {**net.parameters.of(place.name), **net.buffers.of(place.name)}
    arrays = {own: np.ascontiguousarray(place.as_there(own, array)) for own, array in held.items()}
    if isinstance(place.layer, BatchNorm1d | BatchNorm2d):
        arrays[COUNTS] = np.zeros((), np.int64)
    return arrays


def _named_like(net: Network, like: Mapping[str, Any]) -> dict[str, Array]:
    """The names of a mapping, whose layers are matched as those of a file are."""
    given = {str(name): np.empty(tuple(value.shape)) for name, value in like.items()}
    groups = grouped({name: array for name, array in given.items() if name.rpartition(".")[2] != COUNTS})
    places = places_of(net)
    pairs = matched(places, groups, {})
    if pairs is None:
        raise WeightsError(misfit(places, groups, {}))
    found: dict[str, Array] = {}
    for place in places:
        theirs = pairs[place.name][0]
        for own, array in _outgoing(net, place).items():
            name = f"{theirs}.{own}" if theirs else own
            found[name] = array.reshape(given[name].shape) if name in given else array
    return found | {name: np.asarray(like[name]) for name in given if name not in found}


def _as_type_of(array: Array, value: Any) -> Any:
    """In the type, and on the device, of another tensor or array."""
    if hasattr(value, "new_tensor"):
        return value.new_tensor(array)
    return array.astype(np.asarray(value).dtype)


# --- whole networks ------------------------------------------------------------------------------------------------


def from_torch(module: Any, example: ArrayLike) -> Network:
    """The network of a PyTorch module, by way of its ONNX export in memory: `from_torch(module, x)` for a batch x such
    as the module takes. The module stays as it is.

    Raises FileFormatError, in one sentence that names the node, for what no layer computes; ArgumentError where the
    module itself fails; EngineError without PyTorch, MissingExtraError without the package `onnx`.
    """
    from chainrule.interchange.onnx.importing import network_of
    from chainrule.interchange.onnx.reading import model_of, parse, require_onnx

    require_onnx()
    if find_spec("torch") is None:
        raise EngineError("from_torch needs PyTorch, which is not installed: pip install torch")
    import torch

    if not isinstance(module, torch.nn.Module):
        raise ArgumentError(f"from_torch takes an nn.Module, not {type(module).__name__}")
    x = example if isinstance(example, torch.Tensor) else torch.as_tensor(np.asarray(example))
    model = model_of(parse(_exported(torch, module, x), "the module"), Path())
    try:
        return network_of(model).net
    except ChainruleError as error:
        raise FileFormatError(f"the module cannot be taken over: {error.args[0]}") from None


def _exported(torch: Any, module: Any, x: Any) -> bytes:
    """The module in inference as ONNX, batch normalisation not folded away."""
    stream, states = io.BytesIO(), {part: part.training for part in module.modules()}
    module.eval()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                (x,),
                stream,
                dynamo=False,
                opset_version=18,
                do_constant_folding=False,
                training=torch.onnx.TrainingMode.PRESERVE,
                input_names=["x"],
                dynamic_axes={"x": {0: "n"}},
            )
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ArgumentError(f"PyTorch cannot export the module: {reason[:300] or type(error).__name__}") from None
    finally:
        for part, training in states.items():
            part.training = training
    return stream.getvalue()
