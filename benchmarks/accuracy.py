"""Seconds from process start to the end of the first epoch with 99 % test accuracy: LeNet-5, full MNIST, five seeds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import rivals
from benchmarks.recipe import GOAL
from benchmarks.records import Results, Sample
from benchmarks.worker import environment

CASE = "full MNIST to 99 %"
LAST_EPOCH = "full MNIST, accuracy reached"
SPEED = "full MNIST, whole process"
TRAINING_IMAGES = 60_000
RUNNERS = {
    rivals.OURS: ("chainrule", "benchmarks.race.with_chainrule"),
    "PyTorch eager": ("torch", "benchmarks.race.with_torch"),
}


def run(results: Results, folder: Path, seeds: int, threads: int) -> None:
    """All runners with the first seed, then with the next, and so on."""
    for seed in range(seeds):
        for name, (_, module) in RUNNERS.items():
            if not rivals.installed(name):
                continue
            seconds, accuracies, complaint = race(module, folder, seed, threads)
            if not accuracies:
                results.remark(CASE, name, complaint)
                continue
            results.samples.append(Sample(LAST_EPOCH, name, seed, accuracies[-1], 1))
            results.samples.append(Sample(SPEED, name, seed, seconds, len(accuracies) * TRAINING_IMAGES))
            if accuracies[-1] >= GOAL:
                results.samples.append(Sample(CASE, name, seed, seconds, 1))
            else:
                results.remark(CASE, name, f"seed {seed} ended at {accuracies[-1]:.2%} after {seconds:.1f} s")


def race(module: str, folder: Path, seed: int, threads: int) -> tuple[float, list[float], str]:
    """(seconds until the last accuracy was known, accuracy after each epoch, what went wrong)."""
    command = [sys.executable, "-m", module, str(folder), str(seed)]
    accuracies: list[float] = []
    root = Path(__file__).resolve().parent.parent
    begin = end = time.perf_counter()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env=dict(os.environ) | environment(threads),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            end = time.perf_counter()
            accuracies.append(float(line))
        complaint = process.stderr.read().strip()
    return end - begin, accuracies, complaint.splitlines()[-1] if complaint else "no output"
