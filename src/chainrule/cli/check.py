"""`chainrule check`: whether the gradients of a network are right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from chainrule.arrays import Array
from chainrule.cli.common import EngineOption, NetOption, SeedOption, choose_network, loss_of
from chainrule.cli.console import say_block
from chainrule.cli.folders import data_for
from chainrule.errors import ShapeError
from chainrule.gradient_check import check_gradients
from chainrule.network import Network

WRONG = 1


def check(
    model: Annotated[Path | None, typer.Argument(metavar="[MODEL]", help="A file that train wrote.")] = None,
    net: NetOption = None,
    data: Annotated[str | None, typer.Option("--data", help="Check at images of this data set, not at noise.")] = None,
    samples: Annotated[int, typer.Option(help="Numbers of each tensor to check; 0 for all.")] = 30,
    batch_size: Annotated[int, typer.Option(help="Images in the batch.")] = 4,
    tolerance: Annotated[float, typer.Option(help="Largest relative error.")] = 1e-7,
    seed: SeedOption = 0,
    engine: EngineOption = None,
) -> None:
    """Check the gradients of a network.

    They are compared with differences of the loss in float64. The exit code is 1 where one is wrong."""
    network = choose_network(model, net, seed)
    x, targets = _batch(network, data, batch_size, seed)
    report = check_gradients(
        network,
        x,
        targets,
        loss_of(network),
        tolerance=tolerance,
        sample=samples or None,
        seed=seed,
        engine=engine,
    )
    say_block(str(report))
    if not report.ok:
        raise typer.Exit(WRONG)


def _batch(net: Network, data: str | None, size: int, seed: int) -> tuple[Array, Array]:
    """Images and labels of the data set, or noise with targets that fit the loss."""
    if size < 1:
        raise ShapeError(f"--batch-size must be at least 1, not {size}")
    rng = np.random.default_rng([seed, 1])
    if data is not None:
        dataset = data_for(net, data)
        places = rng.permutation(len(dataset.train_images))[:size]
        return dataset.train_images[places], dataset.train_labels[places]
    x = rng.standard_normal((size, *net.input_shape))
    loss = loss_of(net)
    labels = rng.integers(0, net.output_shape[0], (size, *net.output_shape[1:]))
    try:
        return x, loss.prepare_targets(labels, size, net.output_shape)
    except ShapeError:
        return x, rng.uniform(0, 1, (size, *net.output_shape))
