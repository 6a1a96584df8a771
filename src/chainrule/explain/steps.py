"""A derivation as plain data: steps from the loss down to the asked number. Renderers take this and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from chainrule.explain.messages import Language, Message
from chainrule.explain.setting import Setting
from chainrule.explain.sketches import Sketch
from chainrule.explain.terms import Formula, Place, Table, Term
from chainrule.expressions import Expr

Level = Literal["short", "full"]
StepKind = Literal["loss", "gradient", "parameter", "update", "value"]


@dataclass(frozen=True)
class Part:
    """One share of a number: what comes through one consumer, or on one path. An `alternative` is another way to the
    same number and is not added. `because` is why the rule is what it is.

    Of a sum the largest terms are kept, in their order; `rest_count` terms are left out, which add up to `rest_total`
    and whose sizes add up to `rest_size`. What is no sum has an `expression` instead of terms.
    """

    node: str
    layer: str
    formula: Formula
    total: float
    letters: tuple[tuple[str, str], ...] = ()
    label: Message | None = None
    because: Message | None = None
    terms: tuple[Term, ...] = ()
    count: int = 0
    rest_count: int = 0
    rest_total: float = 0.0
    rest_size: float = 0.0
    expression: Expr | None = None
    notes: tuple[Message, ...] = ()
    tables: tuple[Table, ...] = ()
    alternative: bool = False
    size: float = 0.0
    """The sum of the sizes of all terms: what rounding errors are measured against."""


@dataclass(frozen=True)
class DerivationStep:
    """One number: how it is written, its parts, its result, and what the engine has for it (None: nothing)."""

    kind: StepKind
    number: int
    place: Place | None
    symbol: Expr
    title: Message
    parts: tuple[Part, ...]
    result: float
    engine_value: float | None
    notes: tuple[Message, ...] = ()

    @property
    def deviation(self) -> float:
        """|result - engine's number|, relative to the larger of that number and the sum of the terms' sizes."""
        if self.engine_value is None:
            return 0.0
        difference = abs(self.result - self.engine_value)
        return difference / self.scale if difference else 0.0

    @property
    def scale(self) -> float:
        """What rounding errors are measured against."""
        return max(abs(self.engine_value or 0.0), sum(part.size for part in self.parts), 1e-300)


NEAR = 0.1
"""How far, in shares of the prediction, the loss may stray from the line."""


@dataclass(frozen=True)
class Nudge:
    """One number raised by `step`: the loss before and after, beside what the gradient says."""

    start: float
    step: float
    before: float
    after: float
    gradient: float

    @property
    def change(self) -> float:
        """By how much the loss changes."""
        return self.after - self.before

    @property
    def predicted(self) -> float:
        """By how much the gradient says that it changes."""
        return self.gradient * self.step

    @property
    def near(self) -> bool:
        """Whether the loss is still nearly a straight line here."""
        return abs(self.change - self.predicted) <= NEAR * abs(self.predicted)


@dataclass(frozen=True)
class DerivationData:
    """The chain rule written out for one number of one network: `value` is the number, `engine_value` the engine's,
    `steps` the chain in reading order, `nudge` a check that anyone can do, `nodes` the network with its way
    lit. `sources` cites the teaching texts; `level` says whether a step is one line or told in full."""

    of: str
    place: Place
    value: float
    engine_value: float
    steps: tuple[DerivationStep, ...]
    network: str
    engine: str
    sample: int | None
    samples: int
    route: tuple[str, ...]
    chain: Expr | None
    notes: tuple[Message, ...]
    lang: Language = "en"
    digits: int = 6
    sources: bool = False
    level: Level = "full"
    nudge: Nudge | None = None
    nodes: tuple[Sketch, ...] = ()
    setting: Setting | None = field(default=None, repr=False, compare=False)
    """What was asked about, for those who go on from here; nothing is written from it."""

    def step_of(self, place: Place) -> int | None:
        """The number of the step that derives what lives at a place."""
        return next((step.number for step in self.steps if step.place == place and step.kind != "update"), None)
