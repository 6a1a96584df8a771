"""What every layer is: hyperparameters, shapes, counts, and its forward equation beside its backward equations.

A layer holds no values. Values go in and come out:

    y, saved = layer.forward(parameters, x, context=...)
    dx       = layer.backward_input(parameters, dy, saved)
    dp       = layer.backward_parameters(parameters, dy, saved)

The two backward halves are separate because the first layer of a network needs no dx, and because updating between
them (S0's other order, ER0-14) must be possible. `saved` is whatever forward keeps for backward.

To write a layer of your own, subclass `Layer`, and define `output_shape`, `forward` and `backward_input`; if it has
parameters also `parameter_shapes`, `initialize` and `backward_parameters`. It then works in every network.
"""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ArgumentError, ShapeError
from chainrule.memory import require_memory
from chainrule.shapes import LARGEST, ReceptiveField, Shape, product, shape_text, shown

Values: TypeAlias = Mapping[str, Array]
"""A layer's own arrays by name: parameters ("weight", "bias") and buffers ("running_mean")."""


@dataclass(frozen=True)
class Context:
    """What a forward pass knows beyond its arrays. The four numbers key the random bits of dropout."""

    training: bool = False
    seed: int = 0
    step: int = 0
    node: int = 0


class Layer(ABC):
    """One kind of computation with its own backward pass."""

    arity: ClassVar[int | None] = 1
    """Number of inputs; None for two or more."""

    frozen: ClassVar[tuple[str, ...]] = ()
    """Parameters that training leaves alone unless they are unfrozen."""

    has_delta: ClassVar[bool] = False
    """Whether the outputs are weighted sums of the inputs: the gradient of such a sum is what the sources call δ."""

    gives_penalties: ClassVar[bool] = False
    """Whether a smaller output speaks for its class."""

    gives_probabilities: ClassVar[bool] = False
    """Whether the outputs are positive and sum to 1."""

    given_name: str | None = None
    """What it is called in networks; None where it is numbered by kind: "conv1"."""

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None:
            self.given_name = checked_name(name)

    # --- hyperparameters do not change -------------------------------------------------------------------------

    def settle(self) -> None:
        """From now on a layer of the package keeps its hyperparameters: shapes, plans and files are made from them.

        Layers of a user's own may keep what they like; they run where nothing is made ahead.
        """
        if type(self).__module__.partition(".")[0] != __name__.partition(".")[0]:
            return
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        vars(self)["_settled"] = True

    def __setattr__(self, name: str, value: object) -> None:
        self._refuse_if_settled(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse_if_settled(name)
        super().__delattr__(name)

    def _refuse_if_settled(self, name: str) -> None:
        if "_settled" in vars(self):
            raise ArgumentError(f"{name} of {self!r} cannot change, since it stands in a network; build a new network")

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if "_settled" in state:
            self.settle()  # a copied array can be written to

    # --- what others ask ---------------------------------------------------------------------------------------

    def is_identity(self, training: bool) -> bool:
        """Whether the output's numbers are the input's, in their order."""
        return False

    def couples_samples(self, training: bool) -> bool:
        """Whether a sample's output depends on the other samples of its batch."""
        return False

    # --- structure ---------------------------------------------------------------------------------------------

    @abstractmethod
    def output_shape(self, *shapes: Shape) -> Shape:
        """Shape of one output sample for input samples of `shapes`; ShapeError where they do not fit."""

    def parameter_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        """Learned arrays by name."""
        return {}

    def buffer_shapes(self, *shapes: Shape) -> dict[str, Shape]:
        """Arrays that are kept and saved, but not learned by gradient."""
        return {}

    def initialize(self, rng: np.random.Generator, *shapes: Shape) -> dict[str, Array]:
        """Initial values of all parameters and buffers, in float64."""
        return {}

    # --- values ------------------------------------------------------------------------------------------------

    @abstractmethod
    def forward(self, parameters: Values, *xs: Array, context: Context) -> tuple[Array, Any]:
        """(y, saved) for a batch."""

    @abstractmethod
    def backward_input(self, parameters: Values, dy: Array, saved: Any) -> Array | tuple[Array, ...]:
        """dL/dx from dL/dy; for several inputs a tuple in their order."""

    def backward_parameters(self, parameters: Values, dy: Array, saved: Any) -> dict[str, Array]:
        """dL/dparameter for every parameter, from dL/dy."""
        return {}

    def updated_buffers(self, parameters: Values, saved: Any) -> dict[str, Array]:
        """New values of the buffers after a training step."""
        return {}

    # --- counts ------------------------------------------------------------------------------------------------

    def working_numbers(self, *shapes: Shape, backward: bool = False) -> int:
        """Numbers that the equations hold at once for one sample besides input and output: padded maps, windows laid
        out. What no memory can hold is refused by it, before any work."""
        return 0

    def parameter_counts(self, *shapes: Shape) -> dict[str, int]:
        """Free numbers in each parameter."""
        return {name: product(shape) for name, shape in self.parameter_shapes(*shapes).items()}

    def connection_count(self, *shapes: Shape) -> int:
        """Links from inputs (and biases) to outputs, as LeNet-5's authors count them (S2-H03)."""
        return 0

    def multiply_add_count(self, *shapes: Shape) -> int:
        """Multiplications by a weight in one forward pass of one sample."""
        return 0

    def receptive_field(self, field: ReceptiveField, *shapes: Shape) -> ReceptiveField:
        """Receptive field of an output, where `field` is that of an input (S2-F05)."""
        return field

    # --- description -------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """The stem of the layer's name in a network: Conv2d is "conv"."""
        return re.sub(r"[123]d$", "", type(self).__name__).lower()

    def hyperparameters(self) -> dict[str, Any]:
        """Constructor arguments that build this layer again."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        others = (
            "args",
            "kwargs",
            *(() if "name" in vars(self) else ("name",)),
        )  # a layer of a user's own may have one
        return {name: getattr(self, name) for name in names if name not in others}

    def __repr__(self) -> str:
        name = [] if self.given_name is None else [f"name={self.given_name!r}"]
        return f"{type(self).__name__}({', '.join([*self._argument_texts(), *name])})"

    def described(self) -> str:
        """As `repr`, but without the name."""
        return f"{type(self).__name__}({', '.join(self._argument_texts())})"

    def _argument_texts(self) -> list[str]:
        arguments = inspect.signature(type(self).__init__).parameters
        parts = []
        for name, value in self.hyperparameters().items():
            text = f"<{shape_text(value.shape)} table>" if isinstance(value, np.ndarray) else repr(_short(value))
            argument = arguments[name]
            if argument.default is inspect.Parameter.empty and argument.kind is not inspect.Parameter.KEYWORD_ONLY:
                parts.append(text)
            elif text != repr(argument.default):
                parts.append(f"{name}={text}")
        return parts

    def __call__(self, *inputs: Node) -> Node:
        """Apply the layer to nodes of a graph: `h = cr.Conv2d(3, 8, 3)(x)`."""
        return Node(self, inputs)

    def placed(self, node: Node, scope: Scope) -> Node:
        """The layer applied to a node within blocks."""
        return Node(self, (node,), scope=scope)


def checked_name(name: object) -> str:
    """A name as the user gives it to a layer or a block: it becomes part of names such as "stem.conv1.weight"."""
    if isinstance(name, str) and name.isidentifier() and name != "input":
        return name
    raise ArgumentError(
        f'name must begin with a letter, hold letters, digits and "_" alone, and not be "input"; given: {shown(name)}'
    )


def _short(value: Any) -> Any:
    """(3, 3) as 3 and (1, 1, 2, 2) as (1, 2), the way one would write it."""
    if isinstance(value, tuple) and len(value) == 4 and value[:1] * 2 + value[2:3] * 2 == value:
        value = (value[0], value[2])
    if isinstance(value, tuple) and len(value) == 2 and value[0] == value[1]:
        return value[0]
    return value


class Scoped(Protocol):
    """What layers can stand in: a block, or a network within another."""

    given_name: str | None


Scope: TypeAlias = tuple[Scoped, ...]
"""The blocks around a node, the outermost first."""


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a layer stood before: its name there, and the graph that holds its values, if it takes them along."""

    name: str
    graph: Any = None


class Node:
    """A place in a graph: the output of one use of a layer. `shape` is that of one sample.

    `scope` and `origin` say what its layer is called in a network, and with which values it begins.
    """

    def __init__(
        self,
        layer: Layer | None,
        inputs: tuple[Node, ...],
        shape: Shape = (),
        *,
        scope: Scope = (),
        origin: Origin | None = None,
    ) -> None:
        self.layer = layer
        self.inputs = inputs
        self.scope = scope
        self.origin = origin
        if layer is None:
            self.shape = shape
            return
        for node in inputs:
            if not isinstance(node, Node):
                raise ArgumentError(
                    f"{layer!r} is applied to nodes of a graph, not to {type(node).__name__}; begin with "
                    f"x = Input(shape), and give arrays to the finished network"
                )
        if len(inputs) != layer.arity if layer.arity is not None else len(inputs) < 2:
            wanted = "two or more inputs" if layer.arity is None else f"{layer.arity} input(s)"
            raise ArgumentError(f"{layer!r} takes {wanted}, not {len(inputs)}")
        try:
            self.shape = layer.output_shape(*(node.shape for node in inputs))
            if max(self.shape, default=0) > LARGEST:
                raise ShapeError(f"would make an output of {shape_text(self.shape)}; an extent is at most {LARGEST}")
            require_sample(self.shape, "its output")
        except ShapeError as error:
            raise ShapeError(f"{layer!r}: {error}") from None
        layer.settle()

    __array_ufunc__ = None
    """An array leaves `array + node` to the node, which says what is wrong."""

    def __add__(self, other: object) -> Node:
        """Their sum, by a layer Add: `h + x` is `Add()(h, x)`."""
        from chainrule.layers.joins import Add  # which is made of what stands here

        return Add()(self, other)  # type: ignore[arg-type]  # Node says what is expected

    def __radd__(self, other: object) -> Node:
        from chainrule.layers.joins import Add

        return Add()(other, self)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"<{'Input' if self.layer is None else repr(self.layer)} -> {shape_text(self.shape)}>"


def require_sample(shape: Shape, what: str) -> None:
    """Refuse a shape of which not even one sample in float32 fits into memory."""
    advice = "use smaller maps or fewer features"
    require_memory(4 * product(shape), lambda: f"{what} of {shape_text(shape)} for each sample", advice, ShapeError)


def expect_map(shape: Shape, channels: int | None = None) -> tuple[int, int, int]:
    """`shape` as (channels, rows, columns)."""
    if len(shape) != 3:
        raise ShapeError(f"expects maps (channels, rows, columns), but the input has shape {shape}")
    if channels is not None and shape[0] != channels:
        raise ShapeError(f"expects {channels} input channels, but the input has shape {shape} with {shape[0]} channels")
    return shape[0], shape[1], shape[2]


def expect_vector(shape: Shape, features: int) -> int:
    """`shape` as (features,)."""
    if len(shape) != 1:
        raise ShapeError(
            f"expects a vector of {features} features, but the input has shape {shape}; put Flatten() before"
        )
    if shape[0] != features:
        raise ShapeError(f"expects {features} input features, but the input has {shape[0]}")
    return shape[0]
