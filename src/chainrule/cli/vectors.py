"""`chainrule vectors`: gradient vectors for authors of other kernels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chainrule.cli.console import say
from chainrule.vectors import write_vectors


def vectors(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write manifest.json and cases/ into.")],
) -> None:
    """Write gradient vectors: inputs, outputs and all gradients of every layer, as files.

    Authors of other kernels can test against them; docs/vectors.md says how to read them."""
    manifest = write_vectors(out)
    exact = sum(case["exact"] for case in manifest["cases"])
    say(f"{len(manifest['cases'])} cases, {exact} of them exact to the last bit: {out / 'manifest.json'}")
