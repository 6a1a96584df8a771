"""The walk-through of CONTRIBUTING.md: its lines make SiLU, in a copy of the package, and touch few files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("CHAINRULE_LONG_TESTS") == "1"
SEARCHED = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]


def blocks() -> list[tuple[str, str, str]]:
    """(file, what stands there, what is to stand there) of each block."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    found = []
    for file, body in re.findall(r"^```diff\n@@ (\S+) @@\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        lines = [(line[:1], line[1:]) for line in body.splitlines()]
        assert {sign for sign, _ in lines} <= {" ", "+", "-"}, file
        before, after = ("".join(f"{line}\n" for sign, line in lines if sign in (" ", kept)) for kept in "-+")
        found.append((file, before, after))
    return found


def run(folder: Path, *command: str) -> str:
    """Python in the copy. Without `site`, which would lead an editable installation back to the original."""
    paths = [str(folder / "src"), str(folder), *SEARCHED]
    done = subprocess.run(
        [sys.executable, "-S", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its tests after the walk-through."""
    folder = tmp_path_factory.mktemp("walkthrough")
    for name in ("src", "tests", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in ("pyproject.toml", "CMakeLists.txt", "README.md", "README.zh-CN.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    for file, before, after in blocks():
        text = (folder / file).read_text("utf-8")
        assert text.count(before) == 1, f"{file} does not hold, or more than once:\n{before}"
        (folder / file).write_text(text.replace(before, after), "utf-8")
    return folder


def test_nine_files_each_in_one_place() -> None:
    files = [file for file, _, _ in blocks()]
    assert len(files) == len(set(files)) == 8  # and CHANGELOG.md
    assert all(before != after for _, before, after in blocks())


def test_silu_works_in_the_copy(changed: Path) -> None:
    said = run(changed, "tests/docs/check_silu.py")
    assert str(changed) in said


def test_the_tests_of_all_layers_find_nothing_missing(changed: Path) -> None:
    """Tables of rows, words, vectors, terms and exports, and the gradients of the new rows, by the usual tests."""
    said = run(
        changed, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-k", TABLES,
        "tests/layers", "tests/equations/test_activations.py", "tests/equations/test_public.py",
        "tests/test_grammar.py", "tests/test_public_names.py", "tests/explain/test_layer_table.py",
        "tests/vectors/test_vectors.py", "tests/interchange/onnx/test_complete.py",
        "tests/interchange/onnx/test_rows.py",
        "tests/interchange/c/test_bad_input.py", "tests/interchange/c/test_rows.py",
    )  # fmt: skip
    assert re.search(r"\b(\d+) passed", said)


TABLES = "SiLU or silu or SILU or every_layer or every_exported or public_names or names_are_unique or never_change"


@pytest.mark.skipif(not LONG, reason="builds the core: CHAINRULE_LONG_TESTS=1")
@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")
def test_the_native_engine_computes_it_too(changed: Path) -> None:
    cmake = shutil.which("cmake", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if cmake is None:
        pytest.skip("no CMake")
    build = changed / "build"
    for step in (
        ["-S", str(changed), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release", f"-DPython_EXECUTABLE={sys.executable}"],
        ["--build", str(build), "--target", "_native", "--parallel", "2"],
    ):
        done = subprocess.run([cmake, *step], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    (core,) = build.glob("_native*")
    shutil.copy(core, changed / "src" / "chainrule")
    assert str(changed) in run(changed, "tests/docs/check_silu.py", "native")
    run(changed, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/engines/test_records.py")
    rows = ["tests/engines/test_agreement.py", "-k", "SiLU and every_option_of_every_layer"]
    run(changed, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *rows)
