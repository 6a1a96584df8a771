"""What several commands need: options, data sets, networks by name, and a place for results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule import data
from chainrule.cli.console import complain
from chainrule.data import Dataset, Preparation
from chainrule.data.preparation import assumed
from chainrule.errors import ArgumentError, DataError, NameLookupError, ShapeError, StorageError
from chainrule.losses import CrossEntropyLoss, Loss
from chainrule.metrics import class_count
from chainrule.network import Network, load, parse
from chainrule.shapes import shape_text
from chainrule.zoo.cifar import resnet_like, vgg_like
from chainrule.zoo.lenet5 import lenet5
from chainrule.zoo.perceptrons import mlp, two_two_two

if TYPE_CHECKING:
    from collections.abc import Callable

DataOption = Annotated[
    str,
    typer.Option(
        "--data",
        help="digits, mnist, fashion-mnist, kmnist, emnist-letters, cifar-10, a folder of pictures with a subfolder "
        "for each class, an .npz file, or a folder of IDX files (train-images-idx3-ubyte, ...).",
    ),
]
NetOption = Annotated[
    str | None,
    typer.Option("--net", help='A name (lenet5, lenet5-1998, mlp, ...) or a text such as "1x28x28 -> fc 10".'),
]
EngineOption = Annotated[str | None, typer.Option("--engine", help="The engine that computes (default: the fastest).")]
DtypeOption = Annotated[str | None, typer.Option("--dtype", help="float32 or float64.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Decides all random numbers.")]
ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that train wrote (or its folder).")]

STEPS = (
    "How pictures become samples: mnist-digit, or light-on-dark or dark-on-light (or neither), crop (or not), and fit "
    'or stretch; such as "light-on-dark, fit". Default: as '
)
PrepareOption = Annotated[
    str | None, typer.Option("--prepare", metavar="STEPS", help=f"{STEPS}the network's file says.")
]

MODEL_FILE = "model.safetensors"
MOST_CONFUSED = 1000
"""Confusion matrices of more classes are neither written nor drawn: no one could read them."""


def _networks() -> dict[str, Callable[[Dataset, int], Network]]:
    """What --net knows by name, fitted to the images and classes of a data set."""
    return {
        "lenet5": lambda d, seed: lenet5("modern", _square(d), seed),
        "lenet5-1998": lambda d, seed: lenet5("1998", _square(d), seed),
        "mlp": lambda d, seed: mlp(d.input_shape, classes=len(d.class_names), seed=seed),
        "vgg-like": lambda d, seed: vgg_like(d.input_shape, len(d.class_names), seed=seed),
        "resnet-like": lambda d, seed: resnet_like(d.input_shape, len(d.class_names), seed=seed),
    }


def _square(dataset: Dataset) -> Any:
    """The side of the images, which lenet5 accepts or refuses."""
    return dataset.input_shape[1]


def build(text: str, dataset: Dataset, seed: int) -> Network:
    """The network that --net asks for, checked against the data set."""
    networks = _networks()
    name = text.strip().lower().replace("_", "-")
    if "->" in text:
        net = parse(text, seed=seed)
    elif name in networks:
        net = networks[name](dataset, seed)
    else:
        raise NameLookupError('network (a text such as "1x28x28 -> fc 10" is possible too)', text, networks)
    check_fit(net, dataset)
    return net


def check_fit(net: Network, dataset: Dataset, hint: str = "") -> None:
    """Raise ShapeError or DataError where a network cannot classify the images of a data set as they are."""
    if net.input_shape != dataset.input_shape:
        raise ShapeError(
            f"the network takes images of {shape_text(net.input_shape)}, but {dataset.name} holds images of "
            f"{shape_text(dataset.input_shape)}{hint}"
        )
    check_classes(net, dataset)


def check_classes(net: Network, dataset: Dataset) -> None:
    """Raise DataError where a network has fewer outputs than a data set has classes."""
    classes = len(dataset.class_names)
    if len(net.output_shape) != 1 or net.output_shape[0] < classes:
        raise DataError(
            f"the network has outputs of {shape_text(net.output_shape)}, but {dataset.name} has {classes} classes; "
            f"end it with fc {classes}"
        )


def loss_of(net: Network) -> Loss:
    """The loss that a network came with, else cross-entropy."""
    return net.loss or CrossEntropyLoss()


def names_of(net: Network) -> tuple[str, ...]:
    """What a network's classes are called; their numbers where it knows no names."""
    return net.class_names or tuple(map(str, range(class_count(net.output_shape))))


def load_model(path: Path) -> Network:
    """A saved network; a folder means the model in it."""
    return load(path / MODEL_FILE if path.is_dir() else path)


def choose_network(model: Path | None, net: str | None, seed: int) -> Network:
    """MODEL or --net, LeNet-5 where neither is given; named networks are built for the bundled digits."""
    if model is not None and net is not None:
        raise ArgumentError("give either MODEL or --net, not both")
    if model is not None:
        return load_model(model)
    if net is not None and "->" in net:
        return parse(net, seed=seed)
    if net is not None and net.strip().lower().replace("_", "-") == "two-two-two":
        return two_two_two()
    return build(net or "lenet5", data.load("digits"), seed)


def preparation_of(net: Network, given: str | None, model: Path) -> Preparation:
    """As --prepare says, else as the network's file says, else what old files mean; that is said aloud."""
    known = net.preparation
    if given is not None:
        steps = Preparation.parse(given).steps
        return Preparation(steps, known.black, known.white) if known else Preparation(steps)
    if known is not None:
        return known
    guess = assumed(net.input_shape)
    complain(f"{model} does not say how its pictures were prepared; assumed: {guess} (--prepare says otherwise)")
    return guess


def make_folder(path: Path) -> Path:
    """A folder that can be written to, made where it is missing."""
    probe = path / ".writable"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StorageError(f"cannot write to the folder {path}: {error.strerror or error}") from None
    return path
