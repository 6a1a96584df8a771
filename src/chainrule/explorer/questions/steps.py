"""The question `step`: how one number is made, thought by thought, and from which numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from chainrule.arrays import Array
from chainrule.explain.building import Share
from chainrule.explain.drawings import step_drawing
from chainrule.explain.mathml import to_mathml
from chainrule.explain.messages import LANGUAGES, Language
from chainrule.explain.notations import to_text
from chainrule.explain.steps import DerivationData, DerivationStep
from chainrule.explain.terms import Evaluation, Place, Terms, sym
from chainrule.explain.words import words
from chainrule.explorer.questions.about import about
from chainrule.explorer.questions.asking import Question
from chainrule.explorer.questions.places import Spot, read_spot
from chainrule.explorer.questions.thoughts import DIGITS, Teller, ThoughtDict
from chainrule.explorer.views import View

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

TERMS, MOST_TERMS = 25, 64
"""Terms that are listed: a window of 5x5, and at most."""
MAP, MOST_MAP = 12, 32
"""Rows and columns of a table."""
MOST_LINKS = 4096
"""Places in one group of links."""
GIVEN = (
    "This number is given, not computed: it is a part of the sample. Its gradient says how the loss follows it.",
    "这个数是给定的，不是算出来的：它是样本的一部分。它的梯度说明损失如何随它变化。",
)
GIVEN_TITLE = ("Value of {name}[{index}]", "{name}[{index}] 的值")

Role = Literal["upstream", "input", "weight", "output"]
ROLES: dict[str, Role] = {"gradient": "upstream", "value": "input", "parameter": "weight"}


class LinkDict(TypedDict):
    """Numbers that a number was made from, all of one node or parameter: "upstream" are gradients that came back,
    "input" values that a layer took, "weight" parameters, "output" the network's outputs that the loss looks at.
    `indices` and `values` have the same length, at most 4,096; `count` is how many there are in truth."""

    name: str
    quantity: str
    role: Role
    indices: list[list[int]]
    values: list[float]
    count: int


class StepDict(TypedDict):
    """`kind` is "value", "gradient", "parameter", "loss" or "given" (an input, which nothing computes). `symbol` is how
    the number is written ({"text", "mathml"}), `engine_value` what the engine has for it; the two numbers differ by
    rounding at most. `about` has a sentence for each layer whose rule is told, which for a gradient is the layer that
    it comes back through. `drawing` is explain's picture of the step as SVG, where it was asked for and there is
    one."""

    place: dict[str, Any]
    kind: str
    title: str
    about: list[str]
    symbol: dict[str, str]
    result: float
    engine_value: float
    drawing: str | None
    thoughts: list[ThoughtDict]
    links: list[LinkDict]


def step(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "step", "place", "sample"?, "lang"?, "terms"?, "map"?, "drawing"?} -> {"step": StepDict}.

    `terms` (25, at most 64) of each sum are listed, the largest ones; of a larger map `map` (12, at most 32) rows and
    columns are shown. `sample` is for places of parameters, whose gradient is that of one sample's loss; places of
    nodes name theirs."""
    lang = asked.lang
    spot = read_spot(exploration, asked.get("place"), exploration.chosen(asked))
    terms, size = asked.whole("terms", 1, MOST_TERMS, TERMS), asked.whole("map", 3, MOST_MAP, MAP)
    place = spot.place
    if place is not None and place.name == "input" and place.quantity == "value":
        return {"step": _given(exploration, spot, place, lang)}
    made, shares = spot.view.traced.step(place, terms, size)
    assert made.engine_value is not None
    found: StepDict = {
        "place": spot.to_dict(),
        "kind": made.kind,
        "title": words(made.title, lang, DIGITS),
        "about": _about(shares, lang),
        "symbol": {"text": to_text(made.symbol, DIGITS), "mathml": to_mathml(made.symbol, DIGITS)},
        "result": made.result,
        "engine_value": made.engine_value,
        "drawing": step_drawing(made, lang, styled=False) if asked.flag("drawing") else None,
        "thoughts": Teller(spot.view, lang).tell(derivation_of(spot.view, made), made),
        "links": _links(spot, shares),
    }
    return {"step": found}


