"""Folders of pictures as data sets: the options of commands that read them, and what the options become."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import typer

from chainrule import data
from chainrule.data import Dataset, Preparation
from chainrule.errors import ArgumentError, ShapeError
from chainrule.network import Network
from chainrule.shapes import shape_text

SizeOption = Annotated[
    str | None,
    typer.Option(metavar="ROWSxCOLUMNS", help="Of the images that a folder of pictures becomes; 32 stands for 32x32."),
]
ColourOption = Annotated[
    bool | None, typer.Option("--colour/--grey", help="Of those images (default: grey where all pictures are).")
]
SplitSeedOption = Annotated[
    int, typer.Option("--split-seed", help="Which pictures of a folder become its test part, where it has none.")
]
SkipBrokenOption = Annotated[
    bool, typer.Option("--skip-broken", help="Leave out pictures of a folder that cannot be read.")
]


@dataclass(frozen=True)
class Pictures:
    """How the pictures of a folder become a data set."""

    size: tuple[int, int] | None
    colour: bool | None
    seed: int
    skip_broken: bool

    def load(self, source: str, prepare: str | None) -> Dataset:
        """The data set; --prepare says how the pictures of a folder become images, as later those of `predict`."""
        made = Preparation.parse(prepare) if prepare is not None and data.holds_pictures(source) else None
        options = {"size": self.size, "colour": self.colour, "seed": self.seed, "skip_broken": self.skip_broken}
        return data.load(source, preparation=made, **options)  # type: ignore[arg-type]


def size_of(text: str | None) -> tuple[int, int] | None:
    """--size as (rows, columns)."""
    found = re.fullmatch("([0-9]{1,5})(?:x([0-9]{1,5}))?", text or "")
    if text is not None and found is None:
        raise ArgumentError(f'--size must be a number such as 32, or ROWSxCOLUMNS such as "24x32", not {text!r}')
    return None if found is None else (int(found[1]), int(found[2] or found[1]))


def data_for(net: Network, source: str, split_seed: int = 0, *, skip_broken: bool = False) -> Dataset:
    """The data set that --data names; pictures of a folder become images as the network takes them."""
    if not data.holds_pictures(source):
        return data.load(source, seed=split_seed, skip_broken=skip_broken)
    if len(net.input_shape) != 3 or net.input_shape[0] not in (1, 3):
        raise ShapeError(f"pictures fit networks that take (1 or 3, rows, columns), not {shape_text(net.input_shape)}")
    return data.load(
        source,
        size=(net.input_shape[1], net.input_shape[2]),
        colour=net.input_shape[0] == 3,
        preparation=net.preparation,
        seed=split_seed,
        skip_broken=skip_broken,
    )
