"""A network while it is made from a file: values by name, layers with their arrays, and the operations that make them.

The operations that the output needs are walked in an order in which each comes after its inputs. One whose inputs are
all constants is computed on the spot; for the others a function of `operators` makes layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ChainruleError, FileFormatError
from chainrule.graph import Input
from chainrule.interchange.onnx.attributes import Operation, shortest
from chainrule.interchange.onnx.folding import FOLDED, fold
from chainrule.interchange.onnx.reading import Model
from chainrule.interchange.onnx.values import Constant, Known, Value
from chainrule.layers import Layer, Node
from chainrule.memory import require_memory
from chainrule.shapes import Shape, shown

BATCHES = (61, 67)
"""Two sizes of the batch, for which constants that depend on it are computed: what is equal for both does not."""

Importer: TypeAlias = "Callable[[Builder, Operation], Value | Constant | tuple[Value | Constant, ...]]"
IMPORTERS: dict[tuple[str, str], Importer] = {}
"""What makes layers of an operation, by its domain and kind."""


def importer(*kinds: str, domain: str = "") -> Callable[[Importer], Importer]:
    """Make a function the one for some kinds of operations."""

    def register(made: Importer) -> Importer:
        IMPORTERS.update(dict.fromkeys(((domain, kind) for kind in kinds), made))
        return made

    return register


class Builder:
    """What is known of a network so far. `batches`: the two sizes of the batch, equal where the file fixes it."""

    def __init__(
        self, model: Model, given: str, shape: Shape, batch: int | None, laid: Shape, places: Array | None
    ) -> None:
        self.model = model
        self.batches = BATCHES if batch is None else (batch, batch)
        self.input = Input(laid)
        self.known: dict[str, Value | Constant] = {
            name: Constant(array, name) for name, array in model.constants.items()
        }
        self.known[given] = Value(self.input, shape, places, of_input=True)
        self.arrays: dict[Layer, dict[str, Array]] = {}
        self.fixed: set[Layer] = set()
        """Layers whose parameters are no weights in the file, but part of an operation; training leaves them alone."""
        self.paddings: set[Layer] = set()
        """Convolutions that only pad, which a layer behind them may do itself."""
        self.affine: dict[Layer, tuple[Array, Array]] = {}
        """Scale and shift of each channel, for layers that do nothing else."""
        self.class_names: tuple[str, ...] | None = None
        self._shared: dict[Any, Layer] = {}
        self._uses: dict[str, int] = {}

    # --- what operators ask ------------------------------------------------------------------------------------

    def opset(self, domain: str = "") -> int:
        """The version of a set of operators."""
        return self.model.opsets.get(domain, 1)

    def inputs(self, operation: Operation, least: int, most: int) -> tuple[Known, ...]:
        """What the operation gets, as many as `most`, None for each that is left out."""
        if not least <= len(operation.inputs) <= most:
            raise FileFormatError(f"it has {len(operation.inputs)} inputs, and {least} to {most} are possible")
        given = [self.known[name] if name else None for name in operation.inputs]
        return (*given, *[None] * (most - len(given)))

    def value(self, known: Known, what: str = "its input") -> Value:
        """What is computed from the network's input."""
        if not isinstance(known, Value):
            raise FileFormatError(f"{what} is {'left out' if known is None else 'a constant'}, which no layer takes")
        return known

    def constant(self, known: Known, what: str) -> Array:
        """An array that the file fixes."""
        if isinstance(known, Value):
            raise FileFormatError(f"{what} is computed from the network's input, and layers keep theirs fixed")
        if known is None:
            raise FileFormatError(f"{what} is left out")
        if known.of_batch:
            raise FileFormatError(f"{what} depends on the size of the batch")
        return known.array

    def optional(self, known: Known, what: str) -> Array | None:
        """An array that the file fixes, or None where it is left out."""
        return None if known is None else self.constant(known, what)

    def weights(self, known: Known, what: str) -> Array:
        """Numbers that a layer learns, in float64."""
        array = self.constant(known, what)
        if array.dtype.kind != "f":
            raise FileFormatError(f"{what} holds {array.dtype} numbers, and layers keep real ones")
        return array.astype(np.float64)

    def number(self, known: Known, what: str) -> float:
        """A single number that the file fixes; one of float32 as the decimal that is meant."""
        array = self.constant(known, what)
        if array.size != 1 or array.dtype.kind not in "fiub":
            raise FileFormatError(f"{what} is not a single number")
        number = array.reshape(-1)[0]
        return shortest(number) if array.dtype == np.float32 else float(number)

    def integers(self, known: Known, what: str) -> tuple[int, ...]:
        """A list of integers that the file fixes."""
        array = self.constant(known, what)
        if array.dtype.kind not in "iu" or array.ndim > 1 or array.size > 64:
            raise FileFormatError(f"{what} is not a short list of integers")
        return tuple(int(n) for n in array.ravel())

    def used_once(self, name: str) -> bool:
        """Whether a value has a single reader, so that its layer may be replaced."""
        return self._uses.get(name, 0) == 1

    # --- layers ------------------------------------------------------------------------------------------------

    def add(self, layer: Layer, *nodes: Node, key: Any = None, fixed: bool = False, **arrays: Array | None) -> Node:
        """Apply a layer that holds `arrays`. One with the `key` of an earlier one, equal in all else, is that one."""
        values = {name: array for name, array in arrays.items() if array is not None}
        if key is not None:
            layer = self._shared.setdefault((key, repr(layer)), layer)
        self.arrays[layer] = values
        if fixed:
            self.fixed.add(layer)
        return layer(*nodes)

    def reserve(self, what: str, numbers: int) -> None:
        """Refuse a layer whose numbers, with those of all layers so far, are more than memory may hold."""
        held = sum(array.size for arrays in self.arrays.values() for array in arrays.values())
        size = 8 * (held + numbers)
        require_memory(size, f"{what}, with the layers before it,", "import a smaller model", FileFormatError)

    # --- the walk ----------------------------------------------------------------------------------------------

    def build(self, output: str) -> Value:
        """The value of the output's name."""
        operations = self._in_order(output)
        for operation in operations:
            for name in operation.inputs:
                self._uses[name] = self._uses.get(name, 0) + 1
        self._uses[output] = self._uses.get(output, 0) + 1
        for operation in operations:
            self._take(operation)
        return self.value(self.known[output], f"the output {shown(output)}")

    def _take(self, operation: Operation) -> None:
        try:
            results = self._results(operation)
            operation.finish()
        except ChainruleError as error:
            raise FileFormatError(f"{operation}: {error}") from None
        for name, result in zip(operation.outputs, results, strict=False):
            if name:
                self.known[name] = result

    def _results(self, operation: Operation) -> tuple[Value | Constant, ...]:
        given = [self.known[name] for name in operation.inputs if name]
        key = (operation.domain, operation.kind)
        if operation.domain == "" and operation.kind in FOLDED and not any(isinstance(v, Value) for v in given):
            return fold(operation, self.inputs(operation, 0, 4096), self.opset())
        if key not in IMPORTERS:
            raise FileFormatError(_unknown(operation))
        made = IMPORTERS[key](self, operation)
        results = made if isinstance(made, tuple) else (made,)
        if any(name in self._uses for name in operation.outputs[len(results) :]):
            raise FileFormatError(f"its output {len(results) + 1} is used, which no layer computes")
        return results

    def _in_order(self, output: str) -> list[Operation]:
        """The operations that lead to `output`, each after those that it needs."""
        order: list[Operation] = []
        state: dict[int, bool] = {}  # True: done, False: begun
        stack: list[tuple[str, Operation | None]] = [(output, None)]
        while stack:
            name, reader = stack.pop()
            if name == "" and reader is not None and id(reader) in state and not state[id(reader)]:
                state[id(reader)] = True
                order.append(reader)
                continue
            if name in self.known:
                continue
            operation = self.model.made_by.get(name)
            if operation is None:
                who = f"{reader} needs" if reader else "the graph's output is"
                raise FileFormatError(f"{who} a value {shown(name)}, which nothing makes")
            if id(operation) not in state:
                state[id(operation)] = False
                stack.append(("", operation))
                stack.extend((needed, operation) for needed in reversed(operation.inputs) if needed)
            elif not state[id(operation)]:
                raise FileFormatError(f"{operation} depends on its own output")
        return order


def _unknown(operation: Operation) -> str:
    if operation.domain:
        return "operators of this domain have no layer"
    kinds: Iterable[int] = (attribute.type for attribute in operation.attributes.values())
    if any(kind in (5, 10) for kind in kinds):
        return "it runs a graph of its own, and networks here have no branches or loops"
    return "no layer computes this operator"
