"""What a page is made of: headings, texts, formulas, sums, maps and lists. Derivations and stories become blocks in
`layout`; each renderer knows how to draw these, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from chainrule.explain.messages import Language, Message
from chainrule.explain.terms import Table
from chainrule.expressions import Expr, Num

Inline: TypeAlias = str | float | int | Expr | Message
"""What may stand in a text or in a cell of a list."""


@dataclass(frozen=True)
class Heading:
    """A heading of level 1, 2 or 3."""

    text: Message
    level: Literal[1, 2, 3] = 2


@dataclass(frozen=True)
class Text:
    """A paragraph; "note" is said more quietly, "detail" belongs to the formula above."""

    text: Message
    style: Literal["plain", "note", "detail", "good"] = "plain"


@dataclass(frozen=True)
class Reason:
    """Why the rule that follows is what it is, with a label in front."""

    label: Message
    text: Message


@dataclass(frozen=True)
class Equations:
    """Formulas under one another, with a label in front and the sources after them."""

    label: Message
    lines: tuple[Expr, ...]
    sources: tuple[str, ...] = ()
    step: int | None = None


@dataclass(frozen=True)
class Row:
    """One term of a sum: in letters, in numbers, its value, and the step that derives what it takes."""

    symbols: Expr
    numbers: Expr | None
    value: float
    step: int | None = None

    @property
    def is_number(self) -> bool:
        """Whether the term is nothing but its number."""
        return self.numbers is None and isinstance(self.symbols, Num) and self.symbols.value == self.value


@dataclass(frozen=True)
class Rest:
    """The terms that are left out: how many, what share of the sum they are, and what they add up to."""

    message: Message
    total: float


@dataclass(frozen=True)
class SumRows:
    """left = the sum of the rows and of what is left out = total. Rows have `digits` where the total needs more."""

    label: Message
    left: Expr
    rows: tuple[Row, ...]
    total: float
    rest: Rest | None = None
    digits: int | None = None


@dataclass(frozen=True)
class Grid:
    """A small map of numbers."""

    table: Table


@dataclass(frozen=True)
class Listing:
    """A list with columns: printed numbers beside ours."""

    title: Message
    columns: tuple[Message, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Drawing:
    """A picture, for pages that can show one; what is only words and numbers does without."""

    svg: Callable[[Language], str | None]


Said: TypeAlias = Heading | Text | Reason | Equations | SumRows | Grid | Listing
Block: TypeAlias = Said | Drawing
