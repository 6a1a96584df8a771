"""Plots of a training run and of its mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.arrays import Array
from chainrule.errors import DataError
from chainrule.history import History
from chainrule.plots.canvas import BLUE, GREY, ORANGE, bare, clipped, drawing, readable_on

COUNTED_CLASSES = 20
"""Confusion matrices of more classes are drawn without numbers."""
GRID_CLASSES = 120
"""Confusion matrices of more classes are drawn without lines between them."""


def plot_learning_curves(history: History, path: str | Path) -> None:
    """Loss and accuracy per epoch, in training and on the validation data. Raises DataError without epochs."""
    if not history.rows:
        raise DataError("the history holds no epochs; there is no curve to draw")
    names = {"loss": 1.0} | ({"accuracy": 100.0} if history.rows[0].accuracy is not None else {})
    with drawing(path, 0.5 + 4.5 * len(names), 3.8) as figure:
        panels = figure.subplots(1, len(names), squeeze=False)[0]
        for axes, (name, factor) in zip(panels, names.items(), strict=True):
            _curve(axes, history, name, factor)
        panels[0].set_title("Loss")
        losses = [loss for name in ("loss", "validation_loss") for loss in history[name] if loss is not None]
        panels[0].set_ylim(0, 1.06 * float(max(losses)))
        panels[-1].set_title("Accuracy in %" if len(names) == 2 else "Loss")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=3)


def _curve(axes: Any, history: History, name: str, factor: float) -> None:
    epochs = history["epoch"]
    marker = "o" if len(epochs) <= 30 else None
    options = {"marker": marker, "markersize": 3.5, "linewidth": 1.8}
    axes.plot(epochs, [factor * v for v in history[name]], color=BLUE, label="training", **options)
    judged = history[f"validation_{name}"]
    if judged[0] is not None:
        axes.plot(epochs, [factor * v for v in judged], color=ORANGE, label="validation", **options)
        if history.best_epoch is not None:
            axes.axvline(history.best_epoch, color=GREY, linewidth=0.9, linestyle=":", label="best epoch")
    axes.set_xlabel("epoch")
    axes.grid(True)
    axes.margins(x=0.03)
    if len(epochs) == 1:
        axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
        axes.set_xticks(epochs)
    else:
        axes.xaxis.get_major_locator().set_params(integer=True)


LONGEST_NAME = 1.6
"""Inches of a class's name beside a confusion matrix."""


def plot_confusion(confusion: Array, path: str | Path, class_names: Sequence[str] | None = None) -> None:
    """A confusion matrix: rows the true class, columns the predicted one; hits blue, mistakes orange."""
    classes = len(confusion)
    names = [str(k) for k in range(classes)] if class_names is None else list(class_names)
    total, hits = int(confusion.sum()), int(np.trace(confusion))
    side = float(np.clip(1.8 + 0.46 * classes, 3.6, 12))
    with drawing(path, side + 0.3, side + 0.2) as figure:
        axes = figure.subplots()
        colors = _confusion_colors(confusion)
        axes.imshow(colors, interpolation="nearest")
        if classes <= COUNTED_CLASSES:
            _write_counts(axes, confusion, colors)
        _name_classes(figure, axes, names, side)
        if classes <= GRID_CLASSES:
            axes.set_xticks(np.arange(-0.5, classes), minor=True)
            axes.set_yticks(np.arange(-0.5, classes), minor=True)
            axes.grid(which="minor", color="white", linewidth=1.2 if classes <= COUNTED_CLASSES else 0.4)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        axes.set_title(f"{100 * hits / max(total, 1):.2f} % right, {total - hits:,} of {total:,} wrong")


def _name_classes(figure: Any, axes: Any, names: Sequence[str], side: float) -> None:
    """A name at every row and column, or at every second, fifth, ... where they would not fit."""
    room = 72 * (side - 3.0) / len(names) if len(names) > COUNTED_CLASSES else 12.0  # points for each class
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 1000, 10_000, 100_000) if room * s >= 7)
    size = float(np.clip(0.75 * room * step, 5, 10))
    places = range(0, len(names), step)
    labels = [clipped(figure, names[k], LONGEST_NAME, size) for k in places]
    axes.set_xticks(places, labels, rotation=90 if max(map(len, labels)) > 2 else 0, fontsize=size)
    axes.set_yticks(places, labels, fontsize=size)


