"""What is printed and written in the same ways: a derivation, and a story that holds several."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from chainrule.explain import html, latex, markdown, terminal
from chainrule.explain.blocks import Drawing
from chainrule.explain.messages import Language

if TYPE_CHECKING:
    from chainrule.explain.blocks import Block, Said


class Document(ABC):
    """Blocks in a language, with numbers in `digits` significant digits; every way of writing them accepts another
    `lang`."""

    lang: Language
    digits: int

    @abstractmethod
    def blocks(self) -> list[Block]:
        """Headings, texts, formulas and tables."""

    def _words(self) -> list[Said]:
        """What can be said without pictures."""
        return [block for block in self.blocks() if not isinstance(block, Drawing)]

    def text(self, *, lang: Language | None = None, width: int = 80) -> str:
        """As plain text of at most `width` columns (of at least 40, which numbers need)."""
        return terminal.plain(self._words(), lang or self.lang, self.digits, width)

    def show(self, *, lang: Language | None = None) -> None:
        """Print to the terminal, in colour where it has any."""
        terminal.show(self._words(), lang or self.lang, self.digits)

    def markdown(self, *, lang: Language | None = None) -> str:
        """As Markdown with LaTeX between dollar signs."""
        return markdown.markdown(self._words(), lang or self.lang, self.digits)

    def latex(self, *, lang: Language | None = None, page: bool = True) -> str:
        """As LaTeX: a whole document, or a part to put into one that loads amsmath."""
        return latex.latex(self._words(), lang or self.lang, self.digits, page=page)

    def html(self, *, lang: Language | None = None, page: bool = True) -> str:
        """As HTML with MathML: a whole page, or a part to put into one."""
        return html.html(self.blocks(), lang or self.lang, self.digits, page=page)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html(page=False)

    def _repr_markdown_(self) -> str:
        return self.markdown()
