"""A plan whose operations would leave its memory, or have no kernel, is refused when it is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines.native import core
from chainrule.engines.native import engine as engine_module
from chainrule.engines.native.compiled import Compiled, instruction_set
from chainrule.engines.native.engine import NativeEngine
from chainrule.engines.native.program import PlanDescription
from chainrule.engines.native.records.base import Record
from chainrule.engines.native.rules import convolution, winograd
from chainrule.errors import EngineError
from tests.engines import comparing
from tests.layers.rows import ROWS

FINISHES = {"finish": "finishes", "pack": "packs", "fold": "folds"}
OFFSETS = {
    "raw", "natural", "packed", "weight", "bias", "running_mean", "running_var", "forward_statistics",
    "backward_statistics", "raw_weight", "raw_bias", "norm_weight", "norm_bias",
}  # fmt: skip
MAY_BE_ZERO = OFFSETS | {
    "padded_in", "points", "point_rows", "point_taps", "copies", "top", "left", "target", "node", "elements",
}  # fmt: skip
NO_EXTENT = {
    "target", "node", "size", "top", "left", "kernel_rows", "kernel_columns", "stride_rows", "stride_columns",
    "point_rows", "point_taps",
}  # fmt: skip
"""Numbers of which more need no more memory."""


def description(net: cr.Network, samples: int, mode: str = "gradients", dtype: str = "float32") -> PlanDescription:
    loss = None if mode == "inference" else cr.MSELoss()
    targets = np.zeros((samples, *net.output_shape))
    made: Compiled = NativeEngine().compiled(
        net, mode, samples, np.dtype(dtype), training=loss is not None, loss=loss, targets=targets
    )
    return made.description


def described() -> Iterator[PlanDescription]:
    """Plans with every kind of operation."""
    for row in ROWS:
        for samples in (2, 20):
            if comparing.trainable(row, samples):
                yield description(comparing.around(row), samples)
    net = cr.parse("1x16x16 -> conv 6@5x5 pad 2 -> batchnorm -> relu -> maxpool 2 -> fc 20 -> batchnorm -> fc 10")
    yield description(net, 20, "inference")  # folds
    yield description(cr.parse("1x16x20 -> conv 2@3x3 pad 1 -> fc 3"), 1)  # a border
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_module, "SMALL_BATCH", 0)
        yield description(cr.Sequential(cr.Linear(40, 30), seed=1), 20)
        patch.setattr(convolution, "LARGE_WEIGHTS", 0)
        patch.setattr(winograd, "WORTH", 0.0)
        yield description(net, 20)
        for points in (6, 8):
            for in_registers in {False, instruction_set().registers >= 32}:
                patch.setattr(winograd, "WORTH", np.inf)
                patch.setattr(winograd, "NEAR_BYTES", np.inf)
                patch.setattr(winograd, "POINTS", {3: (points,)})
                patch.setattr(winograd, "IN_REGISTERS", (in_registers,))
                yield description(cr.parse("3x16x16 -> conv 6@3x3 pad 1 -> relu -> maxpool 2 -> fc 10"), 20)


def records_of(plan: PlanDescription) -> Iterator[tuple[str, dict[str, Any]]]:
    for parts in plan.stages:
        for part in parts:
            yield from part
    for name, several in FINISHES.items():
        for fields in getattr(plan, several):
            yield name, fields


@cache
def examples() -> dict[str, tuple[PlanDescription, dict[str, Any]]]:
    """A plan for each kind of record, and one such record in it: with as many fields that are there as can be."""
    found: dict[str, tuple[PlanDescription, dict[str, Any]]] = {}
    for plan in described():
        for name, fields in records_of(plan):
            there = sum(value is not None for value in fields.values())
            if name not in found or there > sum(value is not None for value in found[name][1].values()):
                found[name] = plan, fields
    return found


def changed(plan: PlanDescription, old: dict[str, Any], field: str, value: Any) -> PlanDescription:
    """The plan with one field of the record `old` changed."""

    def one(fields: dict[str, Any]) -> dict[str, Any]:
        return fields | {field: value} if fields is old else fields

    stages = [tuple([(name, one(fields)) for name, fields in part] for part in parts) for parts in plan.stages]
    rest = {several: [one(fields) for fields in getattr(plan, several)] for several in FINISHES.values()}
    return replace(plan, stages=stages, **rest)  # type: ignore[arg-type]


def refused(plan: PlanDescription) -> str:
    with pytest.raises(ValueError, match=r"malformed|no kernel") as caught:
        core.Plan(plan)
    return str(caught.value)


RECORDS = sorted(set(core.schema()) - {"sizes", "update"})


def test_there_is_an_example_of_every_record() -> None:
    assert sorted(examples()) == RECORDS


@pytest.mark.parametrize("name", RECORDS)
def test_no_record_reaches_beyond_its_memory(name: str) -> None:
    plan, fields = examples()[name]
    kinds = core.schema()[name]
    core.Plan(plan)
    for field, value in fields.items():
        kind = kinds[field].removeprefix("optional ")
        if value is None:
            continue
        if kind == "place":
            last = plan.sizes["kept" if value[1] else "scratch"] - 1
            assert f"'{field}' reaches beyond" in refused(changed(plan, fields, field, [last, value[1]])), field
        elif kind == "places":
            last = plan.sizes["kept" if value[1] else "scratch"] - 1
            assert f"'{field}0' reaches beyond" in refused(changed(plan, fields, field, [last, *value[1:]])), field
        elif kind == "whole" and field in OFFSETS:
            for far in (2**20, 2**62):
                assert f"'{field}' reaches beyond" in refused(changed(plan, fields, field, far)), field
        elif kind == "whole" and field not in NO_EXTENT and (name[:17], field) != ("batch_norm_finish", "places"):
            refused(changed(plan, fields, field, 2**16))
        if kind == "whole" and field not in MAY_BE_ZERO and name != "fold":
            refused(changed(plan, fields, field, 0))


@pytest.mark.parametrize("name", RECORDS)
def test_no_tap_lies_outside_of_its_map(name: str) -> None:
    plan, fields = examples()[name]
    for field in (field for field, kind in core.schema()[name].items() if kind == "axis"):
        numbers = fields[field]
        wrong = [(index, value) for index in (0, 1, 2, 3, 5) for value in (-1, 0)] + [(4, -1)]
        for run in range(6, len(numbers), 9):
            some = numbers[run + 5] > 0  # taps
            wrong += [(run + index, 10**6) for index in ((0, 1, 4, 5, 6) if some else (0, 1))]
            wrong += [(run + index, -1) for index in ((0, 4, 5, 6) if some else (0,))]
        for index, value in wrong:
            text = refused(changed(plan, fields, field, [*numbers[:index], value, *numbers[index + 1 :]]))
            assert f"'{field}'" in text, (field, index, value)


@pytest.mark.parametrize(
    ("samples", "dtype", "name"),
    [
        (2, "float32", "winograd_forward"),
        (2, "float32", "convolve_large"),
        (20, "float32", "pad"),
        (20, "float64", "pad"),
    ],
)
def test_an_operation_without_a_kernel_is_refused(samples: int, dtype: str, name: str) -> None:
    """Those of one lane, and of several, are not all the same."""
    _, fields = examples()[name]
    plan = description(cr.Sequential(cr.Linear(40, 30), seed=1), samples, dtype=dtype)
    roomy = plan.sizes | dict.fromkeys(("scratch", "kept", "parameters", "packed", "raw"), 2**20)
    text = refused(replace(plan, sizes=roomy, stages=[([(name, fields)], [])]))
    assert text.startswith(f"there is no kernel for '{name}' in {plan.isa} with {plan.lanes} lanes")


@pytest.mark.parametrize("zeroed", [[0], [5, 4], [-1, 4], [0, 2**40]])
def test_what_begins_at_zero_lies_inside(zeroed: list[int]) -> None:
    plan = description(cr.Sequential(cr.Linear(4, 3), seed=1), 20)
    assert "'zeroed'" in refused(replace(plan, sizes=plan.sizes | {"zeroed": zeroed}))


def test_parts_that_do_not_fit_together_are_refused() -> None:
    for name, field, value, said in (
        ("winograd_forward", "points", 7, "6 and 8 points"),
        ("winograd_weight_gradient", "strip", 33, "too many rows"),
        ("channel_gradient", "padded_in", 1, "whole vectors"),
        ("finish", "taps_rows", 1000, "whole number of kernels"),
        ("pad", "top", 1000, "larger than the zeros"),
        ("sum", "elements", [1, 2], "different sizes"),
        ("concat", "elements", [-1, 2], "without elements"),
    ):
        plan, fields = examples()[name]
        assert said in refused(changed(plan, fields, field, value)), name


@pytest.mark.parametrize(("points", "columns"), [(6, 2), (6, 4), (6, 5), (8, 2), (8, 4), (8, 6)])
def test_winograds_algorithm_for_kernels_that_nobody_built_is_refused(points: int, columns: int) -> None:
    plan, fields = examples()["winograd_forward"]
    axis = [*fields["columns"][:2], columns, *fields["columns"][3:]]
    named = [("winograd_forward", fields | {"points": points, "columns": axis})]
    text = refused(replace(plan, stages=[(named, [])]))
    assert "kernels of 3 columns, and for 8 points of 5" in text


def test_the_package_says_it_as_an_engine_error(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Record.resolved
    monkeypatch.setattr(
        Record, "resolved", lambda self: usual(self) | ({"weight": 10**6} if self.name == "convolve" else {})
    )
    with pytest.raises(EngineError, match=r"refuses the plan .* 'convolve' .* 'weight' reaches beyond the end"):
        description(cr.Sequential(cr.Linear(4, 3), seed=1), 20)
