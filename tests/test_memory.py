"""The budget of memory: where it comes from, what it refuses, and that the engines' own figures agree with it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import engine_named
from chainrule.errors import ArgumentError, EngineError, ShapeError
from chainrule.memory import (
    VARIABLE,
    MemoryErrorsNamed,
    _group_limits,
    bytes_text,
    memory_budget,
    require_memory,
)

GIB = 2**30


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8 GiB", 8 * GIB),
        ("1.5g", 3 * GIB // 2),
        ("500 MB", 5 * 10**8),
        ("123", 123),
        ("7 b", 7),
        ("2 TiB", 2048 * GIB),
    ],
)
def test_the_variable_says_how_much(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    assert memory_budget() == size


@pytest.mark.parametrize("text", ["much", "-1", "8 XB", "1e9", "ib", "8 GiB or so"])
def test_a_variable_that_says_nothing(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(ArgumentError, match="CHAINRULE_MEMORY must be a number of bytes"):
        memory_budget()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory as Linux has them")
def test_without_it_the_machine_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.delenv(VARIABLE, raising=False)
    assert 2**26 < memory_budget() < sys.maxsize
    monkeypatch.setattr(resource, "getrlimit", lambda which: (GIB, GIB) if which == resource.RLIMIT_AS else (-1, -1))
    assert memory_budget() == GIB


def test_limits_of_control_groups(tmp_path: Path) -> None:
    """Of both versions, the inner and the outer ones; "max" and missing files say nothing."""
    groups = tmp_path / "cgroup"
    groups.write_text("9:name=systemd:/\n4:cpu,memory:/a/b\n0::/user/job\n")
    for name, text in {
        "user/job/memory.max": "max", "user/memory.max": "3000", "memory/a/b/memory.limit_in_bytes": "2000",
        "memory/memory.limit_in_bytes": "5000",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert _group_limits(groups, tmp_path) == [2000, 5000, 3000]
    assert _group_limits(tmp_path / "none", tmp_path) == []


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1,024 bytes (1.0 KiB)"),
        (12_800_000_000, "12,800,000,000 bytes (11.9 GiB)"), (2**63 - 1, "9,223,372,036,854,775,807 bytes (8.0 EiB)"),
        (10**400, "more than 9,223,372,036,854,775,807 bytes (8 EiB)"),
    ],
)  # fmt: skip
def test_sizes_in_words(size: int, text: str) -> None:
    assert bytes_text(size) == text


def test_a_refusal_says_what_how_much_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "100 MiB")
    require_memory(100 * 2**20, "this", "do that")
    with pytest.raises(ShapeError) as caught:
        require_memory(100 * 2**20 + 1, "this", "do that", ShapeError)
    assert str(caught.value) == (
        "this would take 104,857,601 bytes (100.0 MiB) of memory, but this process may take 104,857,600 bytes "
        "(100.0 MiB); do that, or set CHAINRULE_MEMORY to allow more"
    )


def test_a_budget_that_promised_too_much() -> None:
    """NumPy's error keeps its bytes; an error that tells nothing gets those of the budget."""
    named = MemoryErrorsNamed("it", "wait")
    with pytest.raises(EngineError, match=r"memory: 9,007,199,254,740,992 bytes .* could not be had; wait"), named:
        np.zeros((2**50,))
    with pytest.raises(EngineError, match="it ran out of memory, of which this process may take"), named:
        raise MemoryError
    with pytest.raises(ValueError, match="other"), named:
        raise ValueError("other")


NETWORKS = {
    "convolutions": "3x20x20 -> conv 8@3x3 pad 1 -> batchnorm -> relu -> conv 8@3x3 -> maxpool 2 -> fc 10",
    "dense": "600 -> fc 500 -> tanh -> dropout 0.5 -> fc 10",
}


@pytest.mark.parametrize("samples", [1, 3, 70])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_engine_counts_as_its_core_reserves(name: str, samples: int) -> None:
    """What is refused by its size is what would have been asked for."""
    net, engine = cr.parse(NETWORKS[name]), engine_named("native")
    x, labels = np.ones((samples, *net.input_shape)), np.zeros(samples, int)
    if samples > 1:
        net.gradients(x, labels, loss=cr.CrossEntropyLoss())
    net(x)
    known: Any = engine._of(net)  # type: ignore[attr-defined]
    for compiled in known.plans.values():
        ours = compiled.memory_bytes(samples, 2) - compiled._exported * samples * 8
        core = compiled.plan.memory_bytes()
        assert abs(ours - core) <= 0.02 * core + 4096


def test_scores_need_no_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1 GiB")
    net = cr.Sequential(cr.Linear(2, 20000))
    result = net.evaluate(np.ones((3, 2)), [0, 1, 2], loss=cr.CrossEntropyLoss())
    assert result.recall is not None
    assert result.recall.shape == (20000,)
    assert result.accuracy in (0.0, 1 / 3)
    with pytest.raises(EngineError, match=r"a confusion matrix of 20,000 classes would take 3,200,000,000 bytes"):
        _ = result.confusion


def test_neighbours_beyond_the_last_channel_change_nothing() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 4))
    far, near = (
        cr.Sequential(cr.LocalResponseNorm(size, alpha=size), input_shape=(3, 4, 4)) for size in (2**31 - 1, 7)
    )
    for engine in ("native", "reference"):
        assert np.allclose(far(x, engine=engine), near(x, engine=engine), rtol=1e-12)  # type: ignore[arg-type]