def _confusion_colors(confusion: Array) -> Array:
    """(classes, classes, 3): hits white to blue by their share of the row, mistakes to orange by the largest one."""
    share = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    mistakes = share * (1 - np.eye(len(confusion)))
    strength = np.sqrt(mistakes / max(float(mistakes.max()), 1e-12)) * 0.8
    blue, orange = np.array([47, 109, 179]) / 255, np.array([224, 117, 45]) / 255
    colors = 1 - strength[..., None] * (1 - orange)
    diagonal = np.arange(len(confusion))
    colors[diagonal, diagonal] = 1 - (share[diagonal, diagonal, None] ** 4) * (1 - blue)
    colors[(confusion == 0) & ~np.eye(len(confusion), dtype=bool)] = 0.965
    return np.asarray(colors)


def _write_counts(axes: Any, confusion: Array, colors: Array) -> None:
    size = 9 if confusion.max() < 10_000 else 7
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            color = readable_on(colors[row, column])
            axes.text(column, row, f"{count}", ha="center", va="center", color=color, fontsize=size)


def plot_most_confused(
    images: Array,
    labels: Array,
    probabilities: Array,
    path: str | Path,
    class_names: Sequence[str] | None = None,
    count: int = 24,
) -> None:
    """The mistakes the network was surest of; where there are fewer than `count`, the right answers it doubted most.

    images (n, channels, rows, columns), labels (n,), probabilities (n, classes).
    """
    names = [str(k) for k in range(probabilities.shape[1])] if class_names is None else list(class_names)
    guesses, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = guesses != labels
    order = np.lexsort((np.where(wrong, -sure, sure), ~wrong))[:count]
    columns = min(8, len(order))
    rows = -(-len(order) // columns)
    width = max(1.25 * columns, 5.5)
    low, high = (0, 255) if images.dtype == np.uint8 else (float(images[order].min()), float(images[order].max()))
    with drawing(path, width, 1.5 * rows + 0.5) as figure:
        shares = [f"{100 * sure[i]:.0f} %" for i in order]
        pairs = [(names[int(labels[i])], names[int(guesses[i])]) for i in order]
        titles = _titles(figure, pairs, shares, width / columns - 0.12)
        if any("\n" in title for title in titles):
            figure.set_figheight(1.85 * rows + 0.5)
        for place, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
            if place >= len(order):
                axes.set_axis_off()
                continue
            i = order[place]
            axes.imshow(picture(images[i]), cmap="gray", interpolation="nearest", vmin=low, vmax=high)
            bare(axes)
            color = ORANGE if wrong[i] else BLUE
            axes.set_title(titles[place], fontsize=TITLE, loc="center", color=color, fontweight="normal")
        figure.suptitle(
            f"True → predicted, and how sure: {int(wrong.sum()):,} of {len(labels):,} wrong (orange)",
            x=0.01,
            ha="left",
            fontsize=11,
            fontweight="bold",
        )


TITLE = 9
"""Points of the titles of single pictures."""


def _titles(figure: Any, pairs: Sequence[tuple[str, str]], shares: Sequence[str], inches: float) -> list[str]:
    """ "true → predicted  share" in one line if all fit in `inches`, else in three, long names without their middle."""
    single = [f"{true} → {guess}  {share}" for (true, guess), share in zip(pairs, shares, strict=True)]
    if all(clipped(figure, title, inches, TITLE) == title for title in single):
        return single
    rows = [
        (clipped(figure, true, inches, TITLE), clipped(figure, f"→ {guess}", inches, TITLE)) for true, guess in pairs
    ]
    return [f"{true}\n{guess}\n{share}" for (true, guess), share in zip(rows, shares, strict=True)]


def picture(image: Array) -> Array:
    """(channels, rows, columns) as matplotlib draws it: grey, or colour where there are three channels."""
    if len(image) == 3:
        low, high = float(image.min()), float(image.max())
        scaled: Array = (image - low) / max(high - low, 1e-12)
        return np.moveaxis(scaled, 0, -1)
    first: Array = image[0]
    return first
