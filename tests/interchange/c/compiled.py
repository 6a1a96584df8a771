"""Exported networks, compiled by the C compiler at hand and called from Python."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.helpers import Array

COMPILER = next((found for name in ("gcc", "clang", "cc") if (found := shutil.which(name))), None)
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SAME_BITS = ["-ffp-contract=off"]
LONG = bool(os.environ.get("CHAINRULE_LONG_TESTS"))

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler on the PATH")


class Compiled:
    """One network in a shared object of its own."""

    def __init__(
        self, net: cr.Network, folder: Path, name: str = "net", *, flags: tuple[str, ...] = ("-O0",),
        compiler: str | None = None, dtype: str = "float64", **asked: Any,
    ) -> None:  # fmt: skip
        self.net = net
        self.plan = net.to_c(folder / name, dtype=dtype, **asked)
        self.name, self.folder = name, folder
        library = folder / f"lib{name}.so"
        command = [
            compiler or str(COMPILER),
            *STRICT,
            *SAME_BITS,
            *flags,
            "-shared",
            "-fPIC",
            "-o",
            library,
            f"{name}.c",
        ]
        done = subprocess.run(
            list(map(str, [*command, "-lm"])), cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[:4000]
        self.library = ctypes.CDLL(str(library))
        self.dtype = np.dtype(dtype)
        self.real = ctypes.c_float if dtype == "float32" else ctypes.c_double
        if asked.get("what") == "train_step":
            self.step = getattr(self.library, f"{name}_train_step")
            self.step.restype = self.real
        if asked.get("weights") == "beside":
            self.numbers = np.fromfile(folder / f"{name}.bin", self.dtype.newbyteorder("<")).astype(self.dtype)
            getattr(self.library, f"{name}_load")(_pointer(self.numbers))

    def predict(self, x: Array) -> Array:
        """Sample by sample, as a device would."""
        given = np.ascontiguousarray(x, self.dtype)
        y = np.empty((len(x), *self.net.output_shape), self.dtype)
        for one, out in zip(given, y, strict=True):
            getattr(self.library, f"{self.name}_predict")(_pointer(one), _pointer(out))
        return y

    def train_step(self, x: Array, targets: Array, rate: float, count: int | None = None) -> float:
        """One step; the loss."""
        kind = np.int32 if targets.dtype.kind in "iu" else self.dtype
        given, wanted = np.ascontiguousarray(x, self.dtype), np.ascontiguousarray(targets, kind)
        number = len(x) if count is None else count
        return float(self.step(_pointer(given), _pointer(wanted), ctypes.c_int(number), self.real(rate)))

    def parameters(self, size: int) -> Array:
        """What it has learned so far, flat; a view."""
        block = (self.real * size).in_dll(self.library, f"{self.name}_parameters")
        return np.ctypeslib.as_array(block)


def _pointer(array: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
