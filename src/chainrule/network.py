"""Network: a graph that computes, learns, explains its size and is saved. Sequential is its simplest case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast, overload

from numpy.typing import ArrayLike

from chainrule import files
from chainrule.arrays import Array, as_array, as_batch, compute_dtype
from chainrule.callbacks import Answer
from chainrule.engines import Engine, Samples, Trace, engine_named, native_plan
from chainrule.errors import ArgumentError, GrammarError
from chainrule.grammar import Blueprint, parse_text, write_text
from chainrule.graph import Graph, Input
from chainrule.layers import LAYERS, Linear
from chainrule.layers.base import Layer, Node, checked_name
from chainrule.layers.blocks import Block, Item, chain, check_items
from chainrule.losses import Loss, MAPLoss, default_loss
from chainrule.memory import MemoryErrorsNamed
from chainrule.metrics import Classification, Evaluation, checked_class_names, classify, filled_class_names
from chainrule.optimizers import Optimizer
from chainrule.parameters import Parameters
from chainrule.schedules import Schedule
from chainrule.shapes import integer
from chainrule.summary import Summary, network_page, summarize
from chainrule.training import (
    EVALUATION_BATCH,
    EpochRow,
    History,
    check_targets,
    evaluate,
    plan_training,
    predict,
    split_validation,
    train,
)
from chainrule.weighting import ClassWeight, total_weights

if TYPE_CHECKING:
    from chainrule.data import Dataset, Preparation
    from chainrule.data.likeness import Likeness
    from chainrule.interchange.c import MemoryPlan

BATCH = MemoryErrorsNamed("the computation", "take smaller batches or a smaller network")

Pair = tuple[ArrayLike, ArrayLike]
EngineName = Literal["native", "reference"]
Dtype = Literal["float32", "float64"]


class Network(Graph):
    """A directed acyclic graph of layers: `Network(x, Add()(h, x), seed=0)`.

    Wherever a network computes, `engine` names the implementation and `dtype` the precision. Without `dtype` it is that
    of the data: float64 for float64 and integers, float32 for float32 and for uint8. uint8 arrays are images, and are
    divided by 255; all other numbers are used as they are. Parameters are kept in float64.

    A copy shares no values with its original: `copy.copy` shares the layers, which hold none, `copy.deepcopy` and
    pickle nothing.
    """

    def __init__(self, input: Node, output: Node, *, seed: int = 0) -> None:
        super().__init__(input, output, seed=seed)
        self.loss: Loss | None = None
        """The loss of the last `fit`; what `evaluate` uses."""
        self.preparation: Preparation | None = None
        """How pictures become samples for it, where that is known: a data set's `picture_preparation()`. Saved too."""
        self.likeness: Likeness | None = None
        """What the pictures that it learned from have in common, by which one of another kind is told. Saved too."""
        self._class_names: tuple[str, ...] | None = None

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """What the classes are called, a name for each in the order of their numbers, or None. Saved too."""
        return self._class_names

    @class_names.setter
    def class_names(self, names: Iterable[str] | None) -> None:
        self._class_names = None if names is None else checked_class_names(names, self.output_shape)

    # --- inference ---------------------------------------------------------------------------------------------

    def _prepare(self, x: ArrayLike, engine: str | None, dtype: str | None) -> tuple[Engine, Array, Any]:
        batch = as_batch(x, self.input_shape, check=False)  # engines see all numbers, and find what is not finite
        return engine_named(engine), batch, compute_dtype(batch, dtype)

    @overload
    def __call__(self, x: Node) -> Node: ...

    @overload
    def __call__(self, x: ArrayLike, *, engine: EngineName | None = None, dtype: Dtype | None = None) -> Array: ...

    def __call__(
        self, x: ArrayLike | Node, *, engine: EngineName | None = None, dtype: Dtype | None = None
    ) -> Array | Node:
        """Outputs (n, *output_shape) of a batch (n, *input_shape), in inference.

        Applied to a node, the network becomes a part of the graph that is being built.
        """
        if isinstance(x, Node):
            return self.placed(x, ())
        with BATCH:
            chosen, batch, precision = self._prepare(x, engine, dtype)
            return chosen.forward(self, batch, precision)

    def predict(
        self,
        x: ArrayLike,
        *,
        batch_size: int = EVALUATION_BATCH,
        engine: EngineName | None = None,
        dtype: Dtype | None = None,
    ) -> Array:
        """Outputs of any number of samples, computed in batches so that memory stays bounded."""
        with BATCH:
            chosen, batch, precision = self._prepare(x, engine, dtype)
            return predict(self, chosen, batch, precision, integer("batch_size", batch_size, 1))

    def classify(
        self,
        x: ArrayLike,
        *,
        loss: Loss | None = None,
        batch_size: int = EVALUATION_BATCH,
        engine: EngineName | None = None,
        dtype: Dtype | None = None,
    ) -> Classification:
        """(labels, probabilities, names) of any number of samples: which class each belongs to, and how surely.

        `loss` says what outputs mean; without it, it is found as by `evaluate`. Raises ArgumentError where outputs name
        no class.
        """
        outputs = self.predict(x, batch_size=batch_size, engine=engine, dtype=dtype)
        judge = loss or self.loss or self._default_loss([0])
        return classify(outputs, judge, self.class_names, probable=self._ends_with("gives_probabilities"))

    def predict_proba(
        self,
        x: ArrayLike,
        *,
        loss: Loss | None = None,
        batch_size: int = EVALUATION_BATCH,
        engine: EngineName | None = None,
        dtype: Dtype | None = None,
    ) -> Array:
        """Probabilities (n, classes), each row summing to 1; `classify` has them with labels and names."""
        return self.classify(x, loss=loss, batch_size=batch_size, engine=engine, dtype=dtype).probabilities

    def snapshot(self) -> Self:
        """A copy of the network as it is now, whose parameters cannot change.

        The native engine relies on that: it loads them once, not in every call, so that calls with one or a few samples
        take a fraction of the time. A snapshot does all that a network does, but cannot be trained.
        """
        return self.with_values(self.parameters.seal(), self.buffers.seal())

    # --- gradients ---------------------------------------------------------------------------------------------

    def gradients(
        self,
        x: ArrayLike,
        targets: ArrayLike,
        *,
        loss: Loss,
        sample_weight: ArrayLike | None = None,
        training: bool = True,
        engine: EngineName | None = None,
        dtype: Dtype | None = None,
    ) -> tuple[float, Parameters, Array]:
        """(loss, gradients of all parameters by name, dL/dx).

        `sample_weight` (n,) stands before the terms of each sample, as in `equations.weighted_scale`. With `training`
        batch normalisation uses the batch's statistics and dropout the mask of (seed, step 0); nothing is changed.
        """
        with BATCH:
            chosen, batch, precision = self._prepare(x, engine, dtype)
            data = self._samples(loss, batch, targets, sample_weight)
            result = chosen.gradients(self, data, loss, precision, training)
            return result.loss, result.parameters, result.dx

    def trace(
        self,
        x: ArrayLike,
        targets: ArrayLike,
        *,
        loss: Loss,
        sample_weight: ArrayLike | None = None,
        training: bool = True,
        engine: EngineName | None = None,
        dtype: Dtype | None = None,
    ) -> Trace:
        """Every node and parameter of one forward and backward pass: trace["conv1"].value, .gradient."""
        with BATCH:
            chosen, batch, precision = self._prepare(x, engine, dtype)
            data = self._samples(loss, batch, targets, sample_weight)
            return chosen.trace(self, data, loss, precision, training)

    def _samples(
        self,
        loss: Loss,
        batch: Array,
        targets: ArrayLike,
        sample_weight: ArrayLike | None,
        class_weight: ClassWeight | None = None,
    ) -> Samples:
        if not isinstance(loss, Loss):
            raise ArgumentError(f"loss must be a loss such as CrossEntropyLoss(), not {loss!r}")
        prepared = check_targets(self, loss, len(batch), targets)
        classes = self.output_shape[0] if self.output_shape else 1
        return Samples(batch, prepared, total_weights(loss, prepared, classes, sample_weight, class_weight))

    # --- training ----------------------------------------------------------------------------------------------

    def fit(
        self,
        x: ArrayLike | Dataset,
        targets: ArrayLike | None = None,
        *,
        loss: Loss,
        optimizer: Optimizer,
        schedule: Schedule | None = None,
        epochs: int = 1,
        batch_size: int = 64,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight | None = None,
        validation: tuple[ArrayLike, ...] | None = None,
        validation_split: float | None = None,
        seed: int = 0,
        shuffle: bool = True,
        progress: bool = True,
        patience: int | None = None,
        keep_best: bool = False,
        update_order: Literal["simultaneous", "sequential"] = "simultaneous",
        on_epoch: Callable[[EpochRow], Answer] | None = None,
        engine: EngineName | None = None,
        dtype: Dtype | None = None,
    ) -> History:
        """Train on (x, targets) and return the history; without targets x is a data set, whose training part it learns.

        A data set's class names and the way its pictures were prepared become the network's.

        sample_weight (n,) what each sample counts for: an integer weight k is as good as repeating the sample k times,
                      0 as leaving it out (but for batch normalisation, whose statistics take all samples alike)
        class_weight  a weight for each class: {class: weight}, a list, or "balanced" for n / (classes * samples of the
                      class); multiplied into the samples' weights
        validation    (x, targets) or (x, targets, sample_weight)
        validation_split  a share of the samples that is kept apart and becomes `validation`; drawn by `seed`, as in
                      scikit-learn, not the last ones, as in Keras: data are often sorted by class
        patience      stop after so many epochs without a lower validation loss
        keep_best     end with the parameters of the epoch of the lowest validation loss
        update_order  "sequential" moves a layer's parameters before the gradient goes on through them: not the rule
                      (S0-A02), but how the printed results of S0 came about (ER0-14); by the reference engine
        on_epoch      called with each epoch's row of the history; it may change the optimizer's settings for the epochs
                      to come (`optimizer.learning_rate = ...`), and ends training by returning "stop"
        """
        if self.parameters.sealed:
            raise ArgumentError("a snapshot cannot be trained; train the network it was taken from")
        dataset = _data_set(x, targets)
        part = (x, targets) if dataset is None else (dataset.train_images, dataset.train_labels)
        samples, targets = cast(Pair, part)
        batch = as_batch(samples, self.input_shape)
        if validation_split is not None:
            if validation is not None:
                raise ArgumentError("validation and validation_split are two ways to say the same; give one of them")
            kept, validation = split_validation(batch, targets, sample_weight, validation_split, seed)
            batch, targets = batch[kept], as_array(targets, "targets")[kept]
            sample_weight = None if sample_weight is None else as_array(sample_weight, "sample_weight")[kept]
        plan = plan_training(
            self,
            batch,
            loss=loss,
            optimizer=optimizer,
            schedule=schedule,
            epochs=epochs,
            batch_size=batch_size,
            validation=validation,
            seed=seed,
            shuffle=shuffle,
            progress=progress,
            patience=patience,
            keep_best=keep_best,
            dtype=dtype,
            update_order=update_order,
            on_epoch=on_epoch,
        )
        with BATCH:
            data = self._samples(loss, batch, targets, sample_weight, class_weight)
            self.loss = loss
            if dataset is not None:
                self.class_names = filled_class_names(dataset.class_names, self.output_shape)
                self.preparation = dataset.picture_preparation()
            return train(self, engine_named(engine), data, plan)

    def evaluate(
        self,
        x: ArrayLike | Dataset,
        targets: ArrayLike | None = None,
        *,
        loss: Loss | None = None,
        sample_weight: ArrayLike | None = None,
        batch_size: int = EVALUATION_BATCH,
        engine: EngineName | None = None,
        dtype: Dtype | None = None,
    ) -> Evaluation:
        """Loss, accuracy and confusion matrix (R² for values) in inference, of samples with these weights; without
        targets x is a data set, of which the test part is judged, its classes found by name.

        Without `loss` it is the one last trained with, else MAPLoss behind an RBF layer, cross-entropy for integer
        targets and MSE for others.
        """
        dataset = _data_set(x, targets)
        named = self.class_names
        part = (x, targets) if dataset is None else (dataset.test_images, dataset.test_labels_among(named))
        samples, targets = cast(Pair, part)
        with BATCH:
            chosen, batch, precision = self._prepare(samples, engine, dtype)
            judge = loss or self.loss or self._default_loss(targets)
            data = self._samples(judge, batch, targets, sample_weight)
            return evaluate(self, chosen, data, judge, precision, batch_size, self.class_names)

    def _default_loss(self, targets: ArrayLike) -> Loss:
        return MAPLoss() if self._ends_with("gives_penalties") else default_loss(targets)

    def _ends_with(self, fact: Literal["gives_penalties", "gives_probabilities"]) -> bool:
        """Whether a fact is true of the last layer that is more than an identity in inference."""
        index = self.steps[-1].index if self.steps else 0
        while index and self.steps[index - 1].layer.is_identity(False):
            index = self.steps[index - 1].inputs[0]
        return bool(index) and bool(getattr(self.steps[index - 1].layer, fact))

    # --- description -------------------------------------------------------------------------------------------

    def summary(self) -> Summary:
        """Shape, parameters, connections, multiply-adds and receptive field of every layer; print it."""
        return summarize(self)

    def __str__(self) -> str:
        """The network in the grammar of `parse`, where the grammar can express it; else a list of its nodes."""
        return write_text(self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.steps)} layers, {self.parameter_count:,} parameters: {self}>"

    def _repr_html_(self) -> str:
        names = "" if self.class_names is None else f"; classes {', '.join(self.class_names)}"
        title = f"{type(self).__name__} of {len(self.steps)} layers, {self.parameter_count:,} parameters{names}"
        return network_page(self, title)

    def plan(
        self,
        batch_size: int = 64,
        *,
        loss: Loss | None = None,
        dtype: Dtype = "float32",
    ) -> str:
        """How the native engine computes: its stages, operations and memory; training with `loss`, else inference."""
        return native_plan(self, batch_size, loss, dtype)

    # --- files -------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write architecture, parameters and buffers to a safetensors file, atomically."""
        files.save(self, path, self.loss, self.preparation, self.class_names, self.likeness)

    def to_onnx(
        self,
        path: str | Path,
        *,
        what: Literal["inference", "gradients", "train_step"] = "inference",
        **options: Any,
    ) -> None:
        """Write an ONNX file (extra `onnx`): (x) -> y, or with the backward pass in it.

        what       "gradients": (x, targets, parameters) -> loss, gradient.NAME; "train_step": one pure function
                   (x, targets, learning_rate, parameters, memory) -> loss, new.NAME. Both need loss=..., a step also
                   optimizer=...; masks of dropout and the number of a step are inputs too. Standard operators alone
        batch      a number of samples; None for any
        dtype      "float32" or "float64"
        opset      version of ONNX's operators
        weights    "inside" the file, where parameters are inputs as their defaults; "beside" it as .safetensors; or
                   "inputs": not written at all, but given with every call, for inference too
        uint8      whether x is bytes of pictures, which the file itself turns into what the network takes
        targets    "classes" or, for CrossEntropyLoss, "probabilities"
        sample_weight  whether samples have weights, an input (n,)
        training   whether gradients are those of training: batch statistics, dropout
        dx         whether a step also gives gradient.x

        Names of parameters are the network's. Raises ArgumentError for a layer without a rule, NonFiniteError for
        weights that are NaN, StorageError where the file cannot be written.
        """
        from chainrule.interchange.onnx.export import to_onnx

        to_onnx(self, path, what=what, **options)

    def to_torch_state(self, like: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Parameters and buffers as PyTorch's modules take them: `module.load_state_dict(net.to_torch_state())`.

        like   a mapping such as `module.state_dict()`, whose names, order and types the result takes; layers are
               matched as `load_torch` does. Without it a chain is named as an nn.Sequential of the same layers
               ("0.weight"), any other graph as here ("conv1.weight")

        The values are tensors of float32 where PyTorch is installed, else NumPy arrays. Raises WeightsError, with a
        table, where `like` does not fit.
        """
        from chainrule.interchange.torch import to_torch_state

        return to_torch_state(self, like)

    def to_c(
        self,
        path: str | Path,
        *,
        what: Literal["inference", "train_step"] = "inference",
        loss: Loss | None = None,
        optimizer: Optimizer | None = None,
        batch: int = 1,
        last: int | None = None,
        targets: Literal["classes", "probabilities"] | None = None,
        weights: Literal["inside", "beside"] = "inside",
        dtype: Dtype = "float32",
        name: str | None = None,
    ) -> MemoryPlan:
        """Write C99 to `path`.c and `path`.h (extra `c`), and return the plan of its memory, which prints well.

        The C allocates nothing and calls no library but memcpy, memset and sqrt; it predicts, and with
        what="train_step" it also learns, as `fit` does without shuffling.

        loss, optimizer   of the training step; the learning rate is an argument of the C function
        batch             samples of a step at most. At 1 no gradients are kept: each parameter moves as soon as its
                          gradient is known
        last              train only the parameters of so many of the last layers that have any; the others become
                          constants, as frozen ones do
        targets           "classes" or, for CrossEntropyLoss, "probabilities"
        weights           "inside" the C file, or in a buffer of the caller's, with `path`.bin "beside" to fill it
        name              what the C functions are called by; without it the name of the file

        Raises ArgumentError for what cannot be exported, DataError for parameters that are not finite, StorageError.
        """
        from chainrule.interchange.c import plan_c

        planned = plan_c(
            self, path, name=name, what=what, loss=loss, optimizer=optimizer, batch=batch, last=last, targets=targets,
            weights=weights, dtype=dtype, class_names=self.class_names,
        )  # fmt: skip
        planned.write()
        return planned.plan


class Sequential(Network):
    """A network whose layers follow one another. Without `input_shape` the first layer must be Linear, which knows it.

    An item may be a Sequential, or any network: its layers are then called "block1.conv1", or "stem.conv1" with
    name="stem", and begin with copies of the values they have. An inner Sequential needs no `input_shape`.
    Raises ShapeError, naming the layer, where two neighbours do not fit.
    """

    def __new__(
        cls,
        *items: Item,
        input_shape: Sequence[int] | int | None = None,
        seed: int = 0,
        name: str | None = None,
    ) -> Sequential:
        if items and input_shape is None and not isinstance(items[0], Linear | Network):
            return Block(*items, name=name)  # type: ignore[return-value]  # a part, until it is put into another
        return super().__new__(cls)

    def __init__(
        self,
        *items: Item,
        input_shape: Sequence[int] | int | None = None,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        check_items(items)
        if name is not None:
            self.given_name = checked_name(name)
        if input_shape is None:
            input_shape = _known_input(items)
        first = Input((input_shape,) if isinstance(input_shape, int) else input_shape)
        super().__init__(first, chain(items, first), seed=seed)


def _data_set(x: object, targets: object) -> Dataset | None:
    """x if it is a data set, which comes without targets; None for samples, which come with them."""
    if targets is not None:
        return None
    from chainrule.data import Dataset  # late, so that `import chainrule` stays fast

    if not isinstance(x, Dataset):
        raise ArgumentError(f"targets are missing; without them x must be a data set, not {type(x).__name__}")
    return x


def _known_input(items: Sequence[Item]) -> Sequence[int]:
    if items and isinstance(items[0], Linear):
        return (items[0].in_features,)
    if items and isinstance(items[0], Network):
        return items[0].input_shape
    raise ArgumentError("Sequential needs input_shape=..., such as (1, 28, 28), unless it begins with Linear")


def parse(text: str, *, seed: int = 0, structure: Literal["S2", "S3"] | None = None, **counts: int) -> Network:
    """Build a network from a text such as "1x28x28 -> conv 6@5x5 -> relu -> maxpool 2 -> fc 10" (S2-E09, S3-E01).

    `as` gives names: "[conv 6@5x5 as eye -> relu] as stem -> fc 10" has the layers stem.eye, stem.relu1 and linear1.
    """
    blueprint: Blueprint = parse_text(text, structure=structure, counts=counts)
    try:
        return Sequential(*blueprint.items, input_shape=blueprint.input_shape, seed=seed)
    except ArgumentError as error:  # two of one name
        raise GrammarError(str(error), text, 0) from None


@MemoryErrorsNamed("the loading of a network", "load it on a machine with more memory")
def load(path: str | Path, *, layers: Mapping[str, type[Layer]] | None = None) -> Network:
    """Read a network that `save` wrote. `layers` names layer classes of your own.

    Raises StorageError or FileFormatError; nothing in the file is executed.
    """
    stored = files.read(path, {**LAYERS, **(layers or {})})
    net = Network(stored.input, stored.output, seed=stored.seed)
    files.restore(net, stored)
    net.loss, net.preparation, net._class_names = stored.loss, stored.preparation, stored.class_names
    net.likeness = stored.likeness
    return net


__all__ = ["Network", "Sequential", "load", "parse"]
