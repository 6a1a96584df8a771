"""The question `text`: the derivation as a page of text, which needs neither script nor pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.explain.api import derive
from chainrule.explain.asking import place_text
from chainrule.explorer.questions.asking import Question
from chainrule.explorer.questions.tour import asked_goal

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration


def text(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "text", "lang"?, "sample"?, "of"?} -> {"of", "html"}: the derivation of where the tour ends, as `explain`
    writes it for a notebook: one <div class="chainrule"> with MathML and its own style."""
    view, place = asked_goal(exploration, asked)
    traced = view.traced
    told = derive(
        traced.net,
        traced.data.x,
        traced.data.targets,
        traced.loss,
        place_text(place),
        sample=view.row if place.is_node else None,
        training=traced.training,
        lang=asked.lang,
    )
    return {"of": told.of, "html": told.html(page=False)}
