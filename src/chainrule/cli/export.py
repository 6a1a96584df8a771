"""`chainrule export`: a trained network in a form that others compute. One entry of `FORMATS` for each form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from chainrule.cli.common import ModelArgument, load_model, loss_of
from chainrule.cli.console import say
from chainrule.cli.recipes import Settings
from chainrule.errors import ArgumentError, NameLookupError
from chainrule.network import Network

LEARNING = ("gradients", "train_step")
"""What of `--what` needs a loss; the last one an optimizer too."""


@dataclass(frozen=True)
class Form:
    """What writes a form, the ending of its file, and which options it knows."""

    write: Callable[[Network, Path, dict[str, Any]], list[Path]]
    ending: str
    options: frozenset[str]


def _to_onnx(net: Network, out: Path, options: dict[str, Any]) -> list[Path]:
    net.to_onnx(out, **options)
    return [out, out.with_suffix(".safetensors")] if options.get("weights") == "beside" else [out]


def _to_c(net: Network, out: Path, options: dict[str, Any]) -> list[Path]:
    from chainrule.interchange.c import plan_c

    planned = plan_c(net, out, class_names=net.class_names, **options)
    say(*planned.plan.lines())
    return planned.write()


FORMATS = {
    "c": Form(_to_c, ".c", frozenset(("batch", "dtype", "last", "name", "weights"))),
    "onnx": Form(_to_onnx, ".onnx", frozenset(("batch", "dtype", "opset", "weights", "uint8"))),
}
"""By the name that --to takes."""


def export(
    model: ModelArgument,
    out: Annotated[
        Path | None, typer.Argument(metavar="[OUT]", help="The file to write (default: named after MODEL).")
    ] = None,
    to: Annotated[str, typer.Option("--to", help=f"The form: {', '.join(FORMATS)}.")] = "onnx",
    what: Annotated[
        str | None,
        typer.Option(help="inference (the default), gradients, or train_step: with loss, backward pass and optimizer."),
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="Of a train_step: sgd, adam, adamw or rmsprop.")] = None,
    momentum: Annotated[float | None, typer.Option(help="Of sgd (default: 0.9).")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of the optimizer.")] = None,
    batch: Annotated[int | None, typer.Option(help="Samples of a batch (default: any number; of c: 1).")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help="float32 or float64.")] = None,
    weights: Annotated[
        str | None, typer.Option(help="inside the file, beside it (.safetensors; c: .bin), or inputs (onnx).")
    ] = None,
    last: Annotated[int | None, typer.Option(help="c: train only so many of the last layers.")] = None,
    name: Annotated[str | None, typer.Option(help="c: what its functions are called by (default: as OUT).")] = None,
    opset: Annotated[int | None, typer.Option(help="onnx: the version of its operators.")] = None,
    uint8: Annotated[bool | None, typer.Option("--uint8", help="onnx: x is bytes of pictures.")] = None,
) -> None:
    """Write a trained network in a form that other programs compute.

    ONNX that predicts, gives gradients or learns: chainrule export MODEL --what train_step step.onnx;
    C99 that predicts or learns: chainrule export MODEL --to c --what train_step net.c"""
    form_name = to.strip().lower()
    if form_name not in FORMATS:
        raise NameLookupError("form", to, FORMATS)
    form, net = FORMATS[form_name], load_model(model)
    given = {"batch": batch, "dtype": dtype, "weights": weights, "opset": opset, "uint8": uint8}
    given |= {"last": last, "name": name}
    options = {option: value for option, value in given.items() if value is not None}
    for option in options:
        if option not in form.options:
            raise ArgumentError(f"--{option} is not for --to {form_name}")
    options |= _learning(net, what, optimizer=optimizer, momentum=momentum, weight_decay=weight_decay)
    target = out or Path(f"{(model.resolve() if model.is_dir() else model.with_suffix('')).name}{form.ending}")
    say(*(f"written to {path}" for path in form.write(net, target, options)))


def _learning(net: Network, what: str | None, **given: Any) -> dict[str, Any]:
    """`what`, and the loss that the network came with and the optimizer where it needs them."""
    settings = {option: value for option, value in given.items() if value is not None}
    if settings and what != LEARNING[1]:
        raise ArgumentError(f"--{next(iter(settings)).replace('_', '-')} is for --what {LEARNING[1]}")
    found: dict[str, Any] = {} if what is None else {"what": what}
    if what in LEARNING:
        found["loss"] = loss_of(net)
    if what == LEARNING[1]:
        usual: dict[str, Any] = {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.0}
        recipe = Settings(epochs=1, batch_size=1, learning_rate=None, schedule="constant", **usual | settings)
        found["optimizer"] = recipe.make_optimizer(loss_of(net))
    return found
