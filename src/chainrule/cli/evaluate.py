"""`chainrule evaluate`: how good a saved network is, class by class."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule import data as datasets
from chainrule.arrays import Array
from chainrule.cli.common import (
    DataOption,
    DtypeOption,
    EngineOption,
    ModelArgument,
    check_fit,
    load_model,
    loss_of,
    make_folder,
)
from chainrule.cli.console import can_show, say, say_block
from chainrule.cli.pictures import draw_plots


def evaluate(
    model: ModelArgument,
    data: DataOption = "digits",
    output: Annotated[Path | None, typer.Option(help="Folder for plots (default: beside the model).")] = None,
    plots: Annotated[bool, typer.Option("--plots/--no-plots", help="Draw the mistakes.")] = True,
    engine: EngineOption = None,
    dtype: DtypeOption = None,
) -> None:
    """Test a saved network, class by class.

    Accuracy, confusion matrix, precision and recall of each class, and plots."""
    net = load_model(model)
    dataset = datasets.load(data)
    check_fit(net, dataset)
    images, labels = dataset.test_images, dataset.test_labels
    result = net.evaluate(images, labels, loss=loss_of(net), engine=engine, dtype=dtype)  # type: ignore[arg-type]
    say(f"{dataset.name}, test images")
    say_block(str(result))
    if result.confusion is not None and len(result.confusion) <= 16:
        say_block(_matrix(result.confusion))
    if plots:
        folder = make_folder(output or (model if model.is_dir() else model.parent))
        say(f"plots: {draw_plots(folder, net, dataset, engine=engine)}")


def _matrix(confusion: Array) -> str:
    """The confusion matrix as text: rows the true class; zeros as dots."""
    width = max(4, len(str(confusion.max())) + 1)
    head = "true \\ predicted".ljust(17) + "".join(f"{k:>{width}}" for k in range(len(confusion)))
    zero = "·" if can_show("·") else "."
    rows = [
        f"{k:>16} " + "".join(f"{count or zero:>{width}}" for count in row) for k, row in enumerate(confusion.tolist())
    ]
    return "\n".join(["", head, *rows])
