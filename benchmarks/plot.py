"""The picture of the results: LeNet-5 at every batch size, our ratio to the best rival, kernels beside the peak."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import cases
from benchmarks.harness import Case, best_rival
from benchmarks.records import Results
from benchmarks.rivals import CONTENDERS, OURS, PEAK
from benchmarks.spread import Spread, ratio

COLOURS = {
    OURS: "#c0392b",
    "PyTorch eager": "#e59866",
    "PyTorch compile": "#f5cba7",
    "JAX jit": "#5dade2",
    "TensorFlow function": "#f4d03f",
    "ONNX Runtime": "#7f8c8d",
}


def draw(results: Results, path: Path) -> None:
    """Write a PNG, or nothing without matplotlib or without cases to draw."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    steps = [case for case in cases.lenet5() if OURS in results.contenders(case.name)]
    networks = [*steps, *cases.mlp(), *cases.cifar()]
    networks = [case for case in networks if best_rival(results, case.name, OURS, [PEAK])]
    kernels = [c for c in cases.kernels() if c.task.flops and {OURS, PEAK} <= set(results.contenders(c.name))]
    panels = [
        (_rates, [c for c in steps if "training" in c.name], 4.0),
        (_ratios, networks, 1.0 + 0.28 * len(networks)),
        (_fractions, kernels, 1.0 + 0.24 * len(kernels)),
    ]
    panels = [panel for panel in panels if panel[1]]
    if not panels:
        return
    heights = [height for _, _, height in panels]
    figure = Figure(figsize=(9, sum(heights)), layout="constrained")
    axes = figure.subplots(len(panels), 1, height_ratios=heights, squeeze=False)[:, 0]
    for axis, (show, chosen, _) in zip(axes, panels, strict=True):
        show(axis, results, chosen)
        axis.spines[["top", "right"]].set_visible(False)
    m = results.machine
    figure.suptitle(
        f"{m['cpu']}, {m['threads']} threads, {m['isa']}, peak {results.peak() / 1e9:.0f} GFLOP/s", fontsize=10
    )
    figure.savefig(path, dpi=120)


def _rates(axis: Any, results: Results, chosen: list[Case]) -> None:
    names = [n for n in CONTENDERS if n != PEAK and any(n in results.contenders(c.name) for c in chosen)]
    width = 0.8 / len(names)
    for offset, name in enumerate(names):
        there = [k for k, case in enumerate(chosen) if name in results.contenders(case.name)]
        spreads = [results.spread(chosen[k].name, name) for k in there]
        middle = [spread.median for spread in spreads]
        error = [[s.median - s.low for s in spreads], [s.high - s.median for s in spreads]]
        places = [k + (offset - (len(names) - 1) / 2) * width for k in there]
        axis.bar(places, middle, width, yerr=error, label=name, color=COLOURS[name], error_kw={"lw": 0.8})
    axis.set_xticks(range(len(chosen)), [str(int(case.work)) for case in chosen])
    axis.set(yscale="log", xlabel="batch", ylabel="images per second", title="LeNet-5, training step")
    axis.set_ylim(top=4 * axis.get_ylim()[1])  # room for the legend
    axis.legend(fontsize=8, ncols=3, frameon=False, loc="upper center")


def _ratios(axis: Any, results: Results, chosen: list[Case]) -> None:
    labels, spreads = [], []
    for case in chosen:
        best = best_rival(results, case.name, OURS, [PEAK])
        assert best is not None
        spreads.append(ratio(results.values(case.name, OURS), results.values(case.name, best)))
        labels.append(f"{case.name} (best: {best})")
    _bars(axis, labels, spreads, "{:.2f}")
    axis.axvline(1, color="black", lw=0.8)
    axis.set(title="times as fast as the best rival")


def _fractions(axis: Any, results: Results, chosen: list[Case]) -> None:
    spreads = []
    for case in chosen:
        scale = 100 * case.task.flops / case.work / 1e6
        ours, peak = results.values(case.name, OURS), results.values(case.name, PEAK)
        spreads.append(Spread.of([scale * a / b for a, b in zip(ours, peak, strict=True)]))
    _bars(axis, [case.name for case in chosen], spreads, "{:.0f} %")
    axis.axvline(100, color="black", lw=0.8)
    axis.set(title="single kernels, percent of the multiply-add peak")


def _bars(axis: Any, labels: list[str], spreads: list[Spread], text: str) -> None:
    middle = [spread.median for spread in spreads]
    error = [[s.median - s.low for s in spreads], [s.high - s.median for s in spreads]]
    bars = axis.barh(labels, middle, xerr=error, color=COLOURS[OURS], error_kw={"lw": 0.8})
    axis.bar_label(bars, [text.format(value) for value in middle], padding=4, fontsize=8)
    axis.invert_yaxis()
    axis.tick_params(axis="y", labelsize=8)
