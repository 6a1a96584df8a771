"""An ONNX file as plain data: operations, constants, one input, its outputs. What is hostile or broken ends here.

Nothing is believed: names must be defined once, tensors must hold as many bytes as their shape says, data outside of
the file must lie in its folder. What the operations mean is looked at later, in `importing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.arrays import Array
from chainrule.errors import FileFormatError, MissingExtraError, StorageError
from chainrule.interchange.onnx.attributes import Operation
from chainrule.interchange.onnx.constants import tensor_array
from chainrule.memory import require_memory
from chainrule.shapes import shown

STANDARD, TRADITIONAL = "", "ai.onnx.ml"
ONNX_ML_OPSETS = 5


@dataclass(frozen=True)
class Extents:
    """The shape of an input or output as the file states it: numbers, or names for what is open. None: not stated."""

    name: str
    kind: int
    extents: tuple[int | str, ...] | None


@dataclass(frozen=True)
class Model:
    """What a file holds. `constants` are its initializers; `made_by` names the operation that makes a value."""

    inputs: tuple[Extents, ...]
    outputs: tuple[Extents, ...]
    constants: Mapping[str, Array]
    made_by: Mapping[str, Operation]
    opsets: Mapping[str, int]
    metadata: Mapping[str, str]
    producer: str


def require_onnx() -> Any:
    """The package `onnx`, or one sentence that says how to get it."""
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("reading ONNX files", "onnx") from None
    return onnx


def read_model(path: str | Path) -> Model:
    """Read and check a file.

    Raises StorageError where it cannot be opened, FileFormatError where it is not an ONNX model that hangs together.
    """
    path = Path(path)
    return model_of(parse(_content(path), str(path)), path.parent)


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise StorageError(f"cannot read {path}: it is a folder")
        if path.exists() and not path.is_file():
            raise StorageError(f"cannot read {path}: it is not a regular file")
        require_memory(3 * path.stat().st_size, f"reading {path}", "import a smaller model", StorageError)
        return path.read_bytes()
    except StorageError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise StorageError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def parse(content: bytes, what: str) -> Any:
    """The bytes as a ModelProto."""
    onnx = require_onnx()
    from google.protobuf.message import DecodeError

    try:
        proto = onnx.ModelProto.FromString(content)
    except (DecodeError, RuntimeError, ValueError):
        raise FileFormatError(f"{what} is not an ONNX model: its bytes cannot be decoded") from None
    if not proto.HasField("graph") or not proto.ir_version or not proto.opset_import:
        raise FileFormatError(f"{what} is not an ONNX model: it lacks a graph, a version or a set of operators")
    return proto


def model_of(proto: Any, folder: Path) -> Model:
    """A ModelProto as plain data; `folder` is where data outside of it may lie."""
    if proto.functions:
        raise FileFormatError(
            f"it defines functions of its own, such as {shown(proto.functions[0].name)}; write it again with them "
            "inlined (onnx.inliner.inline_local_functions)"
        )
    graph = proto.graph
    if graph.sparse_initializer:
        raise FileFormatError("it holds sparse initializers, which are not read; store them as dense tensors")
    constants: dict[str, Array] = {}
    for tensor in graph.initializer:
        _once(tensor.name, constants, "two initializers have")
        constants[tensor.name] = tensor_array(tensor, folder, f"its initializer {shown(tensor.name)}")
    inputs = tuple(_extents(info) for info in graph.input if info.name not in constants)
    known = set(constants)
    for given in inputs:
        _once(given.name, known, "two inputs have")
        known.add(given.name)
    return Model(
        inputs=inputs,
        outputs=tuple(_extents(info) for info in graph.output),
        constants=constants,
        made_by=_made_by(graph.node, known, folder),
        opsets=_opsets(proto.opset_import),
        metadata={entry.key: entry.value for entry in proto.metadata_props},
        producer=proto.producer_name,
    )


def _made_by(nodes: Iterable[Any], known: set[str], folder: Path) -> dict[str, Operation]:
    """The operation that makes each value; a name that is defined twice has no meaning."""
    made: dict[str, Operation] = {}
    for index, node in enumerate(nodes):
        operation = Operation.of(node, index, folder)
        for name in filter(None, operation.outputs):
            if name in made or name in known:
                raise FileFormatError(f"two of its values have the name {shown(name)}")
            made[name] = operation
    return made


def _once(name: str, known: Iterable[str], what: str) -> None:
    if name in known:
        raise FileFormatError(f"{what} the name {shown(name)}")


def _extents(info: Any) -> Extents:
    tensor = info.type.tensor_type
    if info.type.WhichOneof("value") != "tensor_type" or not tensor.HasField("shape"):
        return Extents(info.name, tensor.elem_type, None)
    sizes = tuple(d.dim_value if d.WhichOneof("value") == "dim_value" else d.dim_param or "?" for d in tensor.shape.dim)
    return Extents(info.name, tensor.elem_type, sizes)


def _opsets(entries: Iterable[Any]) -> dict[str, int]:
    """The version of each set of operators; of a version that the package `onnx` does not know nothing is assumed."""
    onnx = require_onnx()
    newest = {STANDARD: onnx.defs.onnx_opset_version(), TRADITIONAL: ONNX_ML_OPSETS}
    opsets: dict[str, int] = {}
    for entry in entries:
        domain = STANDARD if entry.domain == "ai.onnx" else entry.domain
        if domain in newest and not 1 <= entry.version <= newest[domain]:
            raise FileFormatError(
                f"it is written in version {entry.version} of the operators {domain or 'ai.onnx'}, and versions 1 to "
                f"{newest[domain]} are known; write it in one of those"
            )
        opsets[domain] = entry.version
    return opsets
