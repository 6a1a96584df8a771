"""What is worth saying about a network at a sample before anything is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chainrule.explain.api import SATISFIED
from chainrule.explain.messages import Language, say
from chainrule.explain.words import words
from chainrule.explorer.views import View

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

TOGETHER = (
    "All {count} samples are one batch: the loss is that of the batch, and every sample has a part in it.",
    "全部 {count} 个样本是一个批次：损失是整个批次的损失，每个样本都参与其中。",
)


def notes_of(exploration: Exploration, view: View, lang: Language) -> list[str]:
    """Sentences about uint8 input, inference, a loss near 0, and samples that are explored together."""
    subject, traced = exploration.subject, view.traced
    found = [say("pixels")] if subject.x.dtype == np.uint8 else []
    if not subject.training and any(
        layer.couples_samples(True) != layer.couples_samples(False)
        or layer.is_identity(True) != layer.is_identity(False)
        for layer in exploration.net.layers.values()
    ):
        found.append(say("inference"))
    ending = traced.ending
    if float(np.abs(traced.trace[ending.node].gradient).max()) < SATISFIED * ending.scale:
        found.append(say("satisfied", loss=traced.trace.loss))
    notes = [words(note, lang, 6) for note in found]
    if traced.samples > 1:
        notes.append(TOGETHER[lang == "zh"].format(count=traced.samples))
    return notes
