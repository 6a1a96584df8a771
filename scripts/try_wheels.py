"""Install built wheels as a user would and use them: `python scripts/try_wheels.py dist/*.whl`.

Each wheel that fits this machine goes into a fresh virtual environment of every Python on the PATH that it is for, with
no compiler within reach; LeNet-5 is trained on the bundled digits and its gradients are checked. A wheel for 64-bit ARM
runs under qemu-aarch64, with Debian's Python for that processor:

    dpkg --add-architecture arm64 && apt-get update && apt-get install qemu-user
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pythons import pythons

TRAIN = ["train", "--epochs", "1", "--output", "run", "--engine", "native"]
ARM_PACKAGES = [
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "libssl3",
    "libffi8",
    "libbz2-1.0",
    "liblzma5",
    "libuuid1",
    "libexpat1",
    "zlib1g",
]
ARM_PACKAGES += ["python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"]


def fits(wheel: Path, minor: int) -> bool:
    """Whether this machine's Python 3.`minor` can install the wheel."""
    _, _, python, abi, system = wheel.stem.split("-")
    if platform.machine() not in system or "manylinux" not in system:
        return False
    return minor >= int(python[3:]) if abi == "abi3" else minor == int(python[3:])


def without_compiler(folder: Path) -> dict[str, str]:
    """An environment whose PATH holds nothing that compiles."""
    tools = folder / "tools"
    tools.mkdir()
    for name in ("sh", "env", "uname", "ls"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    return {"PATH": str(tools), "HOME": str(folder), "LANG": "C.UTF-8"}


def use(command: list[str], folder: Path, environment: dict[str, str], *options: str) -> str:
    """What the commands of a user print; ends this program where one fails."""
    printed = ""
    for words in ([*TRAIN, *options], ["check", "--engine", "native"]):
        done = subprocess.run(
            [*command, *words],
            cwd=folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode != 0:
            sys.exit(f"{' '.join([*command, *words])}\n{done.stdout}\nfailed with exit code {done.returncode}")
        printed += done.stdout
    return printed


def summary(printed: str) -> str:
    """The two lines that matter: the accuracy, and what the gradient check found."""
    return "; ".join(line for line in printed.splitlines() if line.startswith(("test accuracy", "The gradients")))


def try_here(wheel: Path, program: str, version: str) -> None:
    """Install and use a wheel with one Python of this machine."""
    with tempfile.TemporaryDirectory(prefix="chainrule-try-") as name:
        folder = Path(name)
        subprocess.run([program, "-m", "venv", str(folder / "venv")], check=True)
        python = folder / "venv" / "bin" / "python"
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        environment = without_compiler(folder)
        subprocess.run(
            [*pip, "--only-binary", ":all:", str(wheel.resolve())],
            env={**os.environ, "PATH": environment["PATH"]},  # what else pip needs to reach a registry stays
            check=True,
        )
        printed = use([str(python.parent / "chainrule")], folder, environment)
        print(f"{wheel.name} on Python {version}: {summary(printed)}", flush=True)


def try_arm(wheel: Path) -> bool:
    """Use a wheel for 64-bit ARM and CPython 3.11 under the emulator; whether the tools for that are there."""
    if not all(map(shutil.which, ("qemu-aarch64", "apt-get", "dpkg"))):
        print(f"LEFT OUT: {wheel.name} needs qemu-aarch64 and Debian's packages", flush=True)
        return False
    with tempfile.TemporaryDirectory(prefix="chainrule-arm-") as name:
        folder = Path(name)
        packages, root, site = folder / "packages", folder / "root", folder / "site"
        packages.mkdir()
        names = [f"{package}:arm64" for package in ARM_PACKAGES]
        subprocess.run(["apt-get", "download", "-qq", *names], cwd=packages, check=True, stderr=subprocess.DEVNULL)
        for package in packages.iterdir():
            subprocess.run(["dpkg", "-x", str(package), str(root)], check=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(site)]
        systems = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (17, 28)]
        options = ["--only-binary=:all:", "--python-version=3.11", *systems]
        subprocess.run([*pip, *options, str(wheel.resolve())], check=True)
        python = ["qemu-aarch64", "-L", str(root), str(root / "usr/bin/python3.11")]
        environment = {"PATH": os.environ["PATH"], "HOME": name, "LANG": "C.UTF-8", "PYTHONPATH": str(site)}
        command = [*python, "-c", "from chainrule.cli import main; main()"]
        printed = use(command, folder, environment, "--shifts", "0")  # an emulator takes its time
        print(f"{wheel.name} on Python 3.11, emulated: {summary(printed)}", flush=True)
    return True


def main() -> None:
    """Try each wheel wherever it fits."""
    tried = 0
    for wheel in map(Path, sys.argv[1:]):
        before = tried
        if platform.machine() != "aarch64" and "cp311-manylinux" in wheel.name and "aarch64" in wheel.name:
            tried += try_arm(wheel)
        for minor, program in pythons().items():
            if fits(wheel, minor):
                try_here(wheel, program, f"3.{minor}")
                tried += 1
        if tried == before:
            print(f"NOT TRIED: {wheel.name}: no Python of this machine can run it", flush=True)
    if tried == 0:
        sys.exit("no wheel was tried: none fits a Python on the PATH")


if __name__ == "__main__":
    main()
