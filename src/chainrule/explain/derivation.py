"""The chain rule of one number, as it is given to the user: data that prints itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainrule.errors import ArgumentError
from chainrule.explain.bibliography import bibliography, without_sources
from chainrule.explain.blocks import Block
from chainrule.explain.data import derivation_dict
from chainrule.explain.document import Document
from chainrule.explain.drawings import sketch_drawing, step_drawing
from chainrule.explain.layout import derivation_blocks
from chainrule.explain.messages import Language
from chainrule.explain.steps import DerivationData, DerivationStep, Part


@dataclass(frozen=True)
class Derivation(DerivationData, Document):
    """The chain rule written out for one number of one network.

    `value` is the number, `engine_value` the engine's, `steps` the chain in reading order. Print it, or use `show()`,
    `markdown()`, `html()`, `latex()`, `to_dict()`; in a notebook it shows itself. Every one takes `lang`.
    """

    def blocks(self) -> list[Block]:
        """The derivation as headings, texts, formulas and tables."""
        found = self.steps_blocks()
        return [*found, *bibliography(found)] if self.sources else without_sources(found)

    def steps_blocks(self) -> list[Block]:
        """The same with all citations, and without a bibliography."""
        return derivation_blocks(self)

    def drawing(self, step: int | None = None, *, lang: Language | None = None) -> str | None:
        """As SVG the network with the way of this number lit; with a number of a step (−1 is the last) what happens
        there: the window under the kernel, the winner, the branches, the neuron. None where a step has no picture."""
        if step is None:
            return sketch_drawing(self.nodes, lang or self.lang)
        if not 1 <= abs(step) <= len(self.steps):
            raise ArgumentError(f"step must be a number from 1 to {len(self.steps)}, or −1 for the last, not {step!r}")
        return step_drawing(self.steps[step - 1 if step > 0 else step], lang or self.lang)

    def to_dict(self, *, lang: Language | None = None) -> dict[str, Any]:
        """As dictionaries, lists, strings and numbers, ready for JSON."""
        return derivation_dict(self, lang or self.lang)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Derivation of {self.of} in {len(self.steps)} steps: {self.value!r}>"


__all__ = ["Derivation", "DerivationStep", "Part"]
