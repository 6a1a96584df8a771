"""`chainrule evaluate`: how good a saved network is, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from chainrule.arrays import Array
from chainrule.cli.common import (
    DataOption,
    DtypeOption,
    EngineOption,
    ModelArgument,
    check_classes,
    check_fit,
    load_model,
    loss_of,
    make_folder,
    names_of,
    preparation_of,
)
from chainrule.cli.console import can_show, say, say_block, width
from chainrule.cli.folders import SkipBrokenOption, SplitSeedOption, data_for
from chainrule.cli.pictures import draw_plots
from chainrule.data import Dataset
from chainrule.errors import shown
from chainrule.metrics import filled_class_names
from chainrule.network import Network

LONGEST = 16
"""Characters of a name beside the confusion matrix."""


def evaluate(
    model: ModelArgument,
    data: DataOption = "digits",
    output: Annotated[Path | None, typer.Option(help="Folder for plots (default: beside the model).")] = None,
    plots: Annotated[bool, typer.Option("--plots/--no-plots", help="Draw the mistakes.")] = True,
    prepare: Annotated[
        bool | None,
        typer.Option(
            "--prepare/--no-prepare",
            help="Prepare the images of the data set as predict prepares pictures (default: only where light and dark, "
            "or the numbers of black and white, are others than those the network learned from).",
        ),
    ] = None,
    split_seed: SplitSeedOption = 0,
    skip_broken: SkipBrokenOption = False,
    engine: EngineOption = None,
    dtype: DtypeOption = None,
) -> None:
    """Test a saved network, class by class.

    Accuracy, confusion matrix, precision and recall of each class, and plots."""
    net = load_model(model)
    dataset = data_for(net, data, split_seed, skip_broken=skip_broken)
    notes = [f"{dataset.name}, test images"]
    if _to_be_prepared(net, dataset, prepare):
        preparation = preparation_of(net, None, model)
        check_classes(net, dataset)
        images = dataset.prepared_test_images(preparation, net.input_shape)
        notes.append(f"each image prepared by: {preparation}")
    else:
        check_fit(net, dataset, "; --prepare makes them fit")
        images = dataset.test_images
    labels = dataset.test_labels_among(net.class_names)
    if net.class_names is None:  # a network from before there were names
        net.class_names = filled_class_names(dataset.class_names, net.output_shape)
    result = net.evaluate(images, labels, loss=loss_of(net), engine=engine, dtype=dtype)  # type: ignore[arg-type]
    say(*notes)
    say_block(str(result))
    if (confusion := result.confusion_of_few(16)) is not None:
        say_block(_matrix(confusion, width(), names_of(net)))
    if plots:
        folder = make_folder(output or (model if model.is_dir() else model.parent))
        say(f"plots: {draw_plots(folder, net, images, labels, engine=engine)}")


def _to_be_prepared(net: Network, dataset: Dataset, asked: bool | None) -> bool:
    """As asked; else whether the images are plainly made in another way than those the network learned from."""
    if asked is not None or net.preparation is None:
        return bool(asked)
    given, learned = dataset.picture_preparation(), net.preparation
    if given.ground and learned.ground and given.ground != learned.ground:
        return True
    return (given.black, given.white) != (learned.black, learned.white)


def _matrix(confusion: Array, columns: int, names: Sequence[str]) -> str:
    """The confusion matrix as text in so many columns: rows the true class; zeros as dots.

    Rows bear the names of the classes, columns their numbers, which stand beside the names."""
    classes, digits = len(confusion), len(str(confusion.max()))
    zero, corner = ("·" if can_show("·") else "."), "true \\ predicted"
    rows = [str(k) if name == str(k) else f"{shown(name, LONGEST)} {k}" for k, name in enumerate(names)]
    cell, label = max(4, digits + 1), max(len(corner), *map(len, rows))
    if label + 1 + cell * classes > columns:
        cell, label, corner = max(3, digits + 1), max(4, *map(len, rows)), "true"
    if label + 1 + cell * classes > columns:
        return f"\n(the confusion matrix needs {label + 1 + cell * classes} columns; the plot shows it)"
    lines = [
        f"{rows[k]:>{label}} " + "".join(f"{count or zero:>{cell}}" for count in confusion[k].tolist())
        for k in range(classes)
    ]
    return "\n".join(["", f"{corner:<{label}} " + "".join(f"{k:>{cell}}" for k in range(classes)), *lines])
