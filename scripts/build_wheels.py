"""Wheels for many systems from one machine, with zig as the cross compiler: `make wheels`.

    python scripts/build_wheels.py [--only TEXT] [--twice] [--linked-only] [--output dist]

For each system two wheels: one for CPython 3.11, and one for the stable ABI of 3.12 that serves every later version;
and the sources (sdist). Each wheel is checked: size, contents, metadata, symbol versions, use of the stable ABI.
With --twice each is also built from the unpacked sources, in another folder, and has to come out the same to the bit.
With --linked-only the wheels are for macOS instead: they can be linked here, but neither be checked in full nor run.
Needs Python 3.11 and 3.12 or later on the PATH, or named in PYTHONS. `try_wheels.py` then installs and uses the wheels.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from build_backend import ROOT, ZIG, build_sdist, zig_tools
from pythons import pythons

LARGEST = 3_000_000  # bytes
BUILD_TOOLS = ["scikit-build-core>=0.10", "nanobind>=2.4", "cmake", "ninja"]
WORK = ROOT / "build" / "wheels"
CHECK_TOOLS = ["auditwheel>=6.4", "abi3audit", "check-wheel-contents", "twine"]


@dataclass(frozen=True)
class System:
    """Where a wheel runs: its name in wheels, zig's name of it, CMake's, and Python's."""

    tag: str
    zig: str
    cmake_name: str
    processor: str
    soabi: str

    @property
    def cmake_args(self) -> str:
        """What makes CMake compile for this system."""
        return f"-DCMAKE_SYSTEM_NAME={self.cmake_name} -DCMAKE_SYSTEM_PROCESSOR={self.processor}"

    def suffix(self, tag: str) -> str:
        """How the names of extension modules end that Pythons of "cp311-cp311" or "cp312-abi3" load here."""
        python, abi = tag.split("-")
        return ".abi3.so" if abi == "abi3" else f".cpython-{python[2:]}-{self.soabi}.so"


SYSTEMS = (
    System("manylinux_2_17_x86_64", "x86_64-linux-gnu.2.17", "Linux", "x86_64", "x86_64-linux-gnu"),
    System("manylinux_2_17_aarch64", "aarch64-linux-gnu.2.17", "Linux", "aarch64", "aarch64-linux-gnu"),
    System("musllinux_1_2_x86_64", "x86_64-linux-musl", "Linux", "x86_64", "x86_64-linux-musl"),
    System("musllinux_1_2_aarch64", "aarch64-linux-musl", "Linux", "aarch64", "aarch64-linux-musl"),
)


LINKED_ONLY = (
    System("macosx_11_0_arm64", "aarch64-macos.11.0", "Darwin", "arm64", "darwin"),
    System("macosx_11_0_x86_64", "x86_64-macos.11.0", "Darwin", "x86_64", "darwin"),
)
"""Systems whose wheels no machine with Linux can run."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that wheels are built with: its headers decide for which versions they are."""

    program: str
    tag: str


def interpreters() -> list[Interpreter]:
    """CPython 3.11, and the oldest later one for the stable ABI."""
    found = pythons()
    later = min((minor for minor in found if minor > 11), default=None)
    if 11 not in found or later is None:
        sys.exit(
            "wheels are built with Python 3.11 and with 3.12 or later: put both on the PATH, or name them, as in "
            'PYTHONS="/opt/python3.11/bin/python3 /opt/python3.12/bin/python3"'
        )
    return [Interpreter(found[11], "cp311-cp311"), Interpreter(found[later], "cp312-abi3")]


def environment(program: str, folder: Path, requirements: list[str]) -> Path:
    """A virtual environment with these packages, made once; its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        run([program, "-m", "venv", str(folder)])
        run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements])
    return python


def zig() -> Path:
    """The Python that has zig: one for all, since each installation builds its own C++ library for each system."""
    return environment(sys.executable, WORK / "zig", [ZIG])


def run(command: list[str], **more: object) -> None:
    """Run a command and end with what it printed if it fails."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)  # type: ignore[call-overload]
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\nfailed with exit code {done.returncode}")


@dataclass(frozen=True)
class Workshop:
    """Where wheels for one system are built from one tree of sources.

    Most of the core knows nothing of Python; objects are kept, so that the second interpreter compiles only the rest.
    """

    system: System
    source: Path
    folder: Path

    def build(self, interpreter: Interpreter, python: Path, output: Path) -> Path:
        """Build one wheel and return its path."""
        made, objects = self.folder / interpreter.tag, self.folder / "build"
        (objects / "CMakeCache.txt").unlink(missing_ok=True)  # it remembers the interpreter before
        settings = {
            "wheel.tags": f"{interpreter.tag}-{self.system.tag}",
            "build-dir": str(objects),
            "install.strip": "false",  # the linker has done so; strip knows this machine's kind of files only
        }
        options = [f"--config-settings={name}={value}" for name, value in settings.items()]
        command = [str(python), "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-build-isolation", *options, "--wheel-dir", str(made), str(self.source)]
        run(command, env=self.environment(interpreter, python))
        (wheel,) = made.glob("*.whl")
        output.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(wheel, output / wheel.name))

    def environment(self, interpreter: Interpreter, python: Path) -> dict[str, str]:
        """Variables of a build: zig's tools, and nothing in the result that depends on time or place."""
        tools = zig_tools(self.folder / "tools", self.system.zig, self.system.cmake_args, str(zig()))
        same_paths = f"-ffile-prefix-map={self.source}=. -ffile-prefix-map={WORK}=python"
        return {
            **os.environ,
            **tools,
            "CXXFLAGS": f"{tools['CXXFLAGS']} {same_paths}",
            "SETUPTOOLS_EXT_SUFFIX": self.system.suffix(interpreter.tag),
            "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", last_commit()),
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        }


