"""Weights of Keras: files .weights.h5 of Keras 2 and 3, and the one in a .keras archive. Nothing else in it is read.

Keras keeps kernels as (rows, columns, in, out), dense kernels as (in, out), and maps channels last. So axes are turned,
and the rows of a dense kernel behind a flattened map are put into the order in which maps are flattened here.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ChainruleError, FileFormatError, MissingExtraError, StorageError
from chainrule.graph import Step
from chainrule.interchange.weights import Group, Place, Transfer, natural, transfer
from chainrule.layers import Flatten, Linear
from chainrule.memory import require_memory
from chainrule.network import Network
from chainrule.shapes import Shape, product, shown

INSIDE = "model.weights.h5"
MOST_LAYERS = 10_000
NORMAL = ("weight", "bias", "running_mean", "running_var")
WORDS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var",
         "kernel": "weight", "depthwise_kernel": "weight", "bias": "bias"}  # fmt: skip


def load_keras(net: Network, path: str | Path, *, names: Mapping[str, str] | None = None) -> Transfer:
    """Weights of a Keras model into a network of the same layers; the answer is a table of what went where.

    path    a .weights.h5 or a .keras file
    names   {"conv2": "conv2d_1"}: the layer of the file, where shapes and order do not tell

    Kernels are turned from (rows, columns, in, out) to (out, in, rows, columns), dense kernels transposed, and the
    first dense layer behind a flattened map reordered from channels last to channels first. Layers of the same shapes
    are matched in the order of their names, conv2d before conv2d_1, in which Keras counts them.

    Raises WeightsError, with a table of both sides, where arrays are missing, left over or of other shapes, and changes
    nothing then; FileFormatError for other files, StorageError where the file cannot be read, MissingExtraError without
    the package h5py.
    """
    groups = _groups(Path(path))
    flattened = {step.layer_name: shape for step in net.steps if (shape := _flattened(net, step)) is not None}

    def adapt(place: Place, own: str, array: Array) -> Array:
        if own != "weight" or place.name not in flattened:
            return array
        channels, rows, columns = flattened[place.name]
        last = array.reshape(len(array), rows, columns, channels)
        return last.transpose(0, 3, 1, 2).reshape(array.shape)

    return transfer(net, groups, (), names, adapt)


def _flattened(net: Network, step: Step) -> Shape | None:
    """The map whose numbers a dense layer sees in a row."""
    if not isinstance(step.layer, Linear):
        return None
    index = step.inputs[0]
    while index > 0:
        before = net.steps[index - 1]
        if isinstance(before.layer, Flatten):
            return before.input_shapes[0] if len(before.input_shapes[0]) == 3 else None
        if before.shape != before.input_shapes[0] or len(before.inputs) != 1:
            return None
        index = before.inputs[0]
    return None


def _groups(path: Path) -> dict[str, Group]:
    """The layers of a file that hold arrays, in the order of their names or, in files of Keras 2, of the model."""
    try:
        import h5py
    except ImportError:
        raise MissingExtraError("reading weights of Keras", "keras") from None
    content = _content(path)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            groups = _of_keras_2(h5py, file) if "layer_names" in file.attrs else _of_keras_3(h5py, file)
    except ChainruleError:
        raise
    except Exception as error:  # whatever the library raises for files that are cut short or made up
        reason = " ".join(str(error).split())
        raise FileFormatError(f"{path} is not a readable HDF5 file: {reason[:200]}") from None
    if not groups:
        raise FileFormatError(f"{path} holds no weights of Keras")
    return groups


def _content(path: Path) -> bytes:
    """The HDF5 part of the file."""
    try:
        if path.is_dir() or (path.exists() and not path.is_file()):
            raise StorageError(f"cannot read {path}: it is not a regular file")
        require_memory(3 * path.stat().st_size, f"reading {path}", "load smaller weights", StorageError)
        content = path.read_bytes()
    except ChainruleError:
        raise
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if not content.startswith(b"PK"):
        return content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = archive.getinfo(INSIDE).file_size
            require_memory(2 * size, f"{INSIDE} in {path}", "load smaller weights", FileFormatError)
            with archive.open(INSIDE) as file:
                return file.read(size)
    except ChainruleError:
        raise
    except KeyError:
        raise FileFormatError(f"{path} is an archive without {INSIDE}, so none of Keras 3") from None
    except Exception as error:  # whatever zipfile raises for archives that are broken
        raise FileFormatError(f"{path} is not a readable archive: {error}") from None


def _of_keras_3(h5py: Any, file: Any) -> dict[str, Group]:
    """layers/conv2d/vars/0, also inside of nested models: .../sequential/layers/conv2d/vars/0."""
    groups: dict[str, Group] = {}
    stack = [("", file)]
    seen = 0
    while stack:
        path, group = stack.pop()
        for name in sorted(group, key=natural, reverse=True):
            seen += 1
            if seen > MOST_LAYERS:
                raise FileFormatError(f"it holds more than {MOST_LAYERS:,} layers and arrays")
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise FileFormatError(f"its {shown(path + name)} is a link to somewhere else and is not followed")
            inner = group[name]
            if name in ("optimizer", "seed_generator") or path.count("/") > 20 or not isinstance(inner, h5py.Group):
                continue
            if name == "vars":
                arrays = [
                    _array(h5py, _inner(h5py, inner, key), f"{path}vars/{key}") for key in sorted(inner, key=natural)
                ]
                if arrays:
                    title = path.rstrip("/").removeprefix("layers/").replace("/layers/", "/")
                    groups[title] = _as_ours(title, dict(enumerate(arrays)))
            else:
                stack.append((f"{path}{name}/", inner))
    return dict(sorted(groups.items(), key=lambda item: natural(item[0])))


def _of_keras_2(h5py: Any, file: Any) -> dict[str, Group]:
    """Groups named by the attribute layer_names, in the order of the model; arrays by weight_names."""
    groups: dict[str, Group] = {}
    for name in _texts(file.attrs["layer_names"]):
        layer = _inner(h5py, file, name)
        arrays = {w.rpartition("/")[2].partition(":")[0]: _array(h5py, _inner(h5py, layer, w), w)
                  for w in _texts(layer.attrs["weight_names"])}  # fmt: skip
        if arrays:
            groups[name] = _as_ours(name, arrays)
    return groups


def _inner(h5py: Any, group: Any, path: str) -> Any:
    """What lies under a path, none of whose parts is a link."""
    for part in path.split("/"):
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise FileFormatError(f"its {shown(path)} is missing, or a link to somewhere else")
        group = group[part]
    return group


def _texts(values: Any) -> list[str]:
    if len(values) > MOST_LAYERS:
        raise FileFormatError(f"it names more than {MOST_LAYERS:,} layers or arrays")
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]


def _array(h5py: Any, dataset: Any, name: str) -> Array:
    """An array that lies in the file itself, of no more bytes than the machine holds."""
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
        raise FileFormatError(f"its {shown(name)} is not an array of real numbers")
    if dataset.external or dataset.is_virtual:
        raise FileFormatError(f"its {shown(name)} lies in another file, which is not opened")
    size = product(dataset.shape) * dataset.dtype.itemsize
    require_memory(3 * size, f"its {shown(name)}", "load smaller weights", FileFormatError)
    return np.asarray(dataset[()], np.float64)


def _as_ours(layer: str, arrays: Mapping[Any, Array]) -> Group:
    """The arrays of a layer in our names and axes. Keras 3 numbers them: kernel, bias; gamma, beta, mean, variance."""
    if all(array.ndim == 1 for array in arrays.values()) and len(arrays) in (2, 3, 4):
        if all(isinstance(key, int) for key in arrays):
            if len(arrays) == 3:
                raise FileFormatError(
                    f"its {shown(layer)} is normalised with a scale or a shift alone, and layers have both"
                )
            return dict(zip(NORMAL[-len(arrays) :], arrays.values(), strict=True))
        return {WORDS.get(key, key): array for key, array in arrays.items()}
    named: dict[str, Array] = {}
    for number, (key, array) in enumerate(arrays.items()):
        own = WORDS.get(key, key) if isinstance(key, str) else ("weight", "bias")[number] if number < 2 else str(key)
        named[own] = _turned(layer, array) if own == "weight" else array
    return named


def _turned(layer: str, kernel: Array) -> Array:
    """(in, out), (places, in, out) or (rows, columns, in, out) with the outputs first; depthwise kernels by channel."""
    if kernel.ndim == 4 and "depthwise" in layer:
        rows, columns, channels, times = kernel.shape
        return kernel.transpose(2, 3, 0, 1).reshape(channels * times, 1, rows, columns)
    if kernel.ndim not in (2, 3, 4):
        return kernel
    return np.moveaxis(kernel, (-1, -2), (0, 1))
