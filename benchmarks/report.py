"""RESULTS.md out of the records of a run: python -m benchmarks.report RESULTS.jsonl"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import accuracy, cases, footprint
from benchmarks.harness import Case, best_rival
from benchmarks.plot import draw
from benchmarks.records import Results
from benchmarks.rivals import OURS, PEAK
from benchmarks.spread import Spread, ratio
from benchmarks.tasks import KernelTask

RECORDS, REPORT, PICTURE = "results.jsonl", "RESULTS.md", "results.png"
BUILD = Path(__file__).with_name("build.json")

Row = Sequence[str]


def table(headings: Row, rows: Iterable[Row]) -> list[str]:
    """A Markdown table whose numbers stand to the right."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines] + [""]


def number(value: float) -> str:
    """Three digits that matter, large numbers in full."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cell(spread: Spread) -> str:
    """Median and half the distance of the quartiles."""
    return f"{number(spread.median)} ±{spread.percent:.0f} %"


def fraction_of_peak(results: Results, case: Case) -> str:
    """Necessary operations in a second of ours, in percent of the peak that was measured between."""
    ours, peak = results.values(case.name, OURS), results.values(case.name, PEAK)
    if not ours or not peak or not case.task.flops:
        return ""
    return f"{100 * ratio(ours, peak).median * case.task.flops / case.work / 1e6:.0f} %"


def races(results: Results, group: Sequence[Case], first: str) -> list[str]:
    """One row a case: everyone's rate, our ratio to the best rival and to the peak."""
    present = [case for case in group if OURS in results.contenders(case.name)]
    if not present:
        return []
    found = [name for case in present for name in results.contenders(case.name)]
    names = [name for name in dict.fromkeys(found) if name not in (OURS, PEAK)]
    rows = []
    for case in present:
        best, wrong = best_rival(results, case.name, OURS, [PEAK]), results.wrong(case.name)
        cells = []
        for name in names:
            text = cell(results.spread(case.name, name)) if name in results.contenders(case.name) else ""
            cells.append(f"{text} (wrong)" if name in wrong else f"**{text}**" if name == best else text)
        versus = ""
        if best is not None:
            times = ratio(results.values(case.name, OURS), results.values(case.name, best))
            versus = f"**{times.median:.2f}** ({times.low:.2f} to {times.high:.2f})"
        ours = cell(results.spread(case.name, OURS))
        rows.append([case.name, ours, *cells, versus, fraction_of_peak(results, case)])
    return table([first, OURS, *names, "ratio to the best", "of peak"], rows)


def kernels(results: Results) -> list[str]:
    """Single operations: GFLOP/s, or GB/s for pools."""
    rows = []
    for case in cases.kernels():
        task = case.task
        assert isinstance(task, KernelTask)
        if OURS not in results.contenders(case.name):
            continue
        per_call, unit = (task.flops, "GFLOP/s") if task.flops else (task.bytes_moved, "GB/s")
        cells = [case.name]
        for name in (OURS, "PyTorch eager"):
            rates = results.values(case.name, name)
            cells.append(f"{Spread.of(rates).median * per_call / 1e9:.1f} {unit}" if rates else "")
        theirs = results.values(case.name, "PyTorch eager")
        times = f"{ratio(results.values(case.name, OURS), theirs).median:.2f}" if theirs else ""
        rows.append([*cells, times, fraction_of_peak(results, case)])
    return table(["kernel, batch 64", OURS, "PyTorch eager", "ratio", "of peak"], rows) if rows else []


def mnist(results: Results) -> list[str]:
    """Seconds from process start, for each runner."""
    rows = []
    for name in results.contenders(accuracy.SPEED):
        runs = results.values(accuracy.LAST_EPOCH, name, "seconds")
        reached = results.values(accuracy.CASE, name, "seconds")
        seconds = f"{Spread.of(reached).median:.2f} ({min(reached):.2f} to {max(reached):.2f})" if reached else "never"
        epochs = [s.work / accuracy.TRAINING_IMAGES for s in results.samples if s.case == accuracy.SPEED]
        speed = number(results.spread(accuracy.SPEED, name).median)
        accuracies = f"{100 * min(runs):.2f} to {100 * max(runs):.2f} %"
        rows.append([name, f"{len(reached)} of {len(runs)}", seconds, accuracies, f"{max(epochs):.0f}", speed])
    headings = ["", "seeds at 99 %", "median seconds (least to most)", "accuracy then", "epochs", "images/s, all in"]
    return table(headings, rows) if rows else []


