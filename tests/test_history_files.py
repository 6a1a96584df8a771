"""A history goes out: CSV, JSON, TensorBoard."""

from __future__ import annotations

import csv
import json
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import MissingExtraError, StorageError
from chainrule.training import EpochRow, History


def history() -> History:
    net = cr.Sequential(cr.Linear(2, 3), seed=1)
    x = np.random.default_rng(0).normal(size=(9, 2))
    return net.fit(
        x,
        np.arange(9) % 3,
        loss=cr.CrossEntropyLoss(),
        optimizer=cr.SGD(0.1),
        epochs=3,
        validation_split=0.3,
        progress=False,
    )


def test_csv_holds_every_number(tmp_path: Path) -> None:
    seen = history()
    seen.to_csv(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(seen)
    for name in seen:
        assert [float(row[name]) for row in rows] == seen[name]
    seen.rows[1].accuracy = None
    seen.to_csv(tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text().splitlines()[2].split(",")[2] == ""


def test_json_holds_every_number(tmp_path: Path) -> None:
    seen = history()
    seen.rows[0].loss = float("inf")
    seen.to_json(tmp_path / "history.json")
    found = json.loads((tmp_path / "history.json").read_text())
    assert found == seen.to_dict()
    assert found["rows"][0]["loss"] is None
    assert [row["validation_loss"] for row in found["rows"]] == seen["validation_loss"]
    assert (found["stopped"], found["best_epoch"]) == (seen.stopped, seen.best_epoch)


@pytest.mark.parametrize("write", ["to_csv", "to_json"])
def test_a_file_that_cannot_be_written(write: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        getattr(history(), write)(tmp_path / "no" / "such" / "folder")


def test_an_empty_history_has_a_heading(tmp_path: Path) -> None:
    History().to_csv(tmp_path / "empty.csv")
    assert (tmp_path / "empty.csv").read_text() == ",".join(EpochRow.__dataclass_fields__) + "\n"


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """(epoch, value) by tag, out of the records of TensorBoard's files: length, sum, content, sum."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, list[tuple[int, float]]] = {}
    for path in folder.iterdir():
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_tensorboard_shows_training_and_validation_in_one_chart(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    seen = history()
    seen.rows[1].validation_accuracy = None
    seen.to_tensorboard(tmp_path / "board")
    found = scalars(tmp_path / "board")
    assert sorted(found) == [
        "accuracy/training", "accuracy/validation", "learning_rate", "loss/training", "loss/validation",
        "samples_per_second", "seconds",
    ]  # fmt: skip
    assert [epoch for epoch, _ in found["loss/validation"]] == [1, 2, 3]
    np.testing.assert_allclose([value for _, value in found["loss/validation"]], seen["validation_loss"], rtol=1e-6)
    assert [epoch for epoch, _ in found["accuracy/validation"]] == [1, 3]


def test_torchs_writer_serves_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board: Any = pytest.importorskip("tensorboardX")
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    for name in ("torch", "torch.utils"):
        monkeypatch.setitem(sys.modules, name, type(sys)(name))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", board)
    history().to_tensorboard(tmp_path)
    assert list(tmp_path.iterdir())


def test_without_a_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tensorboardX", "torch", "torch.utils", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"chainrule\[tensorboard\]"):
        history().to_tensorboard(tmp_path / "board")
    assert not (tmp_path / "board").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write into"):
        history().to_tensorboard(tmp_path / "file" / "board")
