"""Filling the templates: the pieces of C that a network calls, one function for each of its layers, and the files."""

from __future__ import annotations

import re
from typing import Any

from chainrule.errors import MissingExtraError
from chainrule.interchange.c.program import Program, Use
from chainrule.interchange.c.timeline import Tensor

PIECE = re.compile(r"\{%-? macro (\w+)\(\)")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def environment() -> Any:
    """Jinja's, over the package's templates."""
    try:
        import jinja2
    except ImportError:
        raise MissingExtraError("the export to C", "c") from None
    return jinja2.Environment(
        loader=jinja2.PackageLoader("chainrule.interchange.c"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


class Places:
    """C expressions of tensors. Where several samples lie side by side, `s` is the one that is looked at."""

    def __init__(self, block: int) -> None:
        self.block = block

    def whole(self, tensor: Tensor) -> str:
        """Where it begins, for all samples."""
        if tensor.external:
            return "input"
        block = "winners" if tensor.symbol.startswith("winners_") else "values"
        return f"{block} + {tensor.symbol}"

    def at(self, tensor: Tensor, further: int = 0) -> str:
        """Where it begins for one sample, and so many numbers further."""
        sample = f" + s * {tensor.size}" if self.block > 1 and not tensor.whole_batch else ""
        return f"{self.whole(tensor)}{sample}{f' + {further}' if further else ''}"

    def each_sample(self, use: Use | None = None, body: str = "") -> str:
        """`body` for each of the samples that lie side by side; without a use, only what comes before it."""
        if self.block == 1 or (use is not None and use.rule.whole_batch):
            return body
        head = "for (int s = 0; s < samples; s++)"
        if use is None:
            return f"{head} "
        inside = body.rstrip("\n").replace("\n", "\n    ")
        return f"{head}\n    {inside}\n" if body.count("\n") == 1 else f"{head} {{\n    {inside}\n}}\n"


def words(text: str) -> set[str]:
    """The identifiers in a piece of C, without its comments."""
    return set(re.findall(r"[A-Za-z_]\w*", COMMENT.sub("", text)))


def library(env: Any, templates: list[str], wanted: set[str]) -> str:
    """Those pieces of the templates that are called, and what they call in turn, in the order of the templates."""
    pieces: dict[str, str] = {}
    for template in templates:
        source, _, _ = env.loader.get_source(env, template)
        module = env.get_template(template).make_module()
        pieces |= {name: str(getattr(module, name)()) for name in PIECE.findall(source)}
    needed: set[str] = set()
    asked = wanted & pieces.keys()
    while asked:
        name = asked.pop()
        needed.add(name)
        asked |= words(pieces[name]) & pieces.keys() - needed
    return "\n".join(text for name, text in pieces.items() if name in needed)


def layer_functions(env: Any, program: Program) -> str:
    """Forward and backward of every use of a layer."""
    template = env.get_template("layer.c.j2")
    return "".join(template.render(node=use) for use in program.uses)
