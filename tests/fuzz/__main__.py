"""Fuzz readers: python -m tests.fuzz SECONDS [TARGET ...], SECONDS for each. With atheris (coverage-guided) where it is
installed, else with hypothesis. FUZZ_RUNS asks for so many inputs instead, the same ones with the same FUZZ_SEED. An
input that a reader did not survive is kept in build/fuzz/TARGET."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType

FOUND = Path("build/fuzz")
INSTRUMENTED = ("chainrule", "json.", "zipfile", "gzip", "numpy.lib", "PIL.")


def guided(name: str, seconds: int) -> None:
    """One target with atheris, which ends the process."""
    import atheris

    from tests.fuzz.targets import CORPUS, attack

    for function in gc.get_objects():  # an editable install has an import hook of its own, which atheris' does not meet
        if isinstance(function, FunctionType) and str(function.__module__).startswith(INSTRUMENTED):
            atheris.instrument_func(function)
    grown = FOUND / name / "corpus"
    grown.mkdir(parents=True, exist_ok=True)
    runs = os.environ.get("FUZZ_RUNS")
    options = [f"-runs={runs}" if runs else f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=3000"]
    options += [f"-artifact_prefix={FOUND / name}/", "-max_len=4096", "-verbosity=0", "-print_final_stats=1"]
    if "FUZZ_SEED" in os.environ:
        options.append(f"-seed={os.environ['FUZZ_SEED']}")
    atheris.Setup(["fuzz", *options, str(grown), str(CORPUS / name)], lambda content: attack(name, content))
    atheris.Fuzz()


def drawn(name: str, seconds: int) -> None:
    """One target with hypothesis, in rounds of random examples."""
    from hypothesis import HealthCheck, given, settings

    from tests.fuzz.mutations import inputs
    from tests.fuzz.targets import attack

    (FOUND / name).mkdir(parents=True, exist_ok=True)

    @settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(inputs(name))
    def round_of_examples(content: bytes) -> None:
        (FOUND / name / "last").write_bytes(content)  # what is there after a crash of the process
        attack(name, content)

    end, rounds, runs = time.monotonic() + seconds, 0, os.environ.get("FUZZ_RUNS")
    while 500 * rounds < int(runs) if runs else time.monotonic() < end:
        round_of_examples()
        rounds += 1
    print(f"{name}: {500 * rounds:,} inputs")


def one(name: str, seconds: int) -> None:
    try:
        (guided if find_spec("atheris") else drawn)(name, seconds)
    except Exception:
        traceback.print_exc()
        raise SystemExit(1) from None


def processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def apart(name: str, seconds: int) -> int:
    """One target in a process of its own, for a crash is a find; says its exit code."""
    command = [sys.executable, "-m", "tests.fuzz", str(seconds), name]
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    print(f"--- {name}\n{done.stdout}", end="", flush=True)
    return done.returncode


def main(arguments: list[str]) -> int:
    seconds, names = int(arguments[0]), arguments[1:]
    if len(names) == 1:
        one(names[0], seconds)
        return 0
    if not names:
        from tests.fuzz.targets import TARGETS

        names = list(TARGETS)
    with ThreadPoolExecutor(processors()) as team:
        codes = list(team.map(lambda name: apart(name, seconds), names))
    fallen = [f"{name} (exit code {code})" for name, code in zip(names, codes, strict=True) if code]
    print(f"{len(names) - len(fallen)} passed, {len(fallen)} failed")
    for name in fallen:
        print(f"fell: {name}; its input is in {FOUND}/{name.split()[0]}")
    return 1 if fallen else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
