"""The seam between Python and the core: the same records on both sides, and nothing malformed gets through."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.native import core
from chainrule.engines.native.axes import Axis
from chainrule.engines.native.compiled import Compiled
from chainrule.engines.native.engine import NativeEngine
from chainrule.engines.native.program import PlanDescription
from chainrule.engines.native.records import steps
from chainrule.engines.native.records.base import Part, Record, hints_of
from chainrule.engines.native.rules import LAYER_RULES
from chainrule.engines.native.slots import Slot
from chainrule.errors import EngineError
from chainrule.layers import LAYERS

KINDS = {
    int: "whole",
    float: "number",
    bool: "flag",
    Slot: "place",
    Axis: "axis",
    Slot | None: "optional place",
    int | None: "optional whole",
    tuple[Slot, ...]: "places",
    tuple[int, ...]: "wholes",
    tuple[float, ...]: "numbers",
    tuple[int, ...] | None: "optional wholes",
    steps.LossKind: "LossKind",
    steps.Guess: "Guess",
    steps.RawLayout: "RawLayout",
    steps.UpdateRule: "UpdateRule",
}


def plain(hint: Any) -> Any:
    """A type without what it is annotated with."""
    if hasattr(hint, "__metadata__"):
        return plain(hint.__origin__)
    if get_origin(hint) is tuple:
        return tuple[*(plain(item) for item in get_args(hint))]  # type: ignore[misc]
    if get_origin(hint) is not None and get_origin(hint) is not Literal:
        first, second = get_args(hint)
        return plain(first) | second
    return hint


def kinds(part: type[Part]) -> dict[str, str]:
    """The fields of a record as the core calls them; those of its parts among them."""
    found: dict[str, str] = {}
    for name, hint in hints_of(part).items():
        if name in ("name", "__dataclass_fields__"):
            continue
        if isinstance(hint, type) and issubclass(hint, Part):
            found |= kinds(hint)
        else:
            found[name.rstrip("_")] = KINDS[plain(hint)]
    return found


def records() -> list[type[Record]]:
    """Every record that is emitted: the leaves of the tree of classes."""
    found, waiting = [], list(Record.__subclasses__())
    while waiting:
        record = waiting.pop()
        waiting += record.__subclasses__()
        if not record.__name__.startswith(("_", "Activation")):
            found.append(record)
    return found


def test_every_layer_has_rules() -> None:
    assert set(LAYER_RULES) == set(LAYERS.values())


def test_both_sides_have_the_same_records() -> None:
    assert {record.name for record in records()} | {"sizes"} == set(core.schema())


@pytest.mark.parametrize("record", records(), ids=lambda record: record.name)
def test_both_sides_have_the_same_fields_of_the_same_kind(record: type[Record]) -> None:
    assert kinds(record) == core.schema()[record.name]


def test_both_sides_have_the_same_enumerations() -> None:
    own = {name: list(get_args(getattr(steps, name))) for name in ("LossKind", "Guess", "RawLayout", "UpdateRule")}
    assert own == core.enumerations()


# --- what is malformed -----------------------------------------------------------------------------------------------


def compiled() -> Compiled:
    """A plan with most kinds of fields."""
    net = cr.parse("2x9x8 -> conv 3@3x3 -> batchnorm -> relu -> avgpool 2 -> fc 5 -> dropout 0.2 -> fc 4", seed=1)
    return NativeEngine().compiled(
        net, "train", 20, np.dtype(np.float32), training=True, loss=cr.CrossEntropyLoss(), guesses=True
    )


def stages_with(description: PlanDescription, operation: str, change: Any) -> PlanDescription:
    """The description with the fields of an operation changed."""
    stages = [
        tuple([(name, change(dict(own)) if name == operation else own) for name, own in named] for named in parts)
        for parts in description.stages
    ]
    return replace(description, stages=stages)  # type: ignore[arg-type]


def refused(description: PlanDescription) -> str:
    with pytest.raises(ValueError, match=r"malformed|no operation|no kernels") as caught:
        core.Plan(description)
    return str(caught.value)


def operations() -> list[tuple[str, dict[str, Any]]]:
    """Each operation of the plan once, with what follows a stage."""
    found = [named for parts in compiled().description.stages for part in parts for named in part]
    return list(dict(found).items())


@pytest.mark.parametrize(("operation", "own"), operations(), ids=[name for name, _ in operations()])
def test_every_field_missing_absent_of_another_kind_or_unknown_is_refused(operation: str, own: dict[str, Any]) -> None:
    description = compiled().description
    kinds_of = core.schema()[operation]
    for name in own:
        assert f"'{operation}' is malformed: '{name}' is missing" in refused(
            stages_with(description, operation, lambda given, name=name: {k: v for k, v in given.items() if k != name})
        )
        if not kinds_of[name].startswith("optional"):
            text = refused(stages_with(description, operation, lambda given, name=name: given | {name: None}))
            assert f"'{name}' is required, but absent" in text
        other: object = "three" if not isinstance(own[name], str) else 3
        text = refused(stages_with(description, operation, lambda given, name=name, other=other: given | {name: other}))
        assert f"'{name}' is of another kind" in text
        if kinds_of[name] == "place":
            for place in ([-1, 0], [1 << 40, 0], [0, 0, 0]):
                refused(
                    stages_with(description, operation, lambda given, name=name, place=place: given | {name: place})
                )
        if kinds_of[name] == "whole":
            refused(stages_with(description, operation, lambda given, name=name: given | {name: -1}))
    assert "'colour' is not one of its fields" in refused(
        stages_with(description, operation, lambda given: given | {"colour": 1})
    )


def test_other_parts_of_a_description_are_checked_too() -> None:
    description = compiled().description
    assert "'layout' cannot be 'sideways'" in refused(
        replace(description, finishes=[description.finishes[0] | {"layout": "sideways"}])
    )
    assert "'mask' has 1 items" in refused(replace(description, packs=[description.packs[0] | {"mask": [1]}]))
    assert "'scratch' is missing" in refused(replace(description, sizes={"kept": 1}))
    assert "no kernels for sse9" in refused(replace(description, isa="sse9"))
    named = [([("fly", {})], [])]
    assert "no operation called 'fly'" in refused(replace(description, stages=named))  # type: ignore[arg-type]


def test_a_refused_plan_is_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Record.resolved
    monkeypatch.setattr(Record, "resolved", lambda self: usual(self) | {"colour": 1})
    with pytest.raises(EngineError, match=r"refuses the plan .* 'colour' is not one of its fields"):
        compiled()


def test_every_part_is_a_keyword_only_dataclass() -> None:
    for record in records():
        for item in fields(record):  # type: ignore[arg-type]
            assert item.kw_only, (record, item.name)
        assert re.fullmatch(r"[a-z_]+", record.name)
