"""Plant mistakes in a copy of the package and see whether a test notices: how good the tests are, not the code.

python scripts/mutants.py                      200 mutants drawn at random, and all mistakes planted by hand
python scripts/mutants.py --count 0            every mutant that there is (thousands)
python scripts/mutants.py --only '*pooling*'   mutants of some functions

mutmut plants mutants in the bodies of functions and runs the tests that touch the function. What it cannot reach
(tables, class attributes, meaningful swaps) is planted by hand: tests/mutants/planted.toml. A mutant that no test kills
fails the run, unless tests/mutants/explained.toml says why it changes nothing that could be tested.
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib.util
import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "tests" / "mutants"
COPIED = (
    "src/chainrule",
    "tests",
    "docs",
    "scripts",
    "benchmarks",
    "pyproject.toml",
    "README.md",
    "README.zh-CN.md",
    "CHANGELOG.md",
)
KILLED = ("killed", "timeout", "segfault")

# An editable install finds the package where it stands; here the copy must be found.
SITE = """import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "ScikitBuild" not in type(finder).__name__]
"""
GENERATE = """from mutmut import __main__ as tool
tool.copy_src_dir()
tool.copy_also_copy_files()
tool.setup_source_paths()
tool.store_lines_covered_by_tests()
tool.create_mutants(1)
"""


@dataclass(frozen=True)
class Mutant:
    """A planted change: the function (or file) where it stands, the lines before and after, and what became of it."""

    name: str
    where: str
    was: str
    becomes: str
    status: str

    @property
    def module(self) -> str:
        parts = self.where.split(".")
        return ".".join(parts[1:3] if parts[1] in ("equations", "layers", "preprocessing") else parts[1:2])


# --- a copy to plant in ----------------------------------------------------------------------------------------------


def copy_tree(tree: Path) -> None:
    """The sources, the tests and the compiled core, where nobody else imports from."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in COPIED:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(origin, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, tree / name)
    core = importlib.util.find_spec("chainrule._native")
    if core is None or core.origin is None:
        raise SystemExit("the compiled core is missing; run `make install` first")
    shutil.copy(core.origin, tree / "src" / "chainrule")
    (tree / "site").mkdir()
    (tree / "site" / "sitecustomize.py").write_text(SITE, encoding="utf-8")


def run_in(tree: Path, *command: str, show: bool = False) -> subprocess.CompletedProcess[str]:
    """A Python command in the copy, which sees the copy's package and one thread."""
    paths = os.pathsep.join((str(tree / "site"), str(tree / "src")))
    environment = {**os.environ, "PYTHONPATH": paths, "CHAINRULE_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=tree, env=environment, text=True, check=False,
        stdout=None if show else subprocess.PIPE, stderr=None if show else subprocess.STDOUT,
    )  # fmt: skip


# --- mistakes planted by hand ----------------------------------------------------------------------------------------


def plant_by_hand(tree: Path) -> list[Mutant]:
    """Each mistake of planted.toml against the test files that should notice it."""
    planted = tomllib.loads((LISTS / "planted.toml").read_text(encoding="utf-8"))["planted"]
    files = sorted({test for entry in planted for test in entry["tests"]})
    _expect_code(run_in(tree, "-m", "pytest", "-q", "-n", "0", *files), 0, "without any planted mistake")
    return [_plant(tree, entry) for entry in planted]


def _plant(tree: Path, entry: dict[str, Any]) -> Mutant:
    path = tree / "src" / "chainrule" / entry["file"]
    where = "chainrule." + entry["file"].removesuffix(".py").replace("/", ".")
    text = path.read_text(encoding="utf-8")
    if (count := text.count(entry["was"])) != 1:
        return Mutant(
            entry["name"], where, entry["was"], entry["becomes"], f"not planted, its line stands {count} times"
        )
    path.write_text(text.replace(entry["was"], entry["becomes"]), encoding="utf-8")
    try:
        result = run_in(tree, "-m", "pytest", "-q", "-x", "-n", "0", *entry["tests"])
    finally:
        path.write_text(text, encoding="utf-8")
    if result.returncode not in (0, 1):
        _expect_code(result, 1, f"with the planted mistake {entry['name']}")
    return Mutant(entry["name"], where, entry["was"], entry["becomes"], "killed" if result.returncode else "survived")


def _expect_code(result: subprocess.CompletedProcess[str], code: int, when: str) -> None:
    if result.returncode != code:
        raise SystemExit(f"{result.stdout}\npytest ended with {result.returncode}, not {code}, {when}")


# --- mutants planted by mutmut ---------------------------------------------------------------------------------------


