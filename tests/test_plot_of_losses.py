"""The axis of the loss ends a little above the largest loss, with or without a line at the best epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import chainrule as cr
from chainrule import data
from chainrule.plots import results

pytest.importorskip("matplotlib")


def test_small_losses_fill_the_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digits = data.load("digits")
    net = cr.parse("1x28x28 -> fc 10")
    images, labels = digits.train_images[:200], digits.train_labels[:200]
    options = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.1), "progress": False}
    net.fit(images, labels, epochs=60, **options)  # type: ignore[arg-type]
    history = net.fit(images, labels, epochs=2, validation=(images, labels), **options)  # type: ignore[arg-type]
    assert history.best_epoch is not None
    figures: list[Any] = []
    drawing = results.drawing

    @contextmanager
    def kept(*arguments: Any) -> Iterator[Any]:
        with drawing(*arguments) as figure:
            figures.append(figure)
            yield figure

    monkeypatch.setattr(results, "drawing", kept)
    results.plot_learning_curves(history, tmp_path / "curves.png")
    largest = max(*history["loss"], *history["validation_loss"])
    assert largest < 0.8
    assert figures[0].axes[0].get_ylim() == pytest.approx((0, 1.06 * largest))