def costs(results: Results) -> list[str]:
    """Import times, sizes, memory."""
    found: list[str] = []
    scales: list[tuple[str, str, Callable[[float], str]]] = [
        (footprint.IMPORT, "seconds", lambda s: f"{s:.3f}"),
        (footprint.SIZE, "MB on disk with all requirements", lambda b: f"{b / 1e6:,.0f}"),
    ]
    memory = [case for case in results.cases() if case.startswith(footprint.MEMORY)]
    scales += [(case, "MB at most", lambda b: f"{b / 1e6:,.0f}") for case in memory]
    for case, unit, show in scales:
        names = results.contenders(case)
        if names:
            rows = [[name, show(results.spread(case, name, "seconds").median)] for name in names]
            found += [f"### {case[0].upper()}{case[1:]}", "", *table(["", unit], rows)]
    return found


def building() -> list[str]:
    """What the core costs to build, as scripts/measure_build.py found it."""
    if not BUILD.exists():
        return []
    measured = json.loads(BUILD.read_text(encoding="utf-8"))
    first = next(iter(measured.values()))["cold"]
    rows = []
    for name, cost in measured.items():
        edit = f"{cost['edit']:.1f} (1/{first / cost['edit']:.0f} of the first)" if cost["edit"] else ""
        ratio_to_first = "" if cost["cold"] == first else f" (1/{first / cost['cold']:.1f} of the first)"
        seconds = f"{cost['cold']:.1f}{ratio_to_first}"
        rows.append([name, seconds, edit, f"{cost['size'] / 1e6:.2f}", f"{cost['functions']:,}"])
    headings = ["", "processor seconds, cold", "after the dearest edit of a kernel", "MB, stripped", "kernel functions"]
    return table(headings, rows)


def machine_line(results: Results) -> list[str]:
    """On what and how it was measured."""
    m = results.machine
    others = [s.others for s in results.samples if s.others is not None]
    busy = f"{100 * Spread.of(others).median:.0f} % (median)" if others else "an unknown part"
    versions = ", ".join(f"{name} {version}" for name, version in m.get("versions", {}).items())
    peak = results.peak() / 1e9
    return [
        f"- **Machine** {m['cpu']}, {m['cores']} cores, {m['threads']} threads, {m['isa']}, {m['system']}",
        f"- **Multiply-add peak** {peak:.0f} GFLOP/s on {m['threads']} threads (median of the run)",
        f"- **Load** {m['load_before']:.2f} before the run; other processes took {busy} of the machine meanwhile",
        f"- **Versions** {versions}; Python {m['python']}, NumPy {m['numpy']}, core built by {m['compiler']}",
        f"- **Run** {m['date']}, {m['repetitions']} interleaved repetitions of about {m['seconds']} s",
        "",
    ]


METHOD = """\
Every contender lives in a process of its own and is asked in turn (A B C A B C ...); one computes at a time.
Numbers are medians; ± is half the distance of the quartiles. A ratio is the median over repetitions of ours by
theirs; **bold** is the best rival. All compute the same networks in float32, from the same weights, by SGD with
momentum, and show after two steps that their parameters agree; who does not is marked *wrong* and does not
count as best. "Of peak" counts necessary multiply-adds alone (no padding, no input gradient of the first layer,
no pooling, loss or update), by the peak measured in the same minutes; they are counted as the plain sums have
them, while Winograd's algorithm does fewer: more than 100 % is possible. chainrule trains through `net.fit`, which
shuffles and gathers; the others loop over batches that are tensors already. It answers through `net.snapshot()`.
"""


def markdown(results: Results) -> str:
    """The whole report."""
    sections = [
        ("LeNet-5, images per second", races(results, cases.lenet5(), "61,706 parameters")),
        ("Perceptron 784-256-128-10, images per second", races(results, cases.mlp(), "235,146 parameters")),
        ("Middle-sized networks, images per second", races(results, cases.cifar(), "32x32x3, 64 to 256 channels")),
        ("The smallest network, updates per second", races(results, cases.two_two_two(), "")),
        ("Full MNIST to 99 % from process start", mnist(results)),
        ("Single kernels", kernels(results)),
        ("Before and beside computing", costs(results)),
        ("Building the core", building()),
    ]
    lines = ["# Results", "", "Made by `python -m benchmarks`; the records of every repetition are in", f"[{RECORDS}]"]
    lines[-1] += f"({RECORDS}).\n"
    lines += machine_line(results)
    if any(rows for _, rows in sections[:2]):
        lines += [f"![Images per second and fraction of the peak]({PICTURE})", ""]
    lines += [METHOD]
    for title, rows in sections:
        if rows:
            lines += [f"## {title}", "", *rows]
    if results.remarks:
        lines += ["## Remarks", "", *(f"- {r['case']}: {r['contender']}: {r['text']}" for r in results.remarks), ""]
    return "\n".join(lines)


def write(results: Results, folder: Path) -> None:
    """Records, report and picture."""
    results.write(folder / RECORDS)
    (folder / REPORT).write_text(markdown(results), encoding="utf-8")
    draw(results, folder / PICTURE)


if __name__ == "__main__":
    source = Path(sys.argv[1])
    write(Results.read(source), source.parent)
