"""Code cells in pages, and what they computed in the midst of prose and formulas.

```{code-cell}           runs, and shows code and output; options `:tags: remove-input`, `hide-input`,
:tags: hide-input        `remove-output`; `:caption:` makes a figure of the output
...
```
{eval}`loss`             a number in a sentence; {eval}`loss:.3f` with a format
{evalmath}`L = <<loss>>` the same in a formula; the directive of that name for one that is displayed
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from running import INSERT, CellError, Results, key_of, results_of
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective, SphinxRole


class evaluated(nodes.Inline, nodes.TextElement):  # noqa: N801, docutils names its nodes so
    """An expression whose value will stand here."""


def language_of(config: Any) -> str:
    """`en` or `zh`."""
    return str(config.language)[:2]


def read(app: Sphinx, docname: str, content: list[str]) -> None:
    """Run the cells of a page before it is parsed; catalogues need no results."""
    env = app.env
    env.current_document["cells"] = Results()
    env.current_document["cell"] = 0
    if app.builder.name == "gettext":
        return
    path = Path(env.doc2path(docname))
    try:
        found = results_of(content[0], path, docname, language_of(app.config), kept_in(app))
    except CellError as error:
        raise ExtensionError(str(error)) from None
    env.current_document["cells"] = found
    known(env)[docname] = key_of(content[0], language_of(app.config)), found.files


def kept_in(app: Sphinx) -> Path:
    """The folder of what the cells of one language gave."""
    return Path(app.outdir).parent / ".cells" / language_of(app.config)


def known(env: BuildEnvironment) -> dict[str, tuple[str, dict[str, bytes]]]:
    """What is remembered of each page between builds."""
    if not hasattr(env, "cells"):
        env.cells = {}  # type: ignore[attr-defined]
    return env.cells  # type: ignore[attr-defined,no-any-return]


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Pages whose text is as it was, but not the package."""
    if app.builder.name == "gettext":
        return []
    language = language_of(app.config)
    return [
        name
        for name, (key, _) in known(env).items()
        if name not in removed and key_of(Path(env.doc2path(name)).read_text("utf-8"), language) != key
    ]


def purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    known(env).pop(docname, None)


def merge(app: Sphinx, env: BuildEnvironment, docnames: list[str], other: BuildEnvironment) -> None:
    known(env).update({name: known(other)[name] for name in docnames if name in known(other)})


def publish(app: Sphinx, error: Exception | None) -> None:
    """The files that cells wrote go beside the pages; what no page needs any more is not kept."""
    if error is None and app.builder.format == "html":
        keys = {key for key, _ in known(app.env).values()}
        for path in kept_in(app).glob("*.pickle"):
            if path.stem not in keys:
                path.unlink()
        for docname, (_, files) in known(app.env).items():
            for name, content in files.items():
                path = Path(app.outdir) / "_files" / docname / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


class CodeCell(SphinxDirective):
    has_content = True
    optional_arguments = 1
    option_spec = {"tags": directives.unchanged, "caption": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        document = self.env.current_document
        number = document["cell"]
        document["cell"] = number + 1
        tags = self.options.get("tags", "").replace(",", " ").replace("[", " ").replace("]", " ").split()
        code = nodes.literal_block("\n".join(self.content), "\n".join(self.content), language="python")
        code["classes"].append("cell-input")
        parts: list[nodes.Node] = []
        if "hide-input" in tags:
            word = "代码" if language_of(self.config) == "zh" else "Code"
            opening = f'<details class="cell-code"><summary>{word}</summary>'
            parts = [nodes.raw("", opening, format="html"), code, nodes.raw("", "</details>", format="html")]
        elif "remove-input" not in tags:
            parts = [code]
        outputs = document["cells"].outputs
        shown = self._shown(outputs[number]) if number < len(outputs) and "remove-output" not in tags else []
        if "caption" in self.options:
            caption, _ = self.parse_inline(self.options["caption"])
            node = nodes.caption(self.options["caption"], "", *caption)
            node.source, node.line = self.get_source_info()
            shown = [nodes.figure("", *shown, node, classes=["cell-figure"])]
        return [*shown, *parts] if "hide-input" in tags else [*parts, *shown]

    def _shown(self, output: Any) -> list[nodes.Node]:
        found: list[nodes.Node] = [
            nodes.literal_block(text, text.rstrip("\n"), language="text", classes=["cell-output"])
            for text in (output.text, output.shown)
            if text
        ]
        if output.html:
            found.append(nodes.raw("", f'<div class="cell-output">{output.html}</div>', format="html"))
        return found


class Eval(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [evaluated(self.rawtext, "", expression=self.text)], []


class EvalMath(SphinxRole):
    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [nodes.math(self.rawtext, self.text, evaluate=True)], []


class EvalMathBlock(SphinxDirective):
    has_content = True

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content)
        node = nodes.math_block(text, text, evaluate=True, nowrap=False, number=None, label=None, translatable=False)
        node.source, node.line = self.get_source_info()
        return [node]


class Values(SphinxTransform):
    """Puts values into the page, after its paragraphs have been translated."""

    default_priority = 25

    def apply(self, **kwargs: Any) -> None:
        if self.app.builder.name == "gettext":
            return
        for node in list(self.document.findall(evaluated)):
            node.replace_self(nodes.inline("", self._value(node["expression"]), classes=["number"]))
        for kind in (nodes.math, nodes.math_block):
            for node in list(self.document.findall(kind)):
                if node.get("evaluate"):
                    text = INSERT.sub(lambda found: self._value(found["expression"]).replace("−", "-"), node.astext())
                    node.clear()
                    node += nodes.Text(text)

    def _value(self, expression: str) -> str:
        values = self.env.current_document["cells"].values
        if expression not in values:
            raise ExtensionError(
                f"{self.env.docname}: {expression} is evaluated in the translation only; "
                "use an expression of the English page"
            )
        return str(values[expression])


class Formulas(SphinxTransform):
    """A displayed formula is the same in every language, unless words stand in it."""

    default_priority = 15

    def apply(self, **kwargs: Any) -> None:
        for node in self.document.findall(nodes.math_block):
            if r"\text" not in node.astext():
                node["translatable"] = False


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(evaluated)
    app.add_directive("code-cell", CodeCell)
    app.add_directive("evalmath", EvalMathBlock)
    app.add_role("eval", Eval())
    app.add_role("evalmath", EvalMath())
    app.add_transform(Values)
    app.add_transform(Formulas)
    app.connect("source-read", read)
    app.connect("env-get-outdated", outdated)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    app.connect("build-finished", publish)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
