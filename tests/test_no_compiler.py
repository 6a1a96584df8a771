"""A machine without a C++ compiler: the build takes PyPI's, and `make train` and `pip install .` work as printed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONG = os.environ.get("CHAINRULE_LONG_TESTS") == "1"
TOOLS = ("sh", "make", "find", "rm", "touch", "mkdir", "cp", "mv", "ls", "cat", "uname", "env", "chmod")
COMPILERS = ("c++", "g++", "clang++", "cc", "gcc", "clang", "cl", "cmake", "ninja")
NOT_COPIED = (".git", ".venv", "build", "dist", "chainrule-runs", "node_modules", "__pycache__", ".*_cache", "mutants")


@pytest.fixture
def backend() -> ModuleType:
    """scripts/build_backend.py as a module."""
    pytest.importorskip("scikit_build_core")
    spec = importlib.util.spec_from_file_location("build_backend", ROOT / "scripts" / "build_backend.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, in which nothing compiles; no variable names a compiler."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    (folder / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    monkeypatch.setenv("PATH", str(folder))
    for name in ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CMAKE_ARGS", "VIRTUAL_ENV", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    assert not any(map(shutil.which, COMPILERS))
    return folder


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="tools are programs of a Unix shell")
def test_a_compiler_is_asked_for_just_where_there_is_none(
    backend: ModuleType, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert backend.compiler_requirements() == [backend.ZIG]
    for hook in (backend.get_requires_for_build_wheel, backend.get_requires_for_build_editable):
        assert backend.ZIG in hook()
    monkeypatch.setenv("CXX", "/opt/own/c++")
    assert backend.compiler_requirements() == []
    monkeypatch.delenv("CXX")
    program(bare / "g++")
    assert backend.compiler_requirements() == []


@pytest.mark.skipif(sys.platform == "win32", reason="tools are programs of a Unix shell")
@pytest.mark.parametrize(
    "target, words",
    [
        ("native", ["-bundle", "-Wl,@names of symbols", "a b.o", "-DX='y z'"]),
        ("aarch64-macos.11.0", ["-shared", "-Wl,-undefined,dynamic_lookup", "a b.o", "-DX='y z'"]),
    ],
)
def test_every_word_reaches_zig_and_macos_gets_a_library(
    backend: ModuleType, tmp_path: Path, target: str, words: list[str]
) -> None:
    echo = program(tmp_path / "python", '#!/bin/sh\nfor word; do echo "$word"; done\n')
    tools = backend.zig_tools(tmp_path / "zig", target, python=str(echo))
    given = ["-bundle", "-Wl,@names of symbols", "a b.o", "-DX='y z'"]
    said = subprocess.run([tools["CXX"], *given], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == ["-m", "ziglang", "c++", "-target", target, "-mcpu=baseline", *words]


@pytest.mark.parametrize(
    "name, suffix",
    [
        ("manylinux_2_17_aarch64", ".cpython-311-aarch64-linux-gnu.so"),
        ("musllinux_1_2_x86_64", ".cpython-311-x86_64-linux-musl.so"),
    ],
)
def test_the_core_is_called_as_python_looks_for_it_there(
    name: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("scikit_build_core")
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    wheels = importlib.import_module("build_wheels")
    (system,) = (system for system in wheels.SYSTEMS if system.tag == name)
    assert system.suffix("cp311-cp311") == suffix
    assert system.suffix("cp312-abi3") == ".abi3.so"


def test_wheels_are_tried_with_a_python_that_has_nothing_installed(tmp_path: Path) -> None:
    command = [sys.executable, "-S", str(ROOT / "scripts" / "try_wheels.py"), str(tmp_path / "a-1-cp39-cp39-any.whl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "NOT TRIED: a-1-cp39-cp39-any.whl: no Python of this machine can run it"
    assert done.stderr.strip() == "no wheel was tried: none fits a Python on the PATH"


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tree as one who has just cloned it."""
    return Path(shutil.copytree(ROOT, tmp_path / "clone", ignore=shutil.ignore_patterns(*NOT_COPIED)))


@pytest.mark.skipif(not LONG, reason="builds the core: CHAINRULE_LONG_TESTS=1")
def test_make_train_as_printed(clone: Path, bare: Path) -> None:
    said = run(clone, "make", "train", "TRAIN_ARGS=--epochs 1 --no-plots")
    assert "no C++ compiler on the PATH: taking the one of PyPI's ziglang" in said
    assert "engine native" in said
    assert "test accuracy 9" in said


@pytest.mark.skipif(not LONG, reason="builds the core: CHAINRULE_LONG_TESTS=1")
def test_pip_install_of_the_tree(clone: Path, bare: Path, tmp_path: Path) -> None:
    run(tmp_path, "python3", "-m", "venv", "venv")
    run(clone, str(tmp_path / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", ".")
    own = str(tmp_path / "venv" / "bin" / "chainrule")
    assert "engine native" in run(tmp_path, own, "train", "--epochs", "1", "--no-plots")
    assert "The gradients are right" in run(tmp_path, own, "check")
