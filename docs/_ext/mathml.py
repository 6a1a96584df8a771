"""Formulas as MathML, made by Temml: browsers draw it, screen readers speak it, and the page loads no script for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

DIST = Path(__file__).parent.parent / "node_modules" / "temml" / "dist"

SERIF = DIST.parent.parent / "@fontsource-variable" / "source-serif-4" / "files"
FONTS = {"latin-wght-normal": "normal", "latin-wght-italic": "italic", "greek-wght-normal": "greek"}


class Converter:
    """A process of Node that answers line by line; it starts at the first formula and ends with the build."""

    def __init__(self) -> None:
        if shutil.which("node") is None or not DIST.is_dir():
            raise ExtensionError("formulas need Node and Temml: npm install --prefix docs")
        self.process = subprocess.Popen(
            ["node", str(Path(__file__).with_name("temml.mjs"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def convert(self, tex: str, display: bool) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ExtensionError(f"no MathML for {tex!r}: {answer['error']}")
        return str(answer["mathml"])


@cache
def converter() -> Converter:
    """The one process."""
    return Converter()


@cache
def mathml(tex: str, display: bool) -> str:
    """One formula; several lines without an environment are aligned."""
    tex = tex.strip()
    if display and re.search(r"\\\\|(?<!\\)&", tex) and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return converter().convert(tex, display)


def inline(self: Any, node: nodes.math) -> None:
    after = node.next_node(descend=False, siblings=True)
    glue = "&#8288;" if isinstance(after, nodes.Text) and after[:1] in tuple(",.;:)!?") else ""  # keeps its comma
    self.body.append(mathml(node.astext(), display=False) + glue)
    raise nodes.SkipNode


def block(self: Any, node: nodes.math_block) -> None:
    self.body.append(f'<div class="formula">{mathml(node.astext(), display=True)}</div>')
    raise nodes.SkipNode


def finish(app: Sphinx, error: Exception | None) -> None:
    """Temml's styles go beside the pages; the process ends."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static"
        styles = (DIST / "Temml-Latin-Modern.css").read_text(encoding="utf-8")
        (target / "temml.css").write_text(styles.replace("latinmodernmath.woff2", "fonts/latinmodern-math.woff2"))
        shutil.copy(DIST / "Temml.woff2", target)
        for font, name in FONTS.items():
            shutil.copy(SERIF / f"source-serif-4-{font}.woff2", target / "fonts" / f"serif-{name}.woff2")
    if converter.cache_info().currsize:
        process = converter().process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)
        converter.cache_clear()


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.add_css_file("temml.css")
    app.connect("build-finished", finish)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": False}