def plant_at_random(tree: Path, count: int, seed: int, only: str) -> list[Mutant]:
    """Draw `count` mutants (0: all), run the tests that touch them, and read back what became of each."""
    _expect_code(run_in(tree, "-c", GENERATE), 0, "while mutants were made")
    names = sorted(name for name in _results(tree) if fnmatch.fnmatch(function_of(name), only))
    if not names:
        raise SystemExit(f"no function with mutants is called {only}")
    chosen = sorted(random.Random(seed).sample(names, min(count or len(names), len(names))))
    print(f"{len(chosen)} of {len(names)} mutants, seed {seed}", flush=True)
    result = run_in(tree, "-m", "mutmut", "run", "--max-children", "1", *chosen)
    if "mutations/second" not in result.stdout:
        raise SystemExit(f"{result.stdout[-5000:]}\nmutmut did not reach its end")
    statuses = _results(tree)
    return [_read(tree, name, statuses[name]) for name in chosen]


def _results(tree: Path) -> dict[str, str]:
    output = run_in(tree, "-m", "mutmut", "results", "--all", "true").stdout
    return dict(re.findall(r"^ +(\S+__mutmut_\d+): (.+)$", output, re.MULTILINE))


def function_of(name: str) -> str:
    """chainrule.layers.dense.xǁLinearǁforward__mutmut_3 as chainrule.layers.dense.Linear.forward."""
    stem = re.sub(r"__mutmut_\d+$", "", name)
    module, _, own = stem.rpartition(".")
    return f"{module}.{own.removeprefix('xǁ').removeprefix('x_').replace('ǁ', '.')}"


def _read(tree: Path, name: str, status: str) -> Mutant:
    """The mutant with its lines; those of killed ones are not asked for."""
    was = becomes = ""
    if status not in KILLED:
        lines = run_in(tree, "-m", "mutmut", "show", name).stdout.splitlines()
        was = _joined(line for line in lines if re.match(r"-(?!--)", line))
        becomes = _joined(line for line in lines if re.match(r"\+(?!\+\+)", line))
    return Mutant(name, function_of(name), was, becomes, status)


def _joined(lines: Any) -> str:
    return " ".join(line[1:].strip() for line in lines)


# --- what is known, and the report -----------------------------------------------------------------------------------


def explanation(mutant: Mutant, explained: list[dict[str, str]]) -> str | None:
    """Why a survivor is no gap in the tests: the same change in the same function, or one that fits a pattern."""
    if only_wording(mutant):
        return "the wording of a sentence; tests ask for what it must name"
    for entry in explained:
        if not fnmatch.fnmatch(mutant.where, entry["where"]):
            continue
        if "pattern" in entry:
            if re.search(entry["pattern"], f"{mutant.was} -> {mutant.becomes}"):
                return entry["why"]
        elif (entry["was"], entry["becomes"]) == (mutant.was, mutant.becomes):
            return entry["why"]
    return None


def only_wording(mutant: Mutant) -> bool:
    """Whether a text of several words was only written in other letters, or between XX and XX."""
    same = mutant.becomes.replace("XX", "").lower() == mutant.was.lower()
    words = max((len(text.split()) for text in re.findall(r"""["'](.*?)["']""", mutant.was)), default=0)
    return same and words > 2


def report(mutants: list[Mutant]) -> int:
    """Print the table and each survivor; the number of survivors that nobody has explained."""
    explained = tomllib.loads((LISTS / "explained.toml").read_text(encoding="utf-8"))["explained"]
    survivors = [(mutant, explanation(mutant, explained)) for mutant in mutants if mutant.status not in KILLED]
    for mutant, why in survivors:
        print(f"\n{mutant.name}: {mutant.status}\n  - {mutant.was}\n  + {mutant.becomes}\n  {why or 'NOT EXPLAINED'}")
    planted, killed = Counter(m.module for m in mutants), Counter(m.module for m in mutants if m.status in KILLED)
    known = Counter(mutant.module for mutant, why in survivors if why)
    print(f"\n{'module':40} planted  killed  explained  open")
    for module in (*sorted(planted), "all"):
        row = [c.total() if module == "all" else c[module] for c in (planted, killed, known)]
        print(f"{module:40} {row[0]:7} {row[1]:7} {row[2]:10} {row[0] - row[1] - row[2]:5}")
    return sum(why is None for _, why in survivors)


def main() -> None:
    parser = argparse.ArgumentParser(description="Plant mistakes and see whether the tests notice.")
    parser.add_argument("--count", type=int, default=200, help="mutants drawn at random; 0 for all")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--only", default="*", help="functions, such as 'chainrule.layers.*'")
    parser.add_argument("--by-hand", action="store_true", help="only the mistakes planted by hand")
    parser.add_argument("--tree", type=Path, default=ROOT / "build" / "mutants", help="where the copy is made")
    options = parser.parse_args()
    copy_tree(options.tree)
    mutants = plant_by_hand(options.tree)
    if not options.by_hand:
        mutants += plant_at_random(options.tree, options.count, options.seed, options.only)
    sys.exit(1 if report(mutants) else 0)


if __name__ == "__main__":
    main()
