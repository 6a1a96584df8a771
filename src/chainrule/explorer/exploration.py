"""One exploration: a copy of a network, its samples and loss, and answers to questions about them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, as_batch, to_floats
from chainrule.data.preparation import Preparation, assumed
from chainrule.errors import ArgumentError, ChainruleError, NonFiniteError, shown
from chainrule.explain.tracing import TracedPass
from chainrule.explorer.questions import QUESTIONS
from chainrule.explorer.questions.asking import Question, quoted
from chainrule.explorer.questions.refusals import QuestionError, non_finite
from chainrule.explorer.views import Subject, Values, View
from chainrule.losses import Loss, default_loss
from chainrule.metrics import checked_class_names
from chainrule.network import Network
from chainrule.training import check_targets

MOST_PARAMETERS = 1_000_000
MOST_NUMBERS = 4_000_000
"""Numbers in the nodes of one traced pass."""
MOST_TOGETHER = 64
"""Samples that are traced together."""
MOST_DRAWN = 8
"""Samples that a reader draws; the oldest gives way."""
KEPT, SMALL = 4, 1_000_000
"""Traced passes that are kept; of networks with more numbers than `SMALL`, two: enough to compare two samples."""


class Exploration:
    """Answers questions (dictionaries) about a network at its samples with dictionaries that JSON can hold.

    The network that is given is never changed: questions that change something change a copy. `state` counts changes;
    what was answered under an older one no longer holds. Each sample is a batch of its own, as for
    `chainrule explain`, unless `together` makes all of them one batch, whose samples then share the loss.

    Without `loss` it is the network's own, else the one that `net.evaluate` would take. Raises what
    `net.trace` raises for samples or targets that do not fit; a network that is too large or computes NaN is refused
    with each answer.
    """

    def __init__(
        self,
        net: Network,
        x: ArrayLike,
        targets: ArrayLike,
        *,
        loss: Loss | None = None,
        training: bool = False,
        together: bool = False,
        learned_from: tuple[ArrayLike, ArrayLike] | None = None,
        class_names: Iterable[str] | None = None,
        goals: Sequence[str] = (),
        title: str = "",
        save: bool = False,
    ) -> None:
        batch, given = as_batch(x, net.input_shape, check=False), as_array(targets, "targets")
        judge = loss or net.loss or default_loss(given)
        check_targets(net, judge, len(batch), given)
        if together and len(batch) > MOST_TOGETHER:
            raise ArgumentError(f"at most {MOST_TOGETHER} samples can be explored together, not {len(batch)}")
        names = net.class_names if class_names is None else checked_class_names(class_names, net.output_shape)
        learned = None
        if learned_from is not None:
            learned = as_batch(learned_from[0], net.input_shape), as_array(learned_from[1], "targets")
            check_targets(net, judge, len(learned[0]), learned[1])
        self.save = save
        """Whether what was changed may be written to a file, which a host does."""
        self.state = 0
        self.start(Subject(net, batch, given, judge, training, together, learned, names, tuple(goals), (title, title)))

    # --- questions ---------------------------------------------------------------------------------------------

    def answer(self, question: object) -> dict[str, Any]:
        """{"ok": true, "state": ..., ...}, or {"ok": false, "error": {"kind", "text": {"en", "zh"}}}; never raises."""
        try:
            asked = Question(question)
            if asked.name not in QUESTIONS:
                raise QuestionError("unknown", name=quoted(asked.name), known=", ".join(QUESTIONS))
            found = QUESTIONS[asked.name](self, asked)
            return {"ok": True, "state": self.state, **found}
        except QuestionError as refused:
            error = refused.to_dict()
        except NonFiniteError as failed:
            error = non_finite(failed).to_dict()
        except ChainruleError as failed:
            error = QuestionError("error", detail=_clause(failed)).to_dict()
        except Exception as failed:  # a layer of the user's own may raise anything
            error = QuestionError("internal", detail=shown(f"{type(failed).__name__}: {failed}", 300)).to_dict()
        return {"ok": False, "state": self.state, "error": error}

    # --- what is explored --------------------------------------------------------------------------------------

    def start(self, subject: Subject) -> None:
        """Explore this, as it is before any change."""
        self.subject = subject
        self.reset()

    def reset(self) -> None:
        """Weights, samples and the chosen sample as at the start."""
        self.restore_weights()
        self.current = self.subject.first
        self._edited: dict[int, Array] = {}
        self._drawn: list[tuple[Array, Array]] = []
        self.changed()

    def restore_weights(self) -> None:
        """Weights as at the start; samples stay as they are."""
        self.net: Network = copy(self.subject.net)
        self.trained = 0
        self.changed()

    def restore_pixels(self, number: int) -> None:
        """One sample as it came."""
        self._edited.pop(number, None)
        self.changed()

    def values(self) -> Values:
        """All that `set` and `train` change, for `restore`."""
        return Values(self.net.parameters.copy(), self.net.buffers.copy(), dict(self._edited))

    def restore(self, kept: Values) -> None:
        """Everything as it was when `values` was asked for."""
        self.net = self.net.with_values(kept.parameters, kept.buffers)
        self._edited = kept.edited
        self.changed()

    def changed(self) -> None:
        """Forget what was computed: something is different now."""
        self.state += 1
        self._passes: OrderedDict[int, TracedPass] = OrderedDict()
        self.remembered: dict[object, Any] = {}
        """What questions keep for the next ones, until something changes."""

    @property
    def samples(self) -> int:
        """How many samples there are, with those that were drawn."""
        return len(self.subject.x) + len(self._drawn)

    @property
    def drawn(self) -> int:
        """How many of them were drawn; they come last."""
        return len(self._drawn)

    @property
    def preparation(self) -> Preparation:
        """How pictures become samples."""
        return self.subject.net.preparation or assumed(self.net.input_shape)

    def sample(self, number: int) -> Array:
        """One sample as it is now, in float64: the network's input."""
        if number in self._edited:
            return self._edited[number]
        given = len(self.subject.x)
        own: Array = self.subject.x[number] if number < given else self._drawn[number - given][0]
        floats: Array = to_floats(own[None], np.dtype(np.float64))[0]
        return floats

    def target(self, number: int) -> Array:
        """The target of one sample, as a batch of one."""
        given = len(self.subject.targets)
        own: Array = self.subject.targets[number : number + 1] if number < given else self._drawn[number - given][1]
        return own

    def lessons(self) -> tuple[Array, Array]:
        """The samples and targets that `train` learns from, none of them changed or drawn."""
        return self.subject.learned_from or (self.subject.x, self.subject.targets)

    def edit(self, number: int, sample: Array) -> None:
        """Put another sample in the place of one."""
        self._edited[number] = sample

    def add_drawn(self, sample: Array, target: Array) -> int:
        """Add a sample and return its number. Of many that were drawn the oldest gives way."""
        if len(self._drawn) == MOST_DRAWN:
            first = len(self.subject.x)
            del self._drawn[0]
            moved = {k - (k > first): own for k, own in self._edited.items() if k != first}
            self._edited = moved
        self._drawn.append((sample, target))
        return self.samples - 1

    # --- traced passes -----------------------------------------------------------------------------------------

    def chosen(self, asked: Question) -> int:
        """The sample that a question is about: the current one unless it says so."""
        return self.checked_sample(asked.get("sample")) if asked.has("sample") else self.current

    def checked_sample(self, number: object) -> int:
        """A number of a sample that exists."""
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < self.samples:
            raise QuestionError("sample", sample=quoted(number), last=self.samples - 1)
        return number

    def view(self, asked: Question) -> View:
        """The traced pass of the sample that a question is about."""
        return self.view_of(self.chosen(asked))

    def view_of(self, sample: int) -> View:
        """The traced pass of a sample: with all others where they are explored together, else of it alone."""
        together = self.subject.together and sample < len(self.subject.x)
        key = -1 if together else sample
        if key not in self._passes:
            self.require_small()
            self._passes[key] = self._traced(range(len(self.subject.x)) if together else [sample])
            while len(self._passes) > (KEPT if self.net.value_count < SMALL else 2):
                self._passes.popitem(last=False)
        self._passes.move_to_end(key)
        return View(self._passes[key], sample if together else 0, sample)

    def _traced(self, numbers: Sequence[int]) -> TracedPass:
        x = np.stack([self.sample(number) for number in numbers])
        targets = np.concatenate([self.target(number) for number in numbers])
        return TracedPass.of(self.net, x, targets, self.subject.loss, training=self.subject.training)

    def require_small(self) -> None:
        """Refuse a network that is too large to be shown."""
        count = sum(array.size for array in self.net.parameters.values())
        if count > MOST_PARAMETERS:
            raise QuestionError("large_network", count=f"{count:,}", most=f"{MOST_PARAMETERS:,}")
        numbers = self.net.value_count * (len(self.subject.x) if self.subject.together else 1)
        if numbers > MOST_NUMBERS:
            raise QuestionError("large_maps", count=f"{numbers:,}", most=f"{MOST_NUMBERS:,}")


def _clause(error: Exception) -> str:
    """What an error says, to stand in a sentence."""
    return str(error).rstrip(".")


__all__ = ["Exploration", "Subject", "View"]