def derivation_of(view: View, made: DerivationStep) -> DerivationData:
    """A derivation of nothing but one step, which is what `explain.layout` writes."""
    traced = view.traced
    place = made.place or Place("value", traced.ending.node, (view.row,))
    return DerivationData(
        of="",
        place=place,
        value=made.result,
        engine_value=made.result,
        steps=(made,),
        network="",
        engine=traced.engine,
        sample=view.row,
        samples=traced.samples,
        route=(),
        chain=None,
        notes=(),
        digits=DIGITS,
    )


def _given(exploration: Exploration, spot: Spot, place: Place, lang: Language) -> StepDict:
    value = float(spot.view.traced.trace["input"].value[place.index])
    symbol = sym("x", place, spot.view.traced.samples > 1)
    which = LANGUAGES.index(lang)
    title = GIVEN_TITLE[which].format(name=place.name, index=",".join(map(str, place.index[1:])))
    return {
        "place": spot.to_dict(),
        "kind": "given",
        "title": title,
        "about": [about(None, lang)],
        "symbol": {"text": to_text(symbol, DIGITS), "mathml": to_mathml(symbol, DIGITS)},
        "result": value,
        "engine_value": value,
        "drawing": None,
        "thoughts": Teller(spot.view, lang).given(GIVEN[which], symbol, value),
        "links": [],
    }


def _about(shares: list[Share], lang: Language) -> list[str]:
    """A sentence for each layer that the shares come through; none for the loss."""
    return list(dict.fromkeys(about(use.step.layer, lang) for use, _, _ in shares if use is not None))


def _links(spot: Spot, shares: list[Share]) -> list[LinkDict]:
    """What the shares were made from, each node and parameter once; another way to the same number adds nothing."""
    view, groups = spot.view, _Groups(spot.view)
    for use, share, alternative in shares:
        if alternative:
            continue
        if isinstance(share, Evaluation):
            for place in share.sources if use is not None else ():
                groups.add(ROLES.get(place.quantity, "input"), place.quantity, place.name, np.array([place.index]))
        else:
            _columns(groups, share, spot)
        if use is None:
            groups.add("output", "value", view.traced.ending.node, _outputs(view))
    return groups.written()


def _columns(groups: _Groups, share: Terms, spot: Spot) -> None:
    for column in share.columns:
        if column.indices is not None and column.quantity in ROLES:
            groups.add(ROLES[column.quantity], column.quantity, column.name, column.indices)
        elif column.quantity == "local" and spot.place is not None and spot.place.quantity == "gradient":
            # a local derivative is taken at the value that lives where the gradient lives
            groups.add("input", "value", spot.place.name, np.array([spot.place.index]))


def _outputs(view: View) -> Array:
    """All outputs of the sample (of the batch, where samples share the loss)."""
    shape = view.traced.ending.outputs.shape
    found: Array = np.argwhere(np.ones(shape, bool))
    return found


class _Groups:
    """Places by name, quantity and role, each once."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._found: dict[tuple[Role, str, str], list[Array]] = {}

    def add(self, role: Role, quantity: str, name: str, indices: Array) -> None:
        """Rows of `indices` are places."""
        if len(indices):
            self._found.setdefault((role, quantity, name), []).append(indices)

    def written(self) -> list[LinkDict]:
        """All groups in the order in which they were found."""
        found: list[LinkDict] = []
        for (role, quantity, name), parts in self._found.items():
            indices = np.concatenate(parts)
            if len(parts) > 1:
                _, first = np.unique(indices, axis=0, return_index=True)
                indices = indices[np.sort(first)]
            count, indices = len(indices), indices[:MOST_LINKS]
            traced = self.view.traced.trace[name]
            values = (traced.gradient if quantity == "gradient" else traced.value)[tuple(indices.T)]
            if quantity != "parameter":
                indices = indices + np.array([self.view.sample - self.view.row, *[0] * (indices.shape[1] - 1)])
            found.append(
                {
                    "name": name,
                    "quantity": quantity,
                    "role": role,
                    "indices": indices.tolist(),
                    "values": values.tolist(),
                    "count": count,
                }
            )
        return found
