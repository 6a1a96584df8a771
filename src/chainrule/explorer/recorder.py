"""Which questions a static file answers: what frames the page in any case, then the maps, the tour, and every number's
step, the numbers of largest influence first, until the file is full."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import ArgumentError
from chainrule.explorer.questions.arrays import PAGE, array_dict
from chainrule.explorer.recording import Answer, Question, Recording

Ask = Callable[[Question], Answer]
LANGUAGES = ("en", "zh")
SHARE_OF_MAPS = 0.6
"""Of the budget; the rest is left for steps."""
MOST_NUDGED = 100
"""Numbers of a network that are nudged in advance; each costs some forty passes."""


def record(ask: Ask, samples: Sequence[int], budget: int) -> Recording:
    """The answers of an exploration that fit: all of the first sample, then of the others while there is room.

    Raises ArgumentError where the exploration refuses (a network that is too large, numbers that are not finite)."""
    recording = Recording(budget, samples[0])
    told: list[OneSample] = []
    for sample in samples:
        if not told or (told[-1].complete and recording.has_room(0.9)):
            told.append(OneSample(ask, sample, recording))
            told[-1].keep()
    for one in told:
        one.keep_frame(len(told) > 1, {lang: _holds(told, len(samples), lang) for lang in LANGUAGES})
    return recording


def must(ask: Ask, question: Question) -> Answer:
    """An answer that a file cannot do without."""
    answer = ask(question)
    if not answer["ok"]:
        raise ArgumentError(answer["error"]["text"]["en"].rstrip("."))
    return answer


@dataclass
class OneSample:
    """What a file holds of one sample."""

    ask: Ask
    sample: int
    recording: Recording
    places: int = 0
    told: int = 0
    tensors: int = 0
    held: int = 0
    _influence: dict[str, Array] = field(default_factory=dict)
    """The size of the gradient of every number, by the name of its node or parameter."""

    def __post_init__(self) -> None:
        self.overview = {lang: self._must({"ask": "overview", "lang": lang}) for lang in LANGUAGES}
        self.nodes: list[dict[str, Any]] = self.overview["en"]["nodes"]

    @property
    def complete(self) -> bool:
        """Whether everything that a reader can click is there."""
        return self.told == self.places and self.held == self.tensors

    def keep(self) -> None:
        """Tour, maps and steps, as far as there is room."""
        tours = [self._keep({"ask": "tour", "lang": lang}) for lang in LANGUAGES]
        self._keep_arrays()
        for place in self._places(tours[0]["stops"]):
            if not self.recording.has_room():
                break
            self._keep_step(place)
        if self.complete and self.places <= MOST_NUDGED:
            self._keep_nudges()

    def keep_frame(self, others: bool, holds: dict[str, str]) -> None:
        """The overview, with what the file holds as its last note, and without what a file cannot do: to change
        something, and to choose other samples where it holds none."""
        for lang, overview in self.overview.items():
            capabilities = dict.fromkeys(overview["capabilities"], False)
            samples = overview["samples"] if others else 1
            framed = {
                **overview,
                "samples": samples,
                "capabilities": capabilities,
                "notes": [*overview["notes"], holds[lang]],
            }
            self.recording.add({"ask": "overview", "sample": self.sample, "lang": lang}, framed)

    def _must(self, question: Question) -> Answer:
        return must(self.ask, {**question, "sample": self.sample})

    def _keep(self, question: Question) -> Answer:
        answer = self._must(question)
        self.recording.add({**question, "sample": self.sample}, answer)
        return answer

    def _keep_step(self, place: dict[str, Any]) -> None:
        """The step in both languages. The gradients of parameters belong to a sample, too."""
        own = {"sample": self.sample} if place["quantity"] == "parameter" else {}
        for lang in LANGUAGES:
            question = {"ask": "step", "place": place, "lang": lang, **own}
            if question in self.recording:
                return
            self.recording.add(question, must(self.ask, question))
        self.told += 1

    def _keep_nudges(self) -> None:
        """Of every number how the loss follows it, as far as there is room. Those that cannot be nudged are refused."""
        for quantity, name in self._tensors():
            for place in self._ranked(quantity, name) if quantity != "value" else ():
                own = {"sample": self.sample} if quantity == "parameter" else {}
                question = {"ask": "nudge", "place": place, **own}
                if self.recording.has_room() and (answer := self.ask(question))["ok"]:
                    self.recording.add(question, answer)

    # --- maps --------------------------------------------------------------------------------------------------

    def _keep_arrays(self) -> None:
        """Values and gradients of the nodes, then of the parameters, small ones first within each."""
        nodes = {node["name"]: tuple(node["shape"]) for node in self.nodes}
        parameters = {p["name"]: tuple(p["shape"]) for node in self.nodes for p in node["parameters"]}
        for shapes in (nodes, parameters):
            for name in sorted(shapes, key=lambda name: math.prod(shapes[name])):
                for quantity in ("gradient", "value"):
                    self._keep_array({"ask": "array", "name": name, "quantity": quantity}, shapes[name])

    def _keep_array(self, question: Question, shape: tuple[int, ...]) -> None:
        answer, array = self._whole(question, shape)
        if question["quantity"] == "gradient":
            self._influence[question["name"]] = np.abs(array)
        self.tensors += 1
        if self.recording.has_room(SHARE_OF_MAPS):
            self.recording.add({**question, "sample": self.sample}, answer)
            self.held += 1

    def _whole(self, question: Question, shape: tuple[int, ...]) -> tuple[Answer, Array]:
        """All numbers of a node or a parameter in one answer, asked for in pages."""
        found = np.empty(shape or (1,))
        for page, part in _pages(found.shape):
            answer = self._must({**question, **page})
            found[part] = np.frombuffer(base64.b64decode(answer["array"]["data"]), "<f8").reshape(found[part].shape)
        spans = [[0, extent] for extent in found.shape[1:][-2:]]
        rows, columns = [None, None, *spans][-2:]
        return {**answer, "array": array_dict(found), "rows": rows, "columns": columns}, found

    # --- steps -------------------------------------------------------------------------------------------------

    def _places(self, stops: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The stops of the tour, the loss, then of all tensors in turn the number of largest gradient, the next, ..."""
        tensors = self._tensors()
        self.places = sum(self._influence[name].size for _, name in tensors) + 1
        yield from (stop["place"] for stop in stops)
        yield self.overview["en"]["loss"]["place"]
        ranked = [self._ranked(quantity, name) for quantity, name in tensors]
        for row in zip_longest(*ranked):
            yield from (place for place in row if place is not None)

    def _tensors(self) -> list[tuple[str, str]]:
        """(quantity, name) of everything whose numbers have a step."""
        names = [node["name"] for node in self.nodes]
        parameters = list(dict.fromkeys(p["name"] for node in self.nodes for p in node["parameters"]))
        return [("gradient", n) for n in names] + [("value", n) for n in names] + [("parameter", n) for n in parameters]

    def _ranked(self, quantity: str, name: str) -> Iterator[dict[str, Any]]:
        influence = self._influence[name]
        for flat in np.argsort(-influence, axis=None, kind="stable").tolist():
            index = [int(i) for i in np.unravel_index(flat, influence.shape)]
            own = index if quantity == "parameter" else [self.sample, *index]
            yield {"quantity": quantity, "name": name, "index": own}


