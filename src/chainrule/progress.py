"""The progress bar of training: epoch, loss, accuracy, samples per second, time left. Drawn by rich."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar

from chainrule.engines import EpochTotals

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


class EpochBar:
    """A bar per epoch on a terminal; one plain line per epoch elsewhere; nothing where not enabled."""

    worded: ClassVar[Callable[[str], str]] = str
    """Puts a line into the reader's language; the command line sets it."""

    def __init__(self, epochs: int, samples: int, *, enabled: bool) -> None:
        self.epochs = epochs
        self.samples = samples
        self.enabled = enabled
        self._console: Console | None = None
        self._progress: Progress | None = None
        self._task: Any = None
        self._begin = time.perf_counter()

    def __enter__(self) -> EpochBar:
        if self.enabled:
            from rich import console, progress

            self._console = console.Console()
            if self._console.is_terminal:
                self._progress = progress.Progress(
                    progress.TextColumn("{task.description}"),
                    progress.BarColumn(bar_width=18),
                    progress.TextColumn("{task.fields[note]}"),
                    progress.TimeRemainingColumn(compact=True),
                    console=self._console,
                )
                self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._progress.stop()

    def start(self, epoch: int) -> None:
        """Begin an epoch, counted from 0."""
        self._begin = time.perf_counter()
        if self._progress is not None:
            if self._task is not None:
                self._progress.remove_task(self._task)
            text = self._worded(f"epoch {epoch + 1}/{self.epochs}")
            self._task = self._progress.add_task(text, total=self.samples, note="")

    def elapsed(self) -> float:
        """Seconds since the epoch began."""
        return max(time.perf_counter() - self._begin, 1e-9)

    def advance(self, totals: EpochTotals) -> None:
        """Show the totals so far."""
        if self._progress is not None:
            note = f"loss {totals.loss:.4f}"
            if totals.accuracy is not None:
                note += f"  {100 * totals.accuracy:.2f} %"
            note += f"  {totals.samples / self.elapsed():,.0f}/s"
            self._progress.update(self._task, completed=totals.samples, note=self._worded(note))

    def finish(self, row: Any) -> None:
        """Print an epoch's line; `row` is the history's."""
        if self._console is None:
            return
        text = f"epoch {row.epoch:>{len(str(self.epochs))}}/{self.epochs}  loss {row.loss:.4f}"
        if row.accuracy is not None:
            text += f"  {100 * row.accuracy:.2f} %"
        if row.validation_loss is not None:
            text += f"  validation {row.validation_loss:.4f}"
        if row.validation_accuracy is not None:
            text += f"  {100 * row.validation_accuracy:.2f} %"
        text = self._worded(f"{text}  {row.samples_per_second:,.0f}/s")
        self._console.print(text, highlight=False, soft_wrap=not self._console.is_terminal)

    def _worded(self, text: str) -> str:
        return type(self).worded(text)
