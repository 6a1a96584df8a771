"""`from_onnx`: a network from a file of any exporter, where our layers can express what it computes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

import chainrule.interchange.onnx.operators  # noqa: F401  whose modules say what makes layers of an operator
from chainrule.arrays import Array
from chainrule.errors import ChainruleError, FileFormatError, MissingExtraError, StorageError, warn
from chainrule.graph import Input
from chainrule.interchange.onnx.building import Builder
from chainrule.interchange.onnx.operators.affine import affine
from chainrule.interchange.onnx.own import own_network
from chainrule.interchange.onnx.reading import Extents, Model, read_model
from chainrule.interchange.onnx.values import Relaid, Value, as_vector
from chainrule.layers import Identity, Node
from chainrule.memory import MemoryErrorsNamed
from chainrule.network import Network
from chainrule.shapes import Shape, product, shape_text, shown

UINT8, NUMBERS = 2, frozenset((1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 16))
"""ONNX's element types: bytes, and all real numbers."""
REAL = frozenset((1, 10, 11, 16))


@dataclass(frozen=True)
class Imported:
    """A network, and in which order of their axes it takes and gives what the file has. None: in the file's."""

    net: Network
    input_places: Array | None
    output_places: Array | None


def from_onnx(path: str | Path, *, output: str | None = None, input_shape: Sequence[int] | None = None) -> Network:
    """The network of an ONNX file, whichever program wrote it.

    output        which of several outputs the network is to compute; without it the only one of real numbers
    input_shape   the shape of a sample, where the file leaves it open: (3, 224, 224)

    A file that `to_onnx` wrote comes back as the layers it was written from, unless somebody has changed it since.
    The first axis of the input is the batch, whatever size the file gives it. Convolutions along one axis become maps
    of one row. Where a file takes pictures channels last, the network takes them channels first, and a warning says
    so.

    Raises FileFormatError, in one sentence that names the node, where the file is broken or no layer computes what it
    asks for; StorageError where it cannot be opened; MissingExtraError without the package `onnx`.
    """
    try:
        with MemoryErrorsNamed("the import of a network", "import it on a machine with more memory"):
            imported = network_of(read_model(path), output, input_shape)
    except MissingExtraError:
        raise
    except StorageError as error:
        text = str(error.args[0])
        raise StorageError(text if str(path) in text else f"{path} cannot be imported: {text}") from None
    except ChainruleError as error:
        text = str(error.args[0])
        prefix = "" if text.startswith(f"{path} ") else f"{path} cannot be imported: "
        raise FileFormatError(prefix + text) from None
    for places, verb, shape in (
        (imported.input_places, "takes", imported.net.input_shape),
        (imported.output_places, "gives", imported.net.output_shape),
    ):
        if places is not None:
            warn(
                f"{path} {verb} samples of {shape_text(places.shape)}; this network {verb} the same numbers as "
                f"{shape_text(shape)}, channels first"
            )
    return imported.net


def network_of(model: Model, output: str | None = None, input_shape: Sequence[int] | None = None) -> Imported:
    """The network of a file that has been read."""
    if output is None and input_shape is None:
        own = own_network(model)
        if own is not None:
            _take_metadata(own, model, None)
            return Imported(own, None, None)
    name = _chosen_output(model, output)
    given = _input_of(model, name)
    batch, shape = _sample_shape(given, input_shape)
    laid, places = shape or (1,), None
    for turn in range(2):
        builder = Builder(model, given.name, shape, batch, laid, places)
        try:
            if given.kind == UINT8:  # networks divide bytes by 255 before all else
                first = builder.known[given.name]
                assert isinstance(first, Value)
                builder.known[given.name] = affine(builder, first, 255.0)
            return _finished(builder, builder.build(name), places)
        except Relaid as wanted:
            if turn == 1:
                raise FileFormatError(
                    f"its input is needed as {shape_text(laid)} at one place and as {shape_text(wanted.shape)} at "
                    "another, and no layer turns one into the other"
                ) from None
            laid, places = wanted.shape, None if wanted.places is None else wanted.places.reshape(shape)
    raise AssertionError("the loop ends in a network or an error")


def _finished(builder: Builder, value: Value, input_places: Array | None) -> Imported:
    node, output_places = _output_node(value)
    net = Network(builder.input, node)
    fixed = {id(layer) for layer in builder.fixed}
    for name, layer in net.layers.items():
        for own, array in builder.arrays.get(layer, {}).items():
            target = net.buffers if f"{name}.{own}" in net.buffers else net.parameters
            target[f"{name}.{own}"] = array
        if id(layer) in fixed:
            net.freeze(f"{name}.*")
    _take_metadata(net, builder.model, builder.class_names)
    return Imported(net, input_places, output_places)


