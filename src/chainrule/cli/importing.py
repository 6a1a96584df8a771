"""`chainrule import`: a network of another program's as a file of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.console import say, say_block
from chainrule.errors import ArgumentError


def import_network(
    source: Annotated[Path, typer.Argument(metavar="FILE.onnx", help="The ONNX file to read.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="The file to write.")],
    output: Annotated[
        str | None, typer.Option("--output", help="Which output the network is to compute, if there are several.")
    ] = None,
    input_shape: Annotated[
        str | None,
        typer.Option("--input-shape", metavar="CxHxW", help="The shape of a sample, where the file leaves it open."),
    ] = None,
) -> None:
    """Turn an ONNX file into a chainrule network.

    What no layer computes ends in a sentence that names the node, and nothing is written."""
    from chainrule.interchange.onnx.importing import from_onnx

    net = from_onnx(source, output=output, input_shape=None if input_shape is None else _shape(input_shape))
    net.save(target)
    say_block(str(net.summary()))
    say(f"saved {target}")


def _shape(text: str) -> tuple[int, ...]:
    """3x224x224 as (3, 224, 224)."""
    parts = text.lower().split("x")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise ArgumentError(f"--input-shape must be numbers such as 3x224x224, not {text!r}")
    return tuple(int(part) for part in parts)