def last_commit() -> str:
    """Seconds of the last commit, which date the files of a wheel; a fixed day outside a repository."""
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "1700000000"


def check(wheel: Path, system: System, tools: Path) -> None:
    """Size, name of the core, contents, metadata, and what the compiled core asks of the system it is loaded on."""
    size = wheel.stat().st_size
    if size > LARGEST:
        sys.exit(f"{wheel.name} has {size:,} bytes, more than {LARGEST:,}")
    with zipfile.ZipFile(wheel) as archive:
        cores = [name for name in archive.namelist() if name.endswith((".so", ".pyd"))]
    if cores != [wanted := f"chainrule/_native{system.suffix('-'.join(wheel.stem.split('-')[2:4]))}"]:
        sys.exit(f"{wheel.name} holds {cores}, but Python there looks for {wanted}")
    run([str(tools / "check-wheel-contents"), str(wheel)])
    run([str(tools / "twine"), "check", "--strict", str(wheel)])
    if "linux" in wheel.name:
        audit(wheel, tools)
    if "-abi3-" in wheel.name:
        run([str(tools / "abi3audit"), "--strict", "--verbose", str(wheel)])


def audit(wheel: Path, tools: Path) -> None:
    """The policy that a wheel meets by its symbols has to be the one in its name.

    Libraries of this machine do not count. musl's loader takes the name libc.so for itself; auditwheel knows that
    library by the name it has on Alpine alone.
    """
    with tempfile.TemporaryDirectory() as nothing:
        command = [str(tools / "auditwheel"), "show", "--ldpaths", nothing, str(wheel)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    shown, system = " ".join(done.stdout.split()), wheel.stem.rsplit("-", 1)[1]
    kept = f'"{system}"' in shown
    if "musl" in system:
        kept = "no external versioned symbols" in shown and 'required by the wheel: { "libc.so": null }' in shown
    if done.returncode != 0 or not kept:
        sys.exit(f"{wheel.name} does not keep what its name promises:\n{done.stdout}{done.stderr}")


def digest(wheel: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def main() -> None:
    """Build, check and list the wheels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="build only wheels with this text in their name")
    parser.add_argument("--twice", action="store_true", help="build each again elsewhere and compare")
    parser.add_argument("--linked-only", action="store_true", help="build for macOS, which nothing here can run")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    options = parser.parse_args()
    tools = environment(sys.executable, WORK / "check", CHECK_TOOLS).parent
    sources = build_sources(options.output)
    run([str(tools / "twine"), "check", "--strict", str(sources)])
    print(f"{sources.stat().st_size:>9,}  {digest(sources)}  {sources.name}", flush=True)
    kinds = interpreters()
    for system in LINKED_ONLY if options.linked_only else SYSTEMS:
        wanted = [kind for kind in kinds if options.only in f"{kind.tag}-{system.tag}"]
        wheels = build_all(system, wanted, ROOT, options.output)
        for wheel in wheels:
            check(wheel, system, tools)
        if options.twice:
            compare_with_second(system, wanted, wheels, sources)
        for wheel in wheels:
            print(f"{wheel.stat().st_size:>9,}  {digest(wheel)}  {wheel.name}", flush=True)


def build_all(system: System, kinds: list[Interpreter], source: Path, output: Path) -> list[Path]:
    """A wheel for each interpreter from the same sources."""
    with tempfile.TemporaryDirectory(prefix="chainrule-wheel-") as folder:
        workshop = Workshop(system, source, Path(folder))
        pythons = [environment(kind.program, WORK / kind.tag, BUILD_TOOLS) for kind in kinds]
        return [workshop.build(kind, python, output) for kind, python in zip(kinds, pythons, strict=True)]


def build_sources(output: Path) -> Path:
    """The sdist."""
    output.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SOURCE_DATE_EPOCH", last_commit())
    os.chdir(ROOT)
    return output / build_sdist(str(output))


def compare_with_second(system: System, kinds: list[Interpreter], wheels: list[Path], sources: Path) -> None:
    """Build again, from the sdist."""
    with tempfile.TemporaryDirectory(prefix="chainrule-second-") as name:
        folder = Path(name)
        with tarfile.open(sources) as archive:
            archive.extractall(folder, filter="data")
        (unpacked,) = (path for path in folder.iterdir() if path.is_dir())
        for wheel, second in zip(wheels, build_all(system, kinds, unpacked, folder / "dist"), strict=True):
            if digest(second) != digest(wheel):
                sys.exit(f"{wheel.name} came out differently when built a second time")


if __name__ == "__main__":
    main()