def _output_node(value: Value) -> tuple[Node, Array | None]:
    """The node that the network ends with, and the file's order of its numbers where that is another."""
    node = as_vector(value) if len(value.shape) == 1 else value.node
    if node.layer is None:
        node = Identity()(node)
    if value.places is None:
        return node, None
    table = np.arange(product(node.shape)).reshape(node.shape)
    orders = (table.transpose(axes).ravel() for axes in permutations(range(len(node.shape))))
    if len(value.shape) == 1 or not any(np.array_equal(value.places.ravel(), order) for order in orders):
        raise FileFormatError(
            "its output holds the numbers of a map in an order that no layer gives; end it before they are reordered, "
            "with output=..."
        )
    return node, value.places


def _take_metadata(net: Network, model: Model, names: Any) -> None:
    """Class names and the preparation of pictures, which our own files hold; the former also scikit-learn's."""
    metadata = model.metadata
    if "class_names" in metadata:
        names = _json(metadata["class_names"], "class_names")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise FileFormatError('the "class_names" in its metadata is not a list of names')
    if names is not None:
        net.class_names = names
    if "preparation" in metadata:
        from chainrule.data.preparation import Preparation

        net.preparation = Preparation.from_json(_json(metadata["preparation"], "preparation"))


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise FileFormatError(f'the "{what}" in its metadata is not valid JSON') from None


def _chosen_output(model: Model, asked: str | None) -> str:
    """The output asked for, else the only one, else the only one of real numbers (classifiers also give labels)."""
    names = [output.name for output in model.outputs]
    if asked is not None:
        if asked not in names and asked not in model.made_by:
            raise FileFormatError(
                f"it has no output {shown(asked)}; its outputs are {', '.join(map(shown, names[:8]))}"
            )
        return asked
    real = [o.name for o in model.outputs if o.kind in REAL or _ends_in_zip_map(model, o.name)]
    for candidates in (names, real):
        if len(candidates) == 1:
            return candidates[0]
    if not names:
        raise FileFormatError("it has no output")
    raise FileFormatError(
        f"it has {len(names)} outputs, {', '.join(map(shown, names[:8]))}, and a network has one; choose it with "
        f"output={shown(names[0])}"
    )


def _ends_in_zip_map(model: Model, name: str) -> bool:
    operation = model.made_by.get(name)
    return operation is not None and operation.kind == "ZipMap"


def _input_of(model: Model, output: str) -> Extents:
    """The one input that the output depends on."""
    needed, stack = {output}, [output]
    while stack:
        operation = model.made_by.get(stack.pop())
        for name in operation.inputs if operation else ():
            if name not in needed:
                needed.add(name)
                stack.append(name)
    used = [given for given in model.inputs if given.name in needed]
    if len(used) == 1:
        return used[0]
    if not used:
        raise FileFormatError(f"its output {shown(output)} does not depend on any input")
    raise FileFormatError(
        f"it has {len(used)} inputs, {', '.join(shown(given.name) for given in used[:8])}, and a network has one; "
        "store the others as initializers"
    )


def _sample_shape(given: Extents, asked: Sequence[int] | None) -> tuple[int | None, Shape]:
    """(the size of the batch where the file fixes it, the shape of a sample)."""
    if given.kind not in NUMBERS:
        raise FileFormatError(f"its input {shown(given.name)} does not hold real numbers (ONNX's type {given.kind})")
    if given.extents == ():
        raise FileFormatError(f"its input {shown(given.name)} is a single number, without an axis of samples")
    stated = given.extents
    first = stated[0] if stated else "?"
    batch = first if isinstance(first, int) and first > 0 else None
    if asked is not None:
        shape = Input(asked).shape
        if stated is not None and len(stated) != len(shape) + 1:
            raise FileFormatError(f"its input has {len(stated) - 1} axes for each sample, not {len(shape)}")
        return batch, shape
    if stated is None or not all(isinstance(extent, int) and extent > 0 for extent in stated[1:]):
        open_shape = "" if stated is None else f" ({', '.join(map(shown, stated))})"
        raise FileFormatError(
            f"the shape of its input {shown(given.name)} is left open{open_shape}; say it with input_shape=..., "
            "without the batch"
        )
    return batch, tuple(int(extent) for extent in stated[1:])
