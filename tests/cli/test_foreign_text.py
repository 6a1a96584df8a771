"""File names, files and arguments are foreign: whatever stands in them, a terminal gets plain characters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import chainrule as cr
from chainrule.cli import app

from .commands import SMALL, picture, small_data

TITLE, BIDI, NEWLINE = "\x1b]0;owned\x07", "\u202egnp.\u2066", "\nchainrule: all is well"
HOSTILE = f"[red]{TITLE}\x9b31m{BIDI}{NEWLINE}\x7f\r\udcff[bold]"
ESCAPED = r"[red]\x1b]0;owned\x07\x9b31m\u202egnp.\u2066\nchainrule: all is well\x7f\r\udcff[bold]"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command in a folder where everything has a hostile name."""
    monkeypatch.chdir(tmp_path)
    small_data(f"{HOSTILE}.npz")
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def check_plain(result: Result, *, escaped: bool = True) -> None:
    """No byte of the output steers a terminal, and the name is shown, escaped."""
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    text = result.stdout_bytes.decode() + result.stderr_bytes.decode()
    assert all(ch == "\n" or (ch.isprintable() and ch not in BIDI[:1]) for ch in text), ascii(text)
    assert not any(line.startswith("chainrule: all is well") for line in text.splitlines())
    if escaped:
        assert ESCAPED in text


def trained(run: Callable[..., Result], output: str) -> Result:
    options = ("--epochs", 1, "--no-plots", "--net", SMALL)
    return run("train", "--data", f"{HOSTILE}.npz", *options, "--output", output)


def test_names_of_the_data_and_of_the_folder(run: Any) -> None:
    result = trained(run, f"out {HOSTILE}")
    assert result.exit_code == 0, result.output
    check_plain(result)
    evaluated = run("evaluate", f"out {HOSTILE}", "--data", f"{HOSTILE}.npz", "--no-plots")
    assert evaluated.exit_code == 0, evaluated.output
    check_plain(evaluated)


def test_names_of_pictures_good_and_bad(run: Any) -> None:
    pytest.importorskip("PIL")
    trained(run, "out")
    Path(f"bad {HOSTILE}.png").write_bytes(b"no picture")
    good = picture(f"good {HOSTILE}.png")
    result = run("predict", "out", good, f"bad {HOSTILE}.png", f"missing {HOSTILE}.png")
    assert result.exit_code == 2
    assert result.output.count(ESCAPED) >= 3
    check_plain(result)


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", f"{HOSTILE}.safetensors"),
        ("summary", f"{HOSTILE}.safetensors"),
        ("summary", "--net", HOSTILE),
        ("summary", "--net", f"1x28x28 -> {HOSTILE}"),
        ("train", "--data", f"./{HOSTILE}"),
        ("train", "--data", HOSTILE),
        ("train", "--engine", HOSTILE),
        ("train", "--optimizer", HOSTILE),
        ("train", "--prepare", HOSTILE),
        ("explain", HOSTILE),
        ("explain", "--example", HOSTILE),
        (HOSTILE,),
        ("train", f"--{HOSTILE}"),
        ("train", "--epochs", HOSTILE),
        ("explain", "conv1.weight[0,0,0,0]", "--format", HOSTILE),
        ("explain", "conv1.bias[0]", "--format", "json", "--output", f"missing/{HOSTILE}"),
    ],
    ids=lambda arguments: " ".join(arguments).replace(HOSTILE, "HOSTILE"),
)
def test_arguments(run: Any, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    check_plain(result, escaped=False)


def altered(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The model at `path` with other metadata."""
    data = path.read_bytes()
    stop = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:stop])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[stop:])
    return path


def rename_first_layer(header: dict[str, Any]) -> None:
    architecture = json.loads(header["__metadata__"]["architecture"])
    architecture["layers"][0]["name"] = HOSTILE
    header["__metadata__"]["architecture"] = json.dumps(architecture)


def change_class(header: dict[str, Any]) -> None:
    architecture = json.loads(header["__metadata__"]["architecture"])
    architecture["layers"][0]["class"] = HOSTILE
    header["__metadata__"]["architecture"] = json.dumps(architecture)


def change_argument(header: dict[str, Any]) -> None:
    architecture = json.loads(header["__metadata__"]["architecture"])
    architecture["layers"][0]["arguments"]["padding"] = HOSTILE
    header["__metadata__"]["architecture"] = json.dumps(architecture)


def extra_argument(header: dict[str, Any]) -> None:
    architecture = json.loads(header["__metadata__"]["architecture"])
    architecture["layers"][0]["arguments"][HOSTILE] = 1
    header["__metadata__"]["architecture"] = json.dumps(architecture)


def change_loss(header: dict[str, Any]) -> None:
    header["__metadata__"]["loss"] = json.dumps({"class": HOSTILE, "arguments": {}})


def change_version(header: dict[str, Any]) -> None:
    header["__metadata__"]["version"] = HOSTILE


def change_preparation(header: dict[str, Any]) -> None:
    steps = {"steps": [HOSTILE], "black": 0.0, "white": 1.0}
    header["__metadata__"]["preparation"] = json.dumps(steps)


def add_metadata(header: dict[str, Any]) -> None:
    header["__metadata__"][HOSTILE] = HOSTILE


def rename_tensor(header: dict[str, Any]) -> None:
    header[HOSTILE] = header.pop("conv1.weight")


def change_dtype(header: dict[str, Any]) -> None:
    header["conv1.weight"]["dtype"] = HOSTILE


CHANGES = [
    rename_first_layer, change_class, change_argument, extra_argument, change_loss, change_version,
    change_preparation, add_metadata, rename_tensor, change_dtype,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_metadata_of_a_model(run: Any, change: Callable[[dict[str, Any]], None]) -> None:
    cr.parse(SMALL).save("model.safetensors")
    altered(Path("model.safetensors"), change)
    check_plain(run("summary", "model.safetensors"), escaped=False)


def test_names_of_idx_files_in_a_folder(run: Any) -> None:
    Path("folder").mkdir()
    for name in (f"{HOSTILE}-train-images-idx3-ubyte", f"{HOSTILE}.png"):
        (Path("folder") / name).write_bytes(b"\x00\x00\x08\x03")
    result = run("train", "--data", "folder")
    assert result.exit_code == 2
    check_plain(result, escaped=False)


def test_keys_of_an_npz_file(run: Any) -> None:
    np.savez("odd.npz", **{HOSTILE.replace("\udcff", ""): np.zeros(3), "train_images": np.zeros((3, 2, 2))})
    result = run("train", "--data", "odd.npz")
    assert result.exit_code == 2
    check_plain(result, escaped=False)


def test_metadata_of_a_picture(run: Any) -> None:
    pytest.importorskip("PIL")
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    trained(run, "out")
    notes = PngInfo()
    notes.add_text("Title", HOSTILE.replace("\udcff", ""))
    Image.fromarray(np.eye(30, dtype=np.uint8) * 255).save("noted.png", pnginfo=notes)
    whole = Path("noted.png").read_bytes()
    Path("half.png").write_bytes(whole[:-30])
    Path("chunk.png").write_bytes(whole[:33] + b"\x00\x00\x00\x04\x1b]0;aaaa\x07\x9b" + whole[33:])
    result = run("predict", "out", "noted.png", "half.png", "chunk.png")
    check_plain(result, escaped=False)
