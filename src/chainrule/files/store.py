"""Saving a graph to a file and reading it back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.arrays import Array
from chainrule.atomic import write_atomically
from chainrule.errors import ChainruleError, FileFormatError, NonFiniteError, StorageError, warn
from chainrule.files.architecture import graph_to_json, loss_from_json, loss_to_json, nodes_from_json
from chainrule.graph import Graph
from chainrule.layers.base import Layer, Node
from chainrule.losses import LOSSES, Loss
from chainrule.metrics import checked_class_names
from chainrule.shapes import Shape, integer

if TYPE_CHECKING:
    from chainrule.data.likeness import Likeness
    from chainrule.data.preparation import Preparation

FORMAT, VERSION = "chainrule", "1"


@dataclass(frozen=True)
class Stored:
    """What a file holds: a graph to build, and the values to put into it."""

    path: str
    input: Node
    output: Node
    seed: int
    loss: Loss | None
    preparation: Preparation | None
    class_names: tuple[str, ...] | None
    likeness: Likeness | None
    frozen: frozenset[str]
    parameters: dict[str, Array]
    buffers: dict[str, Array]


def save(
    graph: Graph,
    path: str | Path,
    loss: Loss | None,
    preparation: Preparation | None = None,
    class_names: tuple[str, ...] | None = None,
    likeness: Likeness | None = None,
) -> None:
    """Write `graph` to `path`. An earlier file stays as it was unless the new one is complete.

    A loss class of the user's own is not stored; a warning says so. Raises StorageError if the file cannot be written,
    NonFiniteError for parameters that are NaN or infinite, ArgumentError for hyperparameters that cannot be stored.
    """
    from safetensors.numpy import save as to_bytes

    if loss is not None and LOSSES.get(type(loss).__name__) is not type(loss):
        warn(f"the loss {loss!r} is not part of chainrule and is not saved with the network")
        loss = None
    tensors = {name: _smallest(name, a) for name, a in (*graph.parameters.items(), *graph.buffers.items())}
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": json.dumps(graph_to_json(graph)),
        "frozen": json.dumps(sorted(graph.frozen)),
        "loss": json.dumps(loss_to_json(loss)),
        "seed": json.dumps(graph.seed),
    }
    if preparation is not None:
        metadata["preparation"] = json.dumps(preparation.to_json())
    if class_names is not None:
        metadata["class_names"] = json.dumps(class_names)
    if likeness is not None:
        metadata["likeness"] = json.dumps(likeness.to_json())
    write_atomically(path, _in_fixed_order(to_bytes(tensors, metadata=metadata)))


def _smallest(name: str, array: Array) -> Array:
    """In float32 if that loses nothing, else as it is."""
    if not np.isfinite(array).all():
        raise NonFiniteError(f"{name} holds NaN or infinity; such a network is not saved")
    with np.errstate(over="ignore", under="ignore"):
        small = array.astype(np.float32)
    return small if np.array_equal(small, array) else np.ascontiguousarray(array)


def _in_fixed_order(data: bytes) -> bytes:
    """The same safetensors bytes with the metadata in alphabetical order: equal networks make equal files."""
    stop = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:stop])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[stop:]


def read(path: str | Path, known_layers: Mapping[str, type[Layer]]) -> Stored:
    """Read a file that `save` wrote; the tensors are checked against the architecture before anything is built.

    Raises StorageError if the file cannot be opened, FileFormatError, in one sentence, for whatever is wrong inside.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if path.is_dir():
        raise StorageError(f"cannot read {path}: it is a folder")
    try:
        path.open("rb").close()  # safetensors calls every file that cannot be opened missing
        with safe_open(path, framework="numpy") as file:
            return _read(str(path), file, known_layers)
    except SafetensorError as error:
        raise FileFormatError(f"{path} is not a complete safetensors file: {error}") from None
    except FileFormatError as error:
        raise FileFormatError(f"{path} cannot be loaded: {error}") from None
    except RecursionError:
        raise FileFormatError(f"{path} cannot be loaded: its metadata is nested too deeply") from None
    except ChainruleError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise StorageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def _read(path: str, file: Any, known_layers: Mapping[str, type[Layer]]) -> Stored:
    metadata = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        raise FileFormatError("it is a safetensors file, but not one that chainrule wrote")
    if metadata.get("version") != VERSION:
        raise FileFormatError(
            f"it has version {metadata.get('version')!r} of the format, and this chainrule reads version {VERSION!r}; "
            f"a newer chainrule may read it"
        )
    nodes = nodes_from_json(_json(metadata, "architecture"), known_layers)
    _check_names_and_shapes(file, nodes.parameters | nodes.buffers)
    return Stored(
        path=path,
        input=nodes.input,
        output=nodes.output,
        seed=_seed(metadata),
        loss=loss_from_json(_json(metadata, "loss")),
        preparation=_preparation(metadata),
        class_names=_class_names(metadata, nodes.output.shape),
        likeness=_likeness(metadata, nodes.input.shape),
        frozen=_frozen(metadata, nodes.parameters),
        parameters={name: _tensor(file, name) for name in nodes.parameters},
        buffers={name: _tensor(file, name) for name in nodes.buffers},
    )


