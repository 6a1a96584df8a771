"""Which drawing a step has: decided by what its parts are made of."""

from __future__ import annotations

from collections.abc import Callable

from chainrule.explain.drawings.canvas import Box, above, svg
from chainrule.explain.drawings.neurons import branch, neuron
from chainrule.explain.drawings.texts import Speaker, matrix, plain
from chainrule.explain.drawings.windows import met, pooled, slid
from chainrule.explain.messages import Language, say
from chainrule.explain.notations import to_text
from chainrule.explain.steps import DerivationStep, Part
from chainrule.explain.terms import Term

_WINDOWS: dict[str, tuple[str, Callable[[Part, Speaker], Box]]] = {
    "slid": ("drawing_slide", slid),
    "delta": ("drawing_meet", met),
    "window": ("drawing_window", pooled),
}
"""By the role of a table: what is drawn, and how."""

Picture = tuple[str, Box, str]
"""(key of its name, the picture, its description)."""


def step_drawing(step: DerivationStep, lang: Language = "en", *, styled: bool = True) -> str | None:
    """The SVG of a step; None where it has nothing to draw. `styled`: with its own style, for a file of its own."""
    speaker = Speaker(lang)
    found = _pictures(step, speaker)
    if not found:
        return None
    kinds = dict.fromkeys(speaker(say(key)) for key, _, _ in found)
    title = say("drawing_title", title=step.title, kind=("，" if lang == "zh" else ", ").join(kinds))
    return svg(
        above(*(box for _, box, _ in found), gap=24), speaker(title), " ".join(t for _, _, t in found), lang, styled
    )


def _pictures(step: DerivationStep, speaker: Speaker) -> list[Picture]:
    parts = [part for part in step.parts if not part.alternative]
    found = []
    if step.kind == "gradient" and len({part.node for part in parts}) > 1:
        shares = "，" if speaker.lang == "zh" else ", "
        told = say("drawing_branch_told", place=_place(step), count=len({p.node for p in parts}), total=step.result,
                   shares=shares.join(f"{p.node} {plain(p.total)}" for p in parts))  # fmt: skip
        found.append(("drawing_branch", branch(step, speaker), speaker(told)))
    for part in parts:
        for table in part.tables:
            if table.role in _WINDOWS:
                key, draw = _WINDOWS[table.role]
                key = "drawing_winner" if "winner" in table.kinds else key
                found.append((key, draw(part, speaker), _heard(part, speaker)))
    if not found and _joined(parts):
        lines = "; ".join(f"{to_text(t.symbols)} = {plain(t.value)}" for part in parts for t in part.terms)
        told = say("drawing_neuron_told", terms=lines, total=step.result)
        found.append(("drawing_neuron", neuron(step, speaker), speaker(told)))
    return found


def _place(step: DerivationStep) -> str:
    return "" if step.place is None else f"{step.place.name}[{','.join(map(str, step.place.index[1:]))}]"


def _heard(part: Part, speaker: Speaker) -> str:
    """The tables of a part in words."""
    return " ".join(speaker(say("drawing_table", title=table.title, numbers=matrix(table))) for table in part.tables)


def _joined(parts: list[Part]) -> bool:
    """Whether the parts are a weighted sum: numbers of nodes times parameters or times numbers of other nodes."""
    return (
        any(part.terms for part in parts)
        and all(_is_weighted(term) for part in parts for term in part.terms)
        and any(len(term.factors) == 2 for part in parts for term in part.terms)
    )


def _is_weighted(term: Term) -> bool:
    places = [factor.place for factor in term.factors]
    return all(place is not None for place in places) and 1 <= len(places) <= 2
