"""`chainrule summary`: what a network consists of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.common import NetOption, choose_network
from chainrule.cli.console import say_block


def summary(
    model: Annotated[Path | None, typer.Argument(metavar="[MODEL]", help="A file that train wrote.")] = None,
    net: NetOption = None,
) -> None:
    """Show what a network consists of.

    Shapes, parameters, connections, multiply-adds and receptive field of every layer."""
    network = choose_network(model, net, seed=0)
    say_block(str(network))
    say_block(str(network.summary()))