def _json(metadata: Mapping[str, str], name: str) -> Any:
    try:
        return json.loads(metadata[name])
    except KeyError:
        raise FileFormatError(f'its metadata lacks "{name}"') from None
    except (ValueError, RecursionError):
        raise FileFormatError(f'the "{name}" in its metadata is not valid JSON') from None


def _seed(metadata: Mapping[str, str]) -> int:
    try:
        return integer("seed", _json(metadata, "seed"), 0)
    except ChainruleError as error:
        raise FileFormatError(f"its metadata is invalid: {error}") from None


def _preparation(metadata: Mapping[str, str]) -> Preparation | None:
    """None in the files of networks that were not trained on pictures, or before files said so."""
    if "preparation" not in metadata:
        return None
    from chainrule.data.preparation import Preparation

    return Preparation.from_json(_json(metadata, "preparation"))


def _likeness(metadata: Mapping[str, str], shape: Shape) -> Likeness | None:
    """None in the files of networks that `train` did not write, or before it wrote one."""
    if "likeness" not in metadata:
        return None
    from chainrule.data.likeness import Likeness

    found = Likeness.from_json(_json(metadata, "likeness"))
    if found.shape != shape:
        raise FileFormatError('the "likeness" in its metadata is of pictures that the network does not take')
    return found


def _class_names(metadata: Mapping[str, str], shape: Shape) -> tuple[str, ...] | None:
    """None in the files of networks whose classes have numbers alone, or before files held names."""
    if "class_names" not in metadata:
        return None
    names = _json(metadata, "class_names")
    if not isinstance(names, list):
        raise FileFormatError('the "class_names" in its metadata is not a list of names')
    try:
        return checked_class_names(names, shape)
    except ChainruleError as error:
        raise FileFormatError(f"its metadata is invalid: {error}") from None


def _frozen(metadata: Mapping[str, str], parameters: Mapping[str, Shape]) -> frozenset[str]:
    names = _json(metadata, "frozen")
    if not isinstance(names, list) or not all(isinstance(n, str) and n in parameters for n in names):
        raise FileFormatError('the "frozen" in its metadata is not a list of parameter names')
    return frozenset(names)


def _check_names_and_shapes(file: Any, wanted: Mapping[str, Shape]) -> None:
    """The file's tensors are just those that the architecture needs; looks at headers only."""
    found = set(file.keys())
    for names, what in ((wanted.keys() - found, "lacks"), (found - wanted.keys(), "has more than its layers need:")):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise FileFormatError(f"it {what} {', '.join(sorted(names)[:3])}{more}")
    for name, shape in wanted.items():
        header = file.get_slice(name)
        if tuple(header.get_shape()) != tuple(shape):
            raise FileFormatError(f"its {name} has shape {tuple(header.get_shape())}, but the layer needs {shape}")
        if header.get_dtype() not in ("F32", "F64"):
            raise FileFormatError(f"its {name} is stored as {header.get_dtype()}, not as F32 or F64")


def _tensor(file: Any, name: str) -> Array:
    array: Array = file.get_tensor(name)
    if not np.isfinite(array).all():
        place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
        raise FileFormatError(f"its {name} holds {array[tuple(place)]} at index {place}")
    return array


def restore(graph: Graph, stored: Stored) -> None:
    """Put the values of a file into a graph that was built from it."""
    for kind, values, target in (
        ("parameters", stored.parameters, graph.parameters),
        ("buffers", stored.buffers, graph.buffers),
    ):
        if set(values) != set(target):
            odd = sorted(set(values) ^ set(target))
            raise FileFormatError(f"{stored.path}: its {kind} do not belong to its architecture: {', '.join(odd[:3])}")
        for name, value in values.items():
            target[name] = value
    graph.frozen = set(stored.frozen)
