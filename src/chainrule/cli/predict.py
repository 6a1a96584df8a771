"""`chainrule predict`: which class a picture shows, and what the network sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from chainrule.arrays import Array
from chainrule.cli.common import (
    EngineOption,
    ModelArgument,
    PrepareOption,
    load_model,
    loss_of,
    make_folder,
    names_of,
    preparation_of,
)
from chainrule.cli.console import USER_ERROR, can_show, complain, say, say_picture
from chainrule.data.images import read_picture, write_png
from chainrule.data.preparation import Preparation
from chainrule.errors import ChainruleError, DataError, MissingExtraError, shown
from chainrule.metrics import MOST_SHOWN
from chainrule.network import Network
from chainrule.shapes import shape_text

BAR = 24
BRIEF = 3
"""Classes shown for each of several pictures; a single picture gets all of them."""


def predict(
    model: ModelArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGES", help="PNG, JPEG, ... of any size.")],
    prepare: PrepareOption = None,
    show: Annotated[bool, typer.Option("--show", help="Draw what the network sees of each picture.")] = False,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FOLDER", help="Write what the network sees as PNG files.")
    ] = None,
    engine: EngineOption = None,
) -> None:
    """Name the class of what each picture shows.

    Pictures are prepared as those were that the network learned from; its file says how."""
    net = load_model(model)
    preparation = preparation_of(net, prepare, model)
    folder = make_folder(write) if write is not None else None
    failed = False
    for number, path in enumerate(images):
        try:
            sample = preparation.sample(read_picture(path), net.input_shape)
        except MissingExtraError:
            raise
        except DataError as error:
            complain(f"{path}: {error}")
            failed = True
            continue
        except ChainruleError as error:
            complain(error)
            failed = True
            continue
        answer = net.classify(sample[None], loss=loss_of(net), engine=engine)  # type: ignore[arg-type]
        strange = () if net.likeness is None else net.likeness.strangeness(sample)
        say(*_answer(path, answer.probabilities[0], names_of(net), strange, all_classes=len(images) == 1))
        if show:
            _show(net, preparation, sample)
        if folder is not None:
            target = folder / f"{number + 1}-{path.stem}.png"
            write_png(target, preparation.picture(sample))
            say(f"  written to {target}")
    if failed:
        raise typer.Exit(USER_ERROR)


def _show(net: Network, preparation: Preparation, sample: Array) -> None:
    say(f"  seen as {shape_text(net.input_shape)}, prepared by: {preparation}")
    say_picture(preparation.picture(sample))


def _answer(
    path: Path, probabilities: Array, names: Sequence[str], strange: Sequence[str], *, all_classes: bool
) -> list[str]:
    """The class, and a bar for each class or for the likeliest few; of a strange picture, that it is one."""
    order = np.argsort(-probabilities, kind="stable")
    likeliest = order[:BRIEF].tolist()
    listed = list(range(len(order))) if all_classes and len(order) <= 20 else likeliest
    labels = {k: shown(names[k], MOST_SHOWN) for k in listed}
    wide = max(map(len, labels.values()))
    bars = [f"  {labels[k]:>{wide}}  {_bar(float(probabilities[k]))} {100 * probabilities[k]:5.1f} %" for k in listed]
    if strange:
        ways = ", ".join(strange)
        told = f"{path}: unlike the pictures that the network learned from ({ways})"
        return [told, "  if it had to choose:", *bars]
    return [f"{path}: {names[order[0]]}", *bars]


def _bar(share: float) -> str:
    """A bar in eighths of a character, or in whole ones where the terminal has no others."""
    if not can_show("█▏"):
        return ("#" * round(share * BAR)).ljust(BAR)
    eighths = round(share * BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(BAR)
