"""The benchmarks measure in turn, count right, and notice who computes something else. Nothing here times anything."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from benchmarks import cases, recipe, report
from benchmarks.footprint import closure
from benchmarks.harness import Case, Effort, agree, best_rival, calibrate, difference, interleave, measure
from benchmarks.networks import NETWORKS, describe
from benchmarks.records import Results, Sample
from benchmarks.rivals import OURS, PEAK, Job, chainrule_fit, chainrule_kernels
from benchmarks.rivals.channels_last import from_channels_last, to_channels_last
from benchmarks.spread import Spread, ratio
from benchmarks.tasks import KernelTask, NetworkTask
from benchmarks.worker import RefusalError, Worker, WorkerError

QUICK = Effort(repetitions=3, seconds=0.001, warm_up=0.0)


@dataclass
class Pretender:
    """Answers like a worker, from a table; one step takes a second."""

    name: str
    diary: list[str]
    numbers: dict[str, Any] = field(default_factory=dict)
    trouble: Exception | None = None

    def ask(self, question: str, *arguments: object) -> object:
        if question == "prepare" and self.trouble:
            raise self.trouble
        return self.numbers

    def repetition(self, steps: int) -> tuple[float, int, float | None]:
        self.diary.append(self.name)
        return float(steps), steps, None


def lenet5(batch: int = 2) -> Case:
    return Case("LeNet-5", NetworkTask("train", describe("lenet5"), batch, 2))


# --- order, medians, ratios ------------------------------------------------------------------------------------


def test_contenders_are_measured_in_turn() -> None:
    seen: list[tuple[str, int]] = []
    workers = {name: Pretender(name, []) for name in "ABC"}
    interleave(workers, {"A": 1, "B": 0, "C": 1}, 3, lambda name, k: seen.append((name, k)))
    assert seen == [("A", 0), ("C", 0), ("A", 1), ("C", 1), ("A", 2), ("C", 2)]


def test_a_case_interleaves_after_all_are_warm() -> None:
    diary: list[str] = []
    results = Results()
    measure(lenet5(), {name: Pretender(name, diary) for name in "ABC"}, QUICK, results, "A")
    assert "".join(diary[-9:]) == "ABCABCABC"
    assert [s.contender for s in results.samples] == list("ABCABCABC")
    assert [s.repetition for s in results.samples] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_calibration_fills_the_seconds() -> None:
    assert calibrate(Pretender("A", []), Effort(3, 5.0, 1.0)) == 5


def test_median_and_quartiles() -> None:
    spread = Spread.of([5, 1, 2, 4, 3])
    assert (spread.low, spread.median, spread.high) == (2, 3, 4)
    assert spread.percent == pytest.approx(100 / 3)
    assert Spread.of([7]) == Spread(7, 7, 7)
    with pytest.raises(ValueError, match="no numbers"):
        Spread.of([])


def test_ratio_is_taken_repetition_by_repetition() -> None:
    """A slow moment that both suffer leaves the ratio alone."""
    assert ratio([10, 5, 20], [5, 2.5, 10]) == Spread(2, 2, 2)


def test_the_best_rival_is_the_fastest_that_computes_the_same() -> None:
    results = Results()
    for name, rate in ((OURS, 9), ("slow", 1), ("fast", 3), ("cheat", 8), (PEAK, 100)):
        results.samples.append(Sample("case", name, 0, 1.0, rate))
    results.remark("case", "cheat", "wrong: differs")
    assert best_rival(results, "case", OURS, [PEAK]) == "fast"
    assert best_rival(Results(), "case", OURS) is None


# --- agreement and failures ------------------------------------------------------------------------------------


def test_who_computes_something_else_is_remarked() -> None:
    case = lenet5()
    task = case.task
    assert isinstance(task, NetworkTask)
    start = task.network.parameters["conv1.bias"]
    results = Results()
    found = {"A": {"conv1.bias": start + 0.1}, "B": {"conv1.bias": start + 0.1001}, "C": {"conv1.bias": start}}
    agree(case, found, results, "A")
    assert results.wrong(case.name) == {"C"}


def test_not_a_number_is_a_difference() -> None:
    one = {"y": np.ones(2)}
    assert not difference(one, {"y": np.array([1, np.nan])}, {}) <= 1


def test_who_cannot_or_fails_sits_out_and_failures_are_remarked() -> None:
    results, diary = Results(), []
    workers = {
        "A": Pretender("A", diary),
        "refuses": Pretender("refuses", diary, trouble=RefusalError("inference alone")),
        "breaks": Pretender("breaks", diary, trouble=WorkerError("Traceback\nValueError: no such thing")),
    }
    measure(lenet5(), workers, QUICK, results, "A")
    assert results.contenders("LeNet-5") == ["A"]
    assert [(r["contender"], r["text"]) for r in results.remarks] == [("breaks", "ValueError: no such thing")]


def test_records_come_back(tmp_path: Path) -> None:
    results = Results({"cpu": "a"}, [Sample("c", "n", 0, 0.5, 3, 0.1)])
    results.remark("c", "n", "t")
    results.write(tmp_path / "r.jsonl")
    again = Results.read(tmp_path / "r.jsonl")
    assert again == results
    assert again.values("c", "n") == [6]
    assert all(json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines())


# --- what is counted -------------------------------------------------------------------------------------------


def test_necessary_multiply_adds_of_lenet5() -> None:
    """Padding is not multiplied: 134² taps of conv1 lie on the image, not 140²; conv1 needs no input gradient."""
    conv1, conv2, dense = 6 * 134**2, 16 * 6 * 25 * 100, 400 * 120 + 120 * 84 + 84 * 10
    assert describe("lenet5").multiply_adds(training=False) == conv1 + conv2 + dense
    assert describe("lenet5").multiply_adds(training=True) == 2 * conv1 + 3 * (conv2 + dense)


def test_a_kernel_counts_the_same() -> None:
    assert KernelTask("conv", "forward", 1, 6, 28, 5, 2, batch=1).flops == 2 * 6 * 134**2
    assert KernelTask("dense", "weight", 400, 120, batch=3).flops == 2 * 3 * 48_000
    assert KernelTask("max pool 2", "forward", 6, 6, 28, 2).flops == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_described_with_all_parameters(name: str) -> None:
    net, description = NETWORKS[name](), describe(name)
    assert {n.weight for n in description.nodes} | {n.bias for n in description.nodes} >= set(net.parameters)
    assert description.nodes[-1].shape == net.output_shape


@pytest.mark.parametrize("name", ["lenet5", "vgg_like"])
def test_channels_last_and_back(name: str) -> None:
    description = describe(name)
    back = from_channels_last(description, to_channels_last(description))
    assert all(np.array_equal(back[key], value) for key, value in description.parameters.items())


def test_case_names_differ() -> None:
    names = [case.name for make in cases.GROUPS.values() for case in make()]
    assert len(set(names)) == len(names)


def test_the_recipe_is_the_one_cycle_schedule() -> None:
    rates = cr.OneCycle(recipe.WARM_UP, recipe.START, recipe.FINAL).rates(recipe.LEARNING_RATE, 2, 5).ravel()
    assert [recipe.rate(step / 9) for step in range(10)] == pytest.approx(rates)


def test_requirements_are_followed() -> None:
    assert {"chainrule", "numpy", "safetensors"} <= closure("chainrule")
    assert "matplotlib" not in closure("chainrule")


# --- our own adapters ------------------------------------------------------------------------------------------


def test_fit_does_the_steps_that_it_counts() -> None:
    task = NetworkTask("train", describe("lenet5"), 2, 3)
    job: Job = chainrule_fit.Training(task)
    assert job.run(7) == 6
    moved = job.first()
    assert not np.array_equal(moved["conv1.weight"], describe("lenet5").parameters["conv1.weight"])


@pytest.mark.parametrize("part", cases.PARTS)
def test_single_kernels_are_found_in_plans(part: cases.Part) -> None:
    for task in (KernelTask("conv", part, 3, 4, 6, 3, 1, batch=5), KernelTask("dense", part, 20, 8, batch=5)):
        assert chainrule_kernels.kernel_job(task, 1).run(16) == 16
    if part != "weight":
        pool = KernelTask("max pool 2", part, 3, 3, 6, 2, batch=5)
        assert chainrule_kernels.kernel_job(pool, 1).run(1) == chainrule_kernels.REPEATS


def test_a_tiny_case_from_process_to_report(tmp_path: Path) -> None:
    """Two processes, chainrule and the peak: measured, written, read again, put into words and a picture."""
    case = cases.training("lenet5", 16, 2)
    workers = {name: Worker(name, 1) for name in (OURS, PEAK)}
    try:
        results = Results({"cpu": "test", "cores": 1, "threads": 1, "isa": "any", "system": "any", "peak": 1e9})
        results.machine |= {"load_before": 0.0, "python": "3", "numpy": "2", "compiler": "c", "date": "today"}
        results.machine |= {"repetitions": 2, "seconds": 0.001, "versions": {OURS: workers[OURS].version}}
        measure(case, workers, Effort(2, 0.001, 0.0), results, OURS)
        with pytest.raises(WorkerError, match="AttributeError"):
            workers[OURS].ask("nonsense")
    finally:
        for worker in workers.values():
            worker.close()
    assert results.contenders(case.name) == [OURS, PEAK]
    assert all(rate > 0 for rate in results.values(case.name, OURS))
    report.write(results, tmp_path)
    text = (tmp_path / report.REPORT).read_text(encoding="utf-8")
    assert case.name in text
    assert "%" in report.fraction_of_peak(results, case)
    assert (tmp_path / report.PICTURE).stat().st_size > 0


def test_what_the_core_costs_to_build_stands_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was measured, and as a part of the first."""
    build = tmp_path / "build.json"
    monkeypatch.setattr(report, "BUILD", build)
    assert report.building() == []
    before = {"cold": 200.0, "edit": None, "size": 4_900_000, "functions": 7_000}
    now = {"cold": 40.0, "edit": 8.0, "size": 1_460_000, "functions": 1_600}
    build.write_text(json.dumps({"before": before, "now": now}), encoding="utf-8")
    rows = report.building()
    assert rows[2] == "| before | 200.0 |  | 4.90 | 7,000 |"
    assert rows[3] == "| now | 40.0 (1/5.0 of the first) | 8.0 (1/25 of the first) | 1.46 | 1,600 |"
