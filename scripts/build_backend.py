"""The build backend: scikit-build-core, and a compiler from PyPI where the machine has none.

`ziglang` carries clang, a linker and the C and C++ libraries of many systems in one wheel. It stands in where no C++
compiler is found, and is what `build_wheels.py` compiles for other systems with. `python scripts/build_backend.py`
prints what has to be installed for the first.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scikit_build_core import build as _build

ROOT = Path(__file__).resolve().parent.parent
ZIG = "ziglang>=0.13"
COMPILERS = ("c++", "g++", "clang++", "cl")
BUNDLES = """for word; do
  shift
  case "$word" in
    -bundle) set -- "$@" -shared -Wl,-undefined,dynamic_lookup ;;
    -Wl,@*) ;;
    *) set -- "$@" "$word" ;;
  esac
done
"""
"""For macOS: zig's linker makes no bundles and reads no lists of symbols, but Python loads libraries just as well."""

build_sdist = _build.build_sdist
get_requires_for_build_sdist = _build.get_requires_for_build_sdist
prepare_metadata_for_build_wheel = _build.prepare_metadata_for_build_wheel
prepare_metadata_for_build_editable = _build.prepare_metadata_for_build_editable


def has_compiler() -> bool:
    """Whether CXX is set or a C++ compiler is on the PATH."""
    return "CXX" in os.environ or any(shutil.which(name) for name in COMPILERS)


def compiler_requirements() -> list[str]:
    """What to install so that there is a compiler."""
    return [] if has_compiler() else [ZIG]


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """What scikit-build-core asks for, and zig where there is no compiler."""
    return [*_build.get_requires_for_build_wheel(config_settings), *compiler_requirements()]


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    """What scikit-build-core asks for, and zig where there is no compiler."""
    return [*_build.get_requires_for_build_editable(config_settings), *compiler_requirements()]


def build_wheel(directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build a wheel with the compiler that is there."""
    with _compiler():
        return _build.build_wheel(directory, config_settings, metadata_directory)


def build_editable(directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build an editable wheel with the compiler that is there."""
    with _compiler():
        return _build.build_editable(directory, config_settings, metadata_directory)


@contextmanager
def _compiler() -> Iterator[None]:
    """The machine's own compiler, or zig's in the environment of the build."""
    if has_compiler():
        yield
        return
    before = dict(os.environ)
    os.environ.update(zig_tools(ROOT / "build" / "zig-tools"))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def zig_tools(
    folder: Path, target: str = "native", cmake_args: str = "", python: str = sys.executable
) -> dict[str, str]:
    """Compiler, archiver and the like, each as a program in `folder`, and the variables by which CMake finds them.

    CMake wants each as one path, zig has all as commands of one program. `target` is zig's triple. Left to itself zig
    compiles for the very processor it runs on; ours choose their instructions when they run, so "baseline".
    """
    folder.mkdir(parents=True, exist_ok=True)
    choice = ["-target", target, "-mcpu=baseline"]
    commands = {"cc": ["cc", *choice], "c++": ["c++", *choice], "ar": ["ar"], "ranlib": ["ranlib"]}
    paths = {name: folder / f"zig-{name}" for name in commands}
    translation = BUNDLES if "macos" in target else ""
    for name, command in commands.items():
        call = shlex.join([python, "-m", "ziglang", *command])
        paths[name].write_text(f'#!/bin/sh\n{translation}exec {call} "$@"\n')
        paths[name].chmod(0o755)
    # Under the stable ABI Python.h leaves <stdio.h> out; nanobind writes to stderr, which libc++ alone does not bring.
    flags = f"{os.environ.get('CXXFLAGS', '')} -include cstdio".strip()
    archiver = f"-DCMAKE_AR={paths['ar']} -DCMAKE_RANLIB={paths['ranlib']}"
    given = os.environ.get("CMAKE_ARGS", "")
    return {
        "CC": str(paths["cc"]),
        "CXX": str(paths["c++"]),
        "CXXFLAGS": flags,
        "CMAKE_ARGS": " ".join(part for part in (given, archiver, cmake_args) if part),
    }


if __name__ == "__main__":
    print(*compiler_requirements())