def _pages(shape: tuple[int, ...]) -> Iterator[tuple[dict[str, Any], tuple[Any, ...]]]:
    """A tensor in pieces that one answer holds: what a question says of each, and where it lies in the tensor."""
    each = max(1, math.prod(shape[1:]))
    if each <= PAGE:
        count = PAGE // each
        for first in range(0, shape[0], count):
            size = min(count, shape[0] - first)
            yield {"first": first, "count": size}, (slice(first, first + size),)
        return
    rows, columns = (shape[-2], shape[-1]) if len(shape) > 2 else (1, shape[-1])
    deep = each // (rows * columns)
    width = min(columns, PAGE // deep)
    height = max(1, PAGE // (deep * width))
    for first in range(shape[0]):
        for top in range(0, rows, height):
            for left in range(0, columns, width):
                low, high = (top, min(top + height, rows)), (left, min(left + width, columns))
                page = {"first": first, "count": 1, "columns": list(high)}
                part: tuple[Any, ...] = (slice(first, first + 1), ..., slice(*high))
                if len(shape) > 2:
                    page, part = {**page, "rows": list(low)}, (slice(first, first + 1), ..., slice(*low), slice(*high))
                yield page, part


def _holds(told: list[OneSample], samples: int, lang: str) -> str:
    """What a file holds, in a sentence."""
    first = told[0]
    if all(one.complete for one in told) and len(told) == samples:
        if lang == "zh":
            return "这个文件包含该网络的每一个数及其步骤。"
        return "This file holds every number of this network, with its step."
    if lang == "zh":
        maps = "全部图" if first.held == first.tensors else f"{first.tensors} 组图中的 {first.held} 组"
        return (
            f"这个文件包含 {samples} 个样本中的 {len(told)} 个：导览、{maps}，以及 {first.places:,} 个数中 "
            f"{first.told:,} 个数的步骤（梯度最大的优先）。运行 chainrule explore 可以查看全部。"
        )
    maps = "all maps" if first.held == first.tensors else f"{first.held} of {first.tensors} sets of maps"
    return (
        f"This file holds {len(told)} of {samples} sample{'s' if samples > 1 else ''}: the tour, {maps}, and the "
        f"steps of {first.told:,} of {first.places:,} numbers, those of the largest gradients. A running explorer "
        "(chainrule explore) tells all of them."
    )
