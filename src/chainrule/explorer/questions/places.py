"""Places as they travel: {"quantity": "value" | "gradient" | "parameter", "name", "index"}.

Node indices begin with the number of the sample. "parameter" is the gradient of an element, as in `explain`.
The loss is a place, too: {"quantity": "value", "name": "loss", "index": [sample]}, named as `loss_name` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chainrule.explain.data import place_dict
from chainrule.explain.terms import Place, Quantity
from chainrule.explorer.questions.asking import LONGEST_NAME, index_of, one_of, unknown_name
from chainrule.explorer.questions.refusals import QuestionError, refused_form
from chainrule.explorer.views import View
from chainrule.graph import Graph
from chainrule.shapes import shape_text

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

QUANTITIES: tuple[Quantity, ...] = ("value", "gradient", "parameter")


@dataclass(frozen=True)
class Spot:
    """A place that exists, as everybody has it (None: the loss). Nothing is computed before its `view` is asked for."""

    exploration: Exploration
    sample: int
    outer: Place | None

    @property
    def view(self) -> View:
        """The traced pass of its sample."""
        return self.exploration.view_of(self.sample)

    @property
    def place(self) -> Place | None:
        """The place as that pass has it."""
        return None if self.outer is None else self.view.inner(self.outer)

    def to_dict(self) -> dict[str, Any]:
        """As it travels."""
        if self.outer is None:
            return loss_place(self.exploration.net, self.sample)
        found = place_dict(self.outer)
        assert found is not None
        return found


def loss_name(net: Graph) -> str:
    """What the loss is called among the nodes: "loss" unless a node has that name."""
    name = "loss"
    while name in net.names or name in net.parameters:
        name += "_"
    return name


def loss_place(net: Graph, sample: int) -> dict[str, Any]:
    """Where the loss lives."""
    return {"quantity": "value", "name": loss_name(net), "index": [sample]}


def outer_dict(view: View, place: Place) -> dict[str, Any]:
    """A place of a traced pass as it travels."""
    found = place_dict(view.outer(place))
    assert found is not None
    return found


def read_spot(exploration: Exploration, given: object, sample: int) -> Spot:
    """A place that anybody may have written; `sample` is the one for which a parameter has its gradient. Raises
    QuestionError where there is no number."""
    if not isinstance(given, dict):
        expected = "an object with “quantity”, “name” and “index”"
        raise refused_form("“place”", expected, "含“quantity”、“name”、“index”的对象")
    quantity = one_of("“quantity”", given.get("quantity"), QUANTITIES)
    name, index = given.get("name"), index_of(given.get("index"))
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise refused_form("“name”", "the name of a node or parameter", "节点或参数的名称")
    net = exploration.net
    if name == loss_name(net) and quantity == "value":
        if len(index) > 1:
            raise QuestionError("index", name=name, index=", ".join(map(str, index)), shape="1")
        return Spot(exploration, exploration.checked_sample(index[0] if index else sample), None)
    if name in net.parameters:
        return _parameter(exploration, quantity, name, index, sample)
    if name not in net.names:
        raise unknown_name(name)
    if quantity == "parameter":
        raise QuestionError("quantity", name=name, quantity=quantity)
    number = exploration.checked_sample(index[0] if index else None)
    _check_index(name, index[1:], net.shapes[net.index_of(name)])
    return Spot(exploration, number, Place("value" if quantity == "value" else "gradient", name, index))


def _parameter(exploration: Exploration, quantity: str, name: str, index: tuple[int, ...], sample: int) -> Spot:
    if quantity != "parameter":
        raise QuestionError("quantity", name=name, quantity=quantity)
    _check_index(name, index, exploration.net.parameters[name].shape)
    return Spot(exploration, sample, Place("parameter", name, index))


def _check_index(name: str, index: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if len(index) != len(shape) or any(i >= extent for i, extent in zip(index, shape, strict=True)):
        raise QuestionError("index", name=name, index=", ".join(map(str, index)), shape=shape_text(shape))
