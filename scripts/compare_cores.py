"""Is a core slower than another? Each case of the benchmarks in pairs, old and new in turn, and the ratio of times.

    python scripts/compare_cores.py OLD NEW [CASE ...] [--threads 2] [--pairs 11] [--seconds 0.1]

OLD and NEW are checkouts in which the core was built (`make install`), or CHECKOUT=EXTENSION. Each is served by a
process of its own, with its own Python sources and benchmarks. A ratio above 1 says that the new core takes longer; it
is the median over pairs, and beside it stand the quartiles. One thread is measured in processor time, in which a busy
machine counts for less; several by the clock.
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib.machinery
import importlib.util
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MODULE = "chainrule._native"


def extension_of(given: str) -> tuple[Path, Path]:
    """(checkout, its compiled core): the newest that was built there, unless one is named."""
    checkout, _, named = given.partition("=")
    root = Path(checkout).resolve()
    built = [Path(named).resolve()] if named else sorted(root.glob("build/*/_native*"), key=lambda p: p.stat().st_mtime)
    if not built or not built[-1].exists():
        sys.exit(f"{given}: no core was built there; run make install in it, or give CHECKOUT=EXTENSION")
    return root, built[-1]


# --- the process of one core -----------------------------------------------------------------------------------------


class Finder:
    """Finds the one extension, whatever is installed."""

    def __init__(self, extension: str) -> None:
        self.extension = extension

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name != MODULE:
            return None
        loader = importlib.machinery.ExtensionFileLoader(name, self.extension)
        return importlib.util.spec_from_file_location(name, self.extension, loader=loader)


def serve(root: str, extension: str, threads: int) -> None:
    """Answers one line of JSON with another: ["prepare", case] and ["run", steps]."""
    sys.path[:0] = [root, f"{root}/src"]
    sys.meta_path[:0] = [Finder(extension), importlib.machinery.PathFinder]  # type: ignore[list-item]
    import chainrule
    from benchmarks import cases, worker

    assert Path(chainrule.__file__).is_relative_to(root), chainrule.__file__
    server = worker.Server("chainrule", threads)
    known = {case.name: case for make in cases.GROUPS.values() for case in make()}
    for network, batch in (("lenet5", 16), ("mlp", 16), ("mlp", 256)):
        case = cases.inference(network, batch)
        known[case.name] = case
    groups = {case.name: group for group, make in cases.GROUPS.items() for case in make()}
    print(json.dumps([[name, groups.get(name, "inference")] for name in known]), flush=True)
    for line in sys.stdin:
        question, argument = json.loads(line)
        if question == "prepare":
            server.prepare(known[argument].task)
            print(json.dumps(known[argument].steps), flush=True)
        else:
            seconds, own, done = server.run(argument)
            print(json.dumps([own if threads == 1 else seconds, done]), flush=True)


class Core:
    """The near side of such a process."""

    def __init__(self, given: str, threads: int) -> None:
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        from benchmarks.worker import environment, variables

        root, extension = extension_of(given)
        command = [sys.executable, __file__, "--serve", str(root), str(extension), str(threads)]
        with variables(environment(threads)):
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.cases: list[tuple[str, str]] = [(name, group) for name, group in self.answer()]

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit("a core's process has ended")
        return json.loads(line)

    def ask(self, question: str, argument: object) -> Any:
        assert self.process.stdin is not None
        print(json.dumps([question, argument]), file=self.process.stdin, flush=True)
        return self.answer()

    def seconds(self, steps: int) -> float:
        """For one step, after a pause in which the other's threads go to sleep."""
        time.sleep(0.02)
        took, done = self.ask("run", steps)
        return float(took) / int(done)


# --- the comparison --------------------------------------------------------------------------------------------------


def compare(old: Core, new: Core, case: str, pairs: int, seconds: float) -> list[float]:
    """Ratios of times, new by old."""
    fixed, _ = old.ask("prepare", case), new.ask("prepare", case)
    once = [min(core.seconds(fixed or 1) for _ in range(3)) for core in (old, new)]
    steps = fixed or max(1, round(seconds / min(once)))
    ratios = []
    for pair in range(pairs):
        order = (old, new) if pair % 2 == 0 else (new, old)
        took = {core: core.seconds(steps) for core in order}
        ratios.append(took[new] / took[old])
    return ratios


def main() -> int:
    """A line for each case; the exit code is the number of cases that became slower by more than 3 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("cases", nargs="*", help="groups or names with wildcards")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.1)
    asked = parser.parse_args()
    old, new = Core(asked.old, asked.threads), Core(asked.new, asked.threads)
    patterns = asked.cases or ["*"]
    slower = 0
    print(f"{asked.threads} thread(s); time of the new core by that of the old, median of {asked.pairs} pairs")
    for name, group in old.cases:
        if (name, group) in new.cases and any(fnmatch.fnmatch(name, p) or group == p for p in patterns):
            ratios = compare(old, new, name, asked.pairs, asked.seconds)
            low, middle, high = statistics.quantiles(ratios, n=4)
            slower += middle > 1.03
            print(
                f"{name:<44} {middle:6.3f}  ({low:.3f} to {high:.3f}){'  slower' if middle > 1.03 else ''}", flush=True
            )
    return slower


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        sys.exit(main())
