"""`chainrule predict`: which digit is in a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from chainrule.arrays import Array
from chainrule.cli.common import EngineOption, ModelArgument, load_model, loss_of
from chainrule.cli.console import USER_ERROR, can_show, complain, say
from chainrule.data.images import as_sample, read_picture
from chainrule.errors import ChainruleError, DataError, MissingExtraError
from chainrule.metrics import class_probabilities

BAR = 24
BRIEF = 3
"""Classes shown for each of several pictures; a single picture gets all of them."""


def predict(
    model: ModelArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGES...", help="PNG, JPEG, ... of any size.")],
    engine: EngineOption = None,
) -> None:
    """Name the digit in each picture.

    Pictures may be of any size, in colour, dark on light or light on dark; the digit is cut out and centred.
    """
    net = load_model(model)
    failed = 0
    for path in images:
        try:
            sample = as_sample(read_picture(path), net.input_shape)
        except MissingExtraError:
            raise
        except DataError as error:
            complain(f"{path}: {error}")
            failed += 1
            continue
        except ChainruleError as error:
            complain(error)
            failed += 1
            continue
        outputs = net(sample[None], engine=engine)  # type: ignore[arg-type]
        say(*_answer(path, class_probabilities(outputs, loss_of(net))[0], all_classes=len(images) == 1))
    if failed:
        raise typer.Exit(USER_ERROR)


def _answer(path: Path, probabilities: Array, *, all_classes: bool) -> list[str]:
    """The class, and a bar for each class or for the likeliest few."""
    order = np.argsort(-probabilities, kind="stable")
    shown = range(len(order)) if all_classes and len(order) <= 20 else order[:BRIEF]
    wide = max(len(str(k)) for k in shown)
    bars = [f"  {k:>{wide}}  {_bar(float(probabilities[k]))} {100 * probabilities[k]:5.1f} %" for k in shown]
    return [f"{path}: {order[0]}", *bars]


def _bar(share: float) -> str:
    """A bar in eighths of a character, or in whole ones where the terminal has no others."""
    if not can_show("█▏"):
        return ("#" * round(share * BAR)).ljust(BAR)
    eighths = round(share * BAR * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(BAR)
