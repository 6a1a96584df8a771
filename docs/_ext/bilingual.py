"""What makes one site of two languages: pages that exist twice, the switch between them, search in Chinese."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search import SearchLanguage, languages
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import extract_messages

DOCS = Path(__file__).resolve().parent.parent
PAIRS = {f"reference/{name}": name for name in ("equations", "errata", "coverage", "vectors", "torch", "glossary")}
PAIRS["guide/export"] = "interchange"
"""Pages of the site whose two languages are files of their own, `docs/NAME.md` and `docs/NAME.zh-CN.md`."""

WIDE = "[\u2014\u2018-\u201d\u2026\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
BREAK = re.compile(f"(?<={WIDE})\n(?={WIDE})")


def read_pair(app: Sphinx, docname: str, content: list[str]) -> None:
    """The text of such a page, with links that hold inside the site."""
    if docname not in PAIRS:
        return
    ending = ".zh-CN.md" if app.config.language.startswith("zh") else ".md"
    path = DOCS / f"{PAIRS[docname]}{ending}"
    app.env.note_dependency(str(path))
    content[0] = rewritten(path.read_text(encoding="utf-8"), docname)


def rewritten(text: str, docname: str) -> str:
    """Without the link to the other language, which the site has; links to files outside docs become their names."""
    text = re.sub(r"^\[(?:中文|English)\]\([\w.-]+\)\n", "", text, count=1, flags=re.MULTILINE)
    return re.sub(r"\[([^\]\n]*)\]\(([^)#\s]+)(#[^)\s]*)?\)", lambda link: _link(link, docname), text)


def _link(link: re.Match[str], docname: str) -> str:
    label, target, anchor = link[1], link[2], link[3] or ""
    name = target.removesuffix(".md").removesuffix(".zh-CN")
    for page, file in PAIRS.items():
        if file == name:
            up = "" if page.split("/")[0] == docname.split("/")[0] else "../" + page.split("/")[0] + "/"
            return f"[{label}]({up}{page.split('/')[1]}.md{anchor})"
    if "://" in target:
        return link[0]
    return label


class Headings(SphinxTransform):
    """A table without words in its head has none; a single empty cell there gets a name for screen readers."""

    default_priority = 30

    def apply(self, **kwargs: Any) -> None:
        for head in list(self.document.findall(nodes.thead)):
            cells = list(head.findall(nodes.entry))
            empty = [cell for cell in cells if not cell.astext().strip()]
            if len(empty) == len(cells):
                head.parent.remove(head)
                continue
            for cell in empty:
                name = "名称" if self.config.language.startswith("zh") else "name"
                cell.clear()
                cell += nodes.paragraph("", "", nodes.inline("", name, classes=["sr-only"]))


class Lines(SphinxTransform):
    """The end of a source line is a space in English, and nothing between two Chinese characters."""

    default_priority = 30

    def apply(self, **kwargs: Any) -> None:
        if self.config.language.startswith("zh"):
            for parent in list(self.document.findall(nodes.TextElement)):
                if not isinstance(parent, (nodes.FixedTextElement, nodes.raw, nodes.literal)):
                    for at, child in enumerate(parent.children):
                        if isinstance(child, nodes.Text):
                            parent.children[at] = self._joined(child, parent.children[at - 1] if at else None, parent)

    def _joined(self, text: nodes.Text, before: nodes.Node | None, parent: nodes.Element) -> nodes.Text:
        joined = BREAK.sub("", text)
        if isinstance(before, (nodes.strong, nodes.emphasis)) and before.astext()[-1] in "。：；，？！":
            joined = joined.lstrip(" ")  # Markdown needs the space, Chinese does not
        if joined == text:
            return text
        new = nodes.Text(joined)
        new.parent = parent
        return new


class Bigrams(SearchLanguage):
    """Chinese text is found by pairs of neighbouring characters, so that no dictionary decides where words end.

    A query is cut the same way (`js_splitter_code`), at particles first: what is found holds every pair of it.
    """

    lang = "zh"
    language_name = "Chinese"
    js_splitter_code = """
function splitQuery(query) {
  const words = query.match(/[\\p{Script=Latin}\\p{Script=Greek}\\d_.]+/gu) || [];
  const terms = words.map((word) => word.toLowerCase());
  for (const run of query.match(/\\p{Script=Han}+/gu) || []) {
    for (const part of run.split(/[的了是在和与或把被]/u)) {
      if (part.length === 1 && run.length < 4) terms.push(part);
      for (let at = 0; at + 1 < part.length; at++) terms.push(part.slice(at, at + 2));
    }
  }
  return terms;
}
"""
    _words = re.compile(r"[A-Za-z0-9_.\u0370-\u03ff]+")
    _runs = re.compile(r"[\u4e00-\u9fff]+")

    def split(self, input: str) -> list[str]:
        terms = [word.strip(".") for word in self._words.findall(input)]
        for run in self._runs.findall(input):
            terms += [*run, *(run[at : at + 2] for at in range(len(run) - 1))]
        return terms

    def word_filter(self, stemmed_word: str) -> bool:
        return bool(stemmed_word)

    def stem(self, word: str) -> str:
        return word.lower()


def switch(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """What the templates need for the link to the same page in the other language."""
    chinese = app.config.language.startswith("zh")
    depth = "../" * (pagename.count("/") + 1)
    context["other_language"] = {
        "url": f"{depth}{'en' if chinese else 'zh'}/{pagename}.html",
        "label": "English" if chinese else "中文",
        "code": "en" if chinese else "zh-CN",
    }
    context["chinese"] = chinese


def note_messages(app: Sphinx, doctree: Any, docname: str) -> None:
    """The messages of a page in their order, for scripts/translations.py."""
    if app.builder.name == "gettext":
        pairs = [(type(node).__name__, text) for node, text in extract_messages(doctree)]
        known(app.env)[docname] = pairs


def known(env: Any) -> dict[str, list[tuple[str, str]]]:
    """The messages of all pages, kept between builds."""
    if not hasattr(env, "messages"):
        env.messages = {}
    return env.messages  # type: ignore[no-any-return]


def write_messages(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.name == "gettext":
        pages = {name: pairs for name, pairs in known(app.env).items() if name in app.env.found_docs}
        (Path(app.outdir) / "messages.json").write_text(json.dumps(pages, ensure_ascii=False), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    languages["zh"] = Bigrams
    languages["zh_CN"] = Bigrams
    app.add_transform(Headings)
    app.add_transform(Lines)
    app.connect("source-read", read_pair, priority=400)
    app.connect("html-page-context", switch)
    app.connect("doctree-read", lambda app, doctree: note_messages(app, doctree, app.env.docname))
    app.connect("build-finished", write_messages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
