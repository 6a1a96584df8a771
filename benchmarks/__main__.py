"""python -m benchmarks [CASE ...] [--quick] [--list]: measure, print, and write the results."""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks import accuracy, cases, footprint, machine, report, rivals
from benchmarks.harness import Case, Effort, best_rival, measure
from benchmarks.networks import describe
from benchmarks.records import Results
from benchmarks.rivals import OURS, PEAK
from benchmarks.spread import ratio
from benchmarks.tasks import NetworkTask
from benchmarks.worker import Worker, WorkerError, variables

HERE = Path(__file__).resolve().parent
ELSEWHERE = HERE.parent / "build" / "benchmarks"
EXTRA = ("mnist", "memory", "import", "size")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", help="groups or names with wildcards, such as lenet5 'conv 64*'")
    parser.add_argument("--list", action="store_true", help="show groups and cases")
    parser.add_argument("--quick", action="store_true", help="few and short repetitions: does everything run?")
    parser.add_argument("--repetitions", type=int, help="of each contender (7)")
    parser.add_argument("--seconds", type=float, help="of one repetition (0.3)")
    parser.add_argument("--threads", type=int, default=min(2, len(machine.cores())))
    parser.add_argument("--contenders", help="names with wildcards, separated by commas; chainrule always takes part")
    parser.add_argument("--output", type=Path, help=f"folder for {report.REPORT} (without: benchmarks/ for a full run)")
    return parser.parse_args()


def chosen_cases(wanted: list[str]) -> list[Case]:
    """Cases whose group or name was asked for; all without."""
    found = []
    for group, make in cases.GROUPS.items():
        found += [
            case
            for case in make()
            if not wanted or group in wanted or any(fnmatch.fnmatch(case.name, pattern) for pattern in wanted)
        ]
    return found


def chosen_contenders(wanted: str | None) -> list[str]:
    """Names of those that are installed and asked for."""
    patterns = ["*"] if wanted is None else [OURS, PEAK, *wanted.split(",")]
    return [n for n in rivals.CONTENDERS if rivals.installed(n) and any(fnmatch.fnmatch(n, p) for p in patterns)]


def effort_of(asked: argparse.Namespace) -> Effort:
    """Repetitions and seconds."""
    base = asdict(Effort.quick() if asked.quick else Effort())
    given = {name: getattr(asked, name) for name in ("repetitions", "seconds") if getattr(asked, name) is not None}
    return Effort(**{**base, **given})


def run_cases(chosen: Iterable[Case], names: list[str], threads: int, effort: Effort, results: Results) -> None:
    """Start the workers once, and take case after case."""
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name in names:
            try:
                workers[name] = Worker(name, threads, ELSEWHERE / f"{name}.log")
                stack.callback(workers[name].close)
            except WorkerError as failure:
                results.remark("all cases", name, str(failure).strip().splitlines()[-1])
        results.machine["versions"] = {n: w.version for n, w in workers.items() if n != PEAK}
        for case in chosen:
            begin = time.perf_counter()
            measure(case, workers, effort, results, OURS)
            show(case, results, time.perf_counter() - begin)


def show(case: Case, results: Results, seconds: float) -> None:
    """A few lines about a case, as soon as it is measured."""
    print(f"\n{case.name}   ({seconds:.0f} s)")
    best = best_rival(results, case.name, OURS, [PEAK])
    for name in results.contenders(case.name):
        spread = results.spread(case.name, name)
        unit = "MFLOP" if name == PEAK else case.unit
        mark = "  wrong" if name in results.wrong(case.name) else "  best rival" if name == best else ""
        print(f"  {name:<22}{spread.median:>14,.1f} {unit}/s  ±{spread.percent:.0f} %{mark}")
    if best and OURS in results.contenders(case.name):
        times = ratio(results.values(case.name, OURS), results.values(case.name, best))
        part = report.fraction_of_peak(results, case)
        print(f"  ratio {times.median:.2f} ({times.low:.2f} to {times.high:.2f}){f', {part} of peak' if part else ''}")
    sys.stdout.flush()


def memory_tasks() -> dict[str, NetworkTask]:
    """Trainings whose memory is compared."""
    lenet5 = {f"lenet5 training, batch {b}": NetworkTask("train", describe("lenet5"), b, 2) for b in (64, 1024)}
    return lenet5 | {"vgg_like training, batch 64": NetworkTask("train", describe("vgg_like"), 64, 2, 1e-3)}


def run_extras(asked: argparse.Namespace, names: list[str], results: Results) -> None:
    """What is measured from the outside of processes."""
    folder = os.environ.get("CHAINRULE_DATA")
    steps: dict[str, Callable[[], None]] = {
        "mnist": lambda: accuracy.run(results, Path(str(folder)), 1 if asked.quick else 5, asked.threads),
        "memory": lambda: footprint.peak_memory(
            results, memory_tasks(), [name for name in names if name != PEAK], asked.threads, ELSEWHERE / "memory.log"
        ),
        "import": lambda: footprint.import_times(results, 2 if asked.quick else 5, asked.threads),
        "size": lambda: footprint.installed_sizes(results),
    }
    for name, step in steps.items():
        if asked.cases and name not in asked.cases:
            continue
        if name == "mnist" and not folder:
            results.remark(accuracy.CASE, "everyone", "left out: CHAINRULE_DATA names no folder with the full MNIST")
            continue
        print(f"\n{name} ...", flush=True)
        step()


def main() -> int:
    """Do what was asked; the exit code."""
    asked = arguments()
    chosen = chosen_cases(asked.cases)
    if asked.list:
        print(*(f"{group}\n" + "\n".join(f"    {c.name}" for c in make()) for group, make in cases.GROUPS.items()))
        print(*EXTRA, sep="\n")
        return 0
    if not chosen and not set(asked.cases) & set(EXTRA):
        print(f"no case is called {' '.join(asked.cases)}; see --list", file=sys.stderr)
        return 2
    ELSEWHERE.mkdir(parents=True, exist_ok=True)
    names, effort = chosen_contenders(asked.contenders), effort_of(asked)
    with variables({"CHAINRULE_THREADS": str(asked.threads)}):
        results = Results(machine.describe(asked.threads))
        results.machine |= {"repetitions": effort.repetitions, "seconds": effort.seconds, "versions": {}}
        run_extras(asked, names, results)
        if chosen:
            run_cases(chosen, names, asked.threads, effort, results)
    whole = not asked.cases and not asked.quick and asked.contenders is None
    folder = asked.output or (HERE if whole else ELSEWHERE)
    report.write(results, folder)
    print(f"\n{folder / report.REPORT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
