"""Gradient vectors: complete, the same bytes each time, exact where they say so, and readable as the docs say."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

import chainrule as cr
from chainrule.errors import StorageError
from chainrule.layers import LAYERS
from chainrule.losses import LOSSES
from chainrule.shapes import product
from chainrule.vectors import write_vectors
from chainrule.vectors.build import all_cases
from chainrule.vectors.cases import LayerCase, LossCase
from tests.helpers import numerical_gradient
from tests.layers.rows import KINKED

ROOT = Path(__file__).resolve().parents[2]
CASES = all_cases()
EXACT_DIGEST = "2314b022c63f7ada224dbf687bb4c6eea7a92d85d16901c71bd1ca09f9386e4b"
"""SHA-256 of the hashes of all exact cases: it changes with `VERSION`, and only then."""
INITIALISATION = {"initialization"}
"""Options that decide no gradient."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vectors")
    write_vectors(path)
    return path


@pytest.fixture(scope="module")
def manifest(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return loaded


def _options() -> Iterator[tuple[str, str]]:
    for name, layer in LAYERS.items():
        for option in inspect.signature(layer).parameters:
            if option not in ("args", "kwargs", "name", *INITIALISATION):  # a name changes no number
                yield name, option


@pytest.mark.parametrize("layer, option", list(_options()))
def test_every_option_of_every_layer_has_a_case(layer: str, option: str) -> None:
    default = inspect.signature(LAYERS[layer]).parameters[option].default
    used = [
        c.layer.hyperparameters()[option] for c in CASES if isinstance(c, LayerCase) and type(c.layer).__name__ == layer
    ]
    assert any(isinstance(v, np.ndarray) or v not in (default, (default,) * 2, (default,) * 4) for v in used)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_a_case(layer: str) -> None:
    assert any(isinstance(c, LayerCase) and type(c.layer).__name__ == layer for c in CASES)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_has_a_case_with_each_reduction(loss: str) -> None:
    made = {c.loss.reduction for c in CASES if isinstance(c, LossCase) and type(c.loss).__name__ == loss}
    assert made == {"mean", "sum"}


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_same_bytes_each_time(folder: Path, tmp_path: Path) -> None:
    write_vectors(tmp_path)
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert len(files) == len(CASES) + 1
    for name in files:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_the_bytes_of_a_version_never_change(manifest: dict[str, Any]) -> None:
    hashes = "".join(case["sha256"] for case in manifest["cases"] if case["exact"])
    assert hashlib.sha256(hashes.encode()).hexdigest() == EXACT_DIGEST, "new numbers need a new VERSION"


def test_the_manifest_describes_the_files(folder: Path, manifest: dict[str, Any]) -> None:
    assert (manifest["format"], manifest["version"]) == ("chainrule gradient vectors", 2)
    for case in manifest["cases"]:
        data = (folder / case["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == case["sha256"]
        tensors = load_file(folder / case["file"])
        assert {n: {"shape": list(a.shape), "dtype": a.dtype.name} for n, a in tensors.items()} == case["tensors"]
        assert case["equation"]
        assert case["description"]
        assert all(re.fullmatch(r"S\d-[A-Z]\d\d|ER\w-\d\d", source) for source in case["sources"])
        assert all(np.isfinite(a).all() for a in tensors.values()), case["name"]


def test_gradients_have_the_shapes_of_what_they_belong_to(manifest: dict[str, Any]) -> None:
    for case in manifest["cases"]:
        shapes = {name: tensor["shape"] for name, tensor in case["tensors"].items()}
        for name, shape in shapes.items():
            if name.startswith("gradient."):
                assert shape == shapes["parameter." + name.removeprefix("gradient.")]
            elif name.startswith("d") and name[1:] in shapes:
                assert shape == shapes[name[1:]]


def rebuilt(entry: dict[str, Any], tensors: dict[str, Any]) -> Any:
    """The layer that a manifest entry describes, through the public constructor."""
    given = {
        name: tensors[value["tensor"]].astype(bool) if isinstance(value, dict) else value
        for name, value in entry["hyperparameters"].items()
    }
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return getattr(cr, entry["class"])(**given)


def test_hyperparameters_build_the_layer_again(folder: Path, manifest: dict[str, Any]) -> None:
    for entry, case in zip(manifest["cases"], CASES, strict=True):
        thing = rebuilt(entry, load_file(folder / entry["file"]))
        assert repr(thing) == repr(case.layer if isinstance(case, LayerCase) else case.loss)


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 60, reason="needs long doubles")
@pytest.mark.parametrize("case", [c for c in CASES if isinstance(c, LayerCase) and c.exact], ids=lambda c: c.name)
def test_exact_cases_are_exact(case: LayerCase, folder: Path) -> None:
    """In a longer precision nothing changes: no product and no sum was rounded."""
    tensors = load_file(folder / f"cases/{case.name}.safetensors")
    long = {name: array.astype(np.longdouble) for name, array in tensors.items()}
    own = {name.partition(".")[2]: a for name, a in long.items() if name.startswith(("parameter.", "buffer."))}
    xs = [long[name] for name in ("x", "x0", "x1", "x2") if name in long]
    y, saved = case.layer.forward(own, *xs, context=case.context())
    dx = case.layer.backward_input(own, long["dy"], saved)
    found = {
        "y": y,
        **dict(
            zip(
                (n for n in ("dx", "dx0", "dx1", "dx2") if n in long),
                dx if isinstance(dx, tuple) else (dx,),
                strict=True,
            )
        ),
    }
    found |= {f"gradient.{n}": g for n, g in case.layer.backward_parameters(own, long["dy"], saved).items()}
    for name, array in found.items():
        assert np.array_equal(array, long[name]), name


SMOOTH = [
    c
    for c in CASES
    if isinstance(c, LayerCase)
    and c.kind == "plain"
    and len(c.shapes) == 1
    and c.batch * product(c.shapes[0]) <= 80
    and type(c.layer).__name__ not in KINKED  # zeros among the numbers: kinks
]


@pytest.mark.parametrize("case", SMOOTH, ids=lambda c: c.name)
def test_dx_agrees_with_differences(case: LayerCase, folder: Path) -> None:
    tensors = load_file(folder / f"cases/{case.name}.safetensors")
    own = {n.partition(".")[2]: a for n, a in tensors.items() if n.startswith(("parameter.", "buffer."))}

    def objective(x: Any) -> float:
        return float((case.layer.forward(own, x, context=case.context())[0] * tensors["dy"]).sum())

    numerical = numerical_gradient(objective, tensors["x"], 1e-4)
    scale = max(1.0, float(np.abs(numerical).max()))
    assert np.abs(numerical - tensors["dx"]).max() <= 1e-5 * scale


def program_of(page: str) -> str:
    """The program that a page of the docs shows."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]


@pytest.mark.parametrize("page", ["vectors.md", "vectors.zh-CN.md"])
def test_the_reader_of_the_docs_runs(page: str, folder: Path, tmp_path: Path) -> None:
    program = program_of(page)
    assert len(program.strip().splitlines()) <= 30
    assert set(re.findall(r"^(?:import|from) (\w+)", program, flags=re.MULTILINE)) - set(sys.stdlib_module_names) == {
        "numpy",
        "safetensors",
    }
    script = tmp_path / "reader.py"
    script.write_text(program, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) >= 20
    assert all(" ok " in line for line in lines), done.stdout


def test_the_reader_finds_a_mistake(folder: Path, tmp_path: Path) -> None:
    wrong = program_of("vectors.md").replace("return dw", "return dw[..., ::-1]", 1)
    script = tmp_path / "reader.py"
    script.write_text(wrong, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script), str(folder)], capture_output=True, text=True, check=True)
    assert "WRONG" in done.stdout


def test_both_pages_hold_the_same_program() -> None:
    english, chinese = (re.sub(r" +# .*", "", program_of(page)) for page in ("vectors.md", "vectors.zh-CN.md"))
    assert english == chinese


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot create"):
        write_vectors(tmp_path / "file")


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from chainrule.cli.app import app

    done = CliRunner().invoke(app, ["vectors", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert f"{len(CASES)} cases" in done.output
    assert (tmp_path / "out" / "manifest.json").is_file()
