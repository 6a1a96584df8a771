"""What happened in training, epoch by epoch: read by name, shown in notebooks, written for other programs."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from chainrule.atomic import write_atomically
from chainrule.display import curves, div, heading, table
from chainrule.errors import MissingExtraError, StorageError

SHOWN_EPOCHS = 10
"""The last ones, in a notebook's table."""
WRITERS = ("tensorboardX", "torch.utils.tensorboard")
"""Where a writer for TensorBoard may come from; the first that is installed is taken."""


@dataclass(slots=True)
class EpochRow:
    """One line of a history. `loss` and `accuracy` are means over the epoch's steps, by the samples' weights."""

    epoch: int
    loss: float
    accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float
    seconds: float
    samples_per_second: float


@dataclass
class History(Mapping[str, list[Any]]):
    """What happened in training, epoch by epoch: history["loss"], history.rows[0].loss."""

    rows: list[EpochRow] = field(default_factory=list)
    best_epoch: int | None = None
    stopped: Literal["finished", "early", "on_epoch", "interrupted"] = "finished"

    def __getitem__(self, name: str) -> list[Any]:
        if name not in EpochRow.__dataclass_fields__:
            raise KeyError(name)
        return [getattr(row, name) for row in self.rows]

    def __iter__(self) -> Iterator[str]:
        return iter(EpochRow.__dataclass_fields__)

    def __len__(self) -> int:
        return len(EpochRow.__dataclass_fields__)

    def __repr__(self) -> str:
        if not self.rows:
            return f"History of no epochs, {self.stopped}"
        last = self.rows[-1]
        return f"History of {len(self.rows)} epochs, {self.stopped}, last loss {last.loss:.6g}"

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and texts, for JSON; what is not finite is None."""
        rows = [{name: _finite(value) for name, value in asdict(row).items()} for row in self.rows]
        return {"rows": rows, "best_epoch": self.best_epoch, "stopped": self.stopped}

    def to_json(self, path: str | Path) -> None:
        """Write `to_dict` to a JSON file, whole or not at all. Raises StorageError."""
        write_atomically(path, json.dumps(self.to_dict(), indent=1, allow_nan=False).encode())

    def to_csv(self, path: str | Path) -> None:
        """Write a CSV file, a line for each epoch, a column for each name, whole or not at all. Raises StorageError."""
        lines = io.StringIO(newline="")
        writer = csv.DictWriter(lines, list(self), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in self.rows)
        write_atomically(path, lines.getvalue().encode())

    def to_tensorboard(self, folder: str | Path) -> None:
        """Write what TensorBoard shows into `folder`: "loss/training", "loss/validation", and so on, by epoch.

        Needs a writer, tensorboardX or torch's. Raises MissingExtraError without one, StorageError.
        """
        try:
            with _writer(folder) as writer:
                for row in self.rows:
                    for name, value in asdict(row).items():
                        if name != "epoch" and value is not None:
                            writer.add_scalar(_tag(name), value, row.epoch)
        except OSError as error:
            raise StorageError(f"cannot write into {folder}: {error.strerror or error}") from None

    def _repr_html_(self) -> str:
        epochs = self["epoch"]
        drawn = [
            curves(name, epochs, {"training": self[name], "validation": self[f"validation_{name}"]})
            for name in ("loss", "accuracy")
        ]
        rows = [[_figure(value) for value in asdict(row).values()] for row in self.rows[-SHOWN_EPOCHS:]]
        names = [name.replace("_", " ") for name in self]
        return div(heading(repr(self)), *(drawn if self.rows else ()), table(names, rows, left=0))


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1000 else f"{value:.4g}"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _tag(name: str) -> str:
    """ "validation_loss" as "loss/validation", so that both curves stand in one chart."""
    kind = name.removeprefix("validation_")
    if kind not in ("loss", "accuracy"):
        return name
    return f"{kind}/{'training' if kind == name else 'validation'}"


def _writer(folder: str | Path) -> Any:
    """A writer of TensorBoard's files; it is closed by `with`."""
    for module in WRITERS:
        try:
            return import_module(module).SummaryWriter(str(folder))
        except ImportError:
            continue
    raise MissingExtraError("writing for TensorBoard", "tensorboard")
