"""Formulas as MathML: browsers draw it, screen readers speak it, and no script is loaded."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


def mathml(tex: str, display: bool) -> str:
    """One formula; what the converter does not know would otherwise stand in the page as raw letters."""
    tex = tex.strip()
    if display and re.search(r"\\\\|(?<!\\)&", tex) and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    try:
        made = convert(tex, display="block" if display else "inline")
    except Exception as error:
        raise ExtensionError(f"no MathML for {tex!r}: {type(error).__name__}: {error}") from error
    unknown = re.search(r"<m[io][^>]*>(\\[A-Za-z]+)<", made)
    if unknown is not None:
        raise ExtensionError(f"no MathML for {unknown[1]} in {tex!r}")
    return made


def inline(self: Any, node: nodes.math) -> None:
    self.body.append(mathml(node.astext(), display=False))
    raise nodes.SkipNode


def block(self: Any, node: nodes.math_block) -> None:
    self.body.append(f'<div class="formula" tabindex="0">{mathml(node.astext(), display=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
