"""Every example runs, and prints what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
PROMISED = {
    "two_two_two.py": ["loss before            0.298371109", "loss after 10,000      0.000035102"],
    "lenet5_on_digits.py": ["61,706", "epoch 1/1", "accuracy"],
    "own_layer.py": ["The gradients are right", "The gradients are WRONG", "linear1.weight["],
}


def test_every_example_is_tested() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_example(name: str) -> None:
    command = [sys.executable, "-W", "error", str(EXAMPLES / name)] + (["1"] if "lenet5" in name else [])
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    for text in PROMISED[name]:
        assert text in result.stdout
