"""Every example runs, and prints what it promises."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
PROMISED = {
    "two_two_two.py": ["loss before            0.298371109", "loss after 10,000      0.000035102"],
    "lenet5_on_digits.py": ["61,706", "epoch 1/1", "accuracy"],
    "onnx_export.py": ["digits.safetensors", "predict.onnx", "step.onnx", "step.safetensors"],
    "onnx_train.py": ["epoch 1/1  loss", "of 1,000 test images"],
    "search_architectures.py": ["(no hidden layer)", "test accuracy of the best: 9"],
    "own_layer.py": ["The gradients are right", "The gradients are WRONG", "linear1.weight["],
}


def test_every_example_is_tested() -> None:
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == sorted(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_example(name: str, tmp_path: Path) -> None:
    if name == "onnx_train.py":
        run(tmp_path, sys.executable, str(EXAMPLES / "onnx_export.py"))
    arguments = {"lenet5_on_digits.py": ["1"], "onnx_train.py": ["onnx-lenet5", "1"]}.get(name, [])
    output = run(tmp_path, sys.executable, "-W", "error", str(EXAMPLES / name), *arguments)
    for text in PROMISED[name]:
        assert text in output


def run(folder: Path, *command: str) -> str:
    """What a program prints that runs in a folder and ends well."""
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


# --- training without chainrule ---------------------------------------------------------------------------------------

LONG = os.environ.get("CHAINRULE_LONG_TESTS") == "1"
NODE = shutil.which("node") if (EXAMPLES / "node_modules" / "onnxruntime-web").exists() else None


def test_the_loop_knows_nothing_but_numpy_and_the_runtime() -> None:
    tree = ast.parse((EXAMPLES / "onnx_train.py").read_text(encoding="utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    found |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert found == {"json", "sys", "pathlib", "numpy", "onnxruntime"}


@pytest.mark.parametrize(("runtime", "epochs", "least"), [("python", "30", 98), ("node", "4", 95)])
def test_lenet5_learns_the_digits_in_a_runtime_alone(runtime: str, epochs: str, least: float, tmp_path: Path) -> None:
    if runtime == "node" and NODE is None:
        pytest.skip("needs node, and npm install in examples")
    if not LONG:
        pytest.skip("one epoch is run above; all of them with CHAINRULE_LONG_TESTS=1")
    run(tmp_path, sys.executable, str(EXAMPLES / "onnx_export.py"))
    assert (tmp_path / "onnx-lenet5" / "step.onnx").stat().st_size <= 10_000
    script = EXAMPLES / ("onnx_train.py" if runtime == "python" else "onnx_train.mjs")
    output = run(tmp_path, str(sys.executable if runtime == "python" else NODE), str(script), "onnx-lenet5", epochs)
    match = re.search(r"accuracy ([\d.]+)%", output)
    assert match is not None
    assert float(match[1]) >= least
