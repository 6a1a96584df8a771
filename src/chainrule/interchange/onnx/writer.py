"""What a builder holds, as the bytes of an ONNX file; arrays in it, or beside it in a safetensors file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ArgumentError
from chainrule.interchange.onnx.builder import Builder, Operation, Place, Value

MOST_BYTES = 2**31 - 1
"""What one ONNX file can hold."""


@dataclass(frozen=True)
class Outside:
    """A safetensors file beside the ONNX file: its name, its bytes, and where in them each array lies."""

    name: str
    data: bytes
    places: Mapping[str | None, tuple[int, int]]

    @classmethod
    def of(cls, name: str, arrays: Mapping[str, Array]) -> Outside:
        """Arrays as safetensors. ONNX finds them there by offset and length, others by name."""
        from safetensors.numpy import save

        data = save({key: np.ascontiguousarray(array) for key, array in arrays.items()})
        stop = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:stop])
        offsets = {key: header[key]["data_offsets"] for key in arrays}
        return cls(name, data, {key: (stop + begin, end - begin) for key, (begin, end) in offsets.items()})


def model_bytes(
    builder: Builder, opset: int, doc: str, metadata: Mapping[str, str], outside: Outside | None = None
) -> bytes:
    """The file. Raises ArgumentError where it would be larger than an ONNX file can be."""
    from importlib.metadata import version

    from onnx import helper

    operations = builder.needed()
    builder.name_all(operations)
    used = {value for operation in operations for value in operation.inputs}
    arrays = [(value, array) for value, array in builder.arrays.items() if value in used]
    inside = sum(array.nbytes for value, array in arrays if not (outside and value.name in outside.places))
    if inside > MOST_BYTES:
        raise ArgumentError(
            f"the weights take {inside / 2**30:.1f} GiB, and an ONNX file holds at most 2; write them with "
            f'weights="beside"'
        )
    graph = helper.make_graph(
        [_node(operation, used | {place.value for place in builder.outputs}) for operation in operations],
        "network",
        [_place(place) for place in builder.inputs if place.value in used or not place.optional],
        [_place(place) for place in builder.outputs],
        [_tensor(value, array, outside) for value, array in arrays],
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets), doc_string=doc
    )
    model.producer_name, model.producer_version = "chainrule", version("chainrule")
    helper.set_model_props(model, dict(metadata))
    return bytes(model.SerializeToString(deterministic=True))


def _node(operation: Operation, used: set[Value | None]) -> Any:
    from onnx import helper

    outputs = list(operation.outputs)
    while len(outputs) > 1 and outputs[-1] not in used and operation.kind != "Split":
        outputs.pop()
    inputs = ["" if value is None else value.name for value in operation.inputs]
    return helper.make_node(operation.kind, inputs, [value.name for value in outputs], **operation.attributes)


def _place(place: Place) -> Any:
    from onnx import helper

    shape: Sequence[int | str] = ["n" if extent is None else extent for extent in place.shape]
    kind = helper.np_dtype_to_tensor_dtype(place.dtype)
    return helper.make_tensor_value_info(place.value.name, kind, shape)


def _tensor(value: Value, array: Array, outside: Outside | None) -> Any:
    from onnx import TensorProto, helper

    tensor = TensorProto(name=value.name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype))
    if outside is None or value.name not in outside.places:
        tensor.raw_data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        return tensor
    tensor.data_location = TensorProto.EXTERNAL
    offset, length = outside.places[value.name]
    for key, content in (("location", outside.name), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(content))
    return tensor


def beside(path: Path) -> Path:
    """Where the weights of an ONNX file lie that are not in it."""
    return path.with_suffix(".safetensors")
