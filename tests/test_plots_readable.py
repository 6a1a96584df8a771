"""What is drawn can be read: no two texts overlap, none leaves the figure, each stands out from what is behind it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import plots
from chainrule.plots import networks, results
from chainrule.training import EpochRow, History

pytest.importorskip("matplotlib")
CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
LONG = [f"quite a long name of class number {k}" for k in range(100)]
FOREIGN = ["$\\frac{1$", "a\nb", "\x1b]0;x\x07", "100 %", "_^{}", "[red]"]


@pytest.fixture
def draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Calls a drawing function and returns the figure as it was when it was written."""
    kept: list[Any] = []
    for module in (results, networks):
        original = module.drawing

        @contextmanager
        def keeping(*arguments: Any, original: Any = original, **options: Any) -> Iterator[Any]:
            with original(*arguments, **options) as figure:
                yield figure
            kept.append(figure)

        monkeypatch.setattr(module, "drawing", keeping)

    def call(function: Callable[..., None], *arguments: Any, **options: Any) -> Any:
        function(*arguments, path=tmp_path / "plot.png", **options)
        return kept[-1]

    return call


def texts(figure: Any) -> list[tuple[str, Any]]:
    """Every visible text of a figure with the box that it covers, in pixels."""
    from matplotlib.text import Text

    renderer, beyond = figure.canvas.get_renderer(), set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]  # those outside the limits are kept, but not drawn
        beyond |= {id(tick.label1) for tick in ticks if not low <= tick.get_loc() <= high}
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    shown = [text for text in found if id(text) not in beyond and (text.axes is None or text.axes.axison)]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in shown]


def check_readable(figure: Any) -> None:
    width, height = figure.bbox.width, figure.bbox.height
    boxes = [(text, box) for text, box in texts(figure) if box.width > 0]
    for text, box in boxes:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text!r} leaves the figure: {box}"
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        apart = (
            first.x1 <= second.x0 + 1
            or second.x1 <= first.x0 + 1
            or first.y1 <= second.y0 + 1
            or second.y1 <= first.y0 + 1
        )
        assert apart, f"{one!r} and {other!r} overlap: {first}, {second}"


def guesses(classes: int, samples: int = 60) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "images": rng.integers(0, 256, (samples, 1, 8, 8)).astype(np.uint8),
        "labels": rng.integers(0, classes, samples),
        "probabilities": rng.dirichlet(np.full(classes, 0.3), samples),
    }


@pytest.mark.parametrize("count", [24, 3, 1])
@pytest.mark.parametrize(
    "names", [None, CLOTHES, LONG, ["no", "yes"], FOREIGN], ids=["digits", "clothes", "long", "two", "foreign"]
)
def test_the_most_confused_can_be_told_apart(draw: Any, names: Any, count: int) -> None:
    figure = draw(plots.plot_most_confused, class_names=names, count=count, **guesses(len(names or range(10))))
    check_readable(figure)
    titles = [text for text, _ in texts(figure) if "→" in text and "%" in text and "True" not in text]
    assert len(titles) == count
    if names is CLOTHES:
        assert all(sum(name in title for name in CLOTHES) >= 1 for title in titles)
    if names is LONG:
        assert all(any(digit in title for digit in "0123456789") for title in titles)


def confusion(classes: int, share: float) -> Any:
    counts = np.full((classes, classes), round(1000 * (1 - share) / max(classes - 1, 1)))
    np.fill_diagonal(counts, round(1000 * share))
    return counts


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.71, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0])
def test_numbers_stand_out_from_their_colour(draw: Any, share: float) -> None:
    from matplotlib.colors import to_rgb

    figure = draw(plots.plot_confusion, confusion(10, share), class_names=CLOTHES)
    axes = figure.axes[0]
    colors = np.asarray(axes.images[0].get_array())
    assert axes.texts
    for text in axes.texts:
        column, row = map(int, text.get_position())
        assert contrast(to_rgb(text.get_color()), colors[row, column]) >= 4.0, (share, row, column)


def contrast(one: Any, other: Any) -> float:
    """The ratio of luminances as the guidelines for readable web pages define it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb: Any) -> float:
    values = np.asarray(rgb, float)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize(
    "classes, names",
    [(10, CLOTHES), (10, None), (1, None), (6, FOREIGN), (20, LONG), (100, LONG), (100, None), (300, None)],
)
def test_the_names_of_a_confusion_matrix_can_be_read(draw: Any, classes: int, names: Any) -> None:
    names = None if names is None else names[:classes]
    check_readable(draw(plots.plot_confusion, confusion(classes, 0.9), class_names=names))


def history(epochs: int, best: int | None, *, accuracy: bool = True) -> History:
    rows = [
        EpochRow(k, 1 / k, 1 - 0.5 / k if accuracy else None, None if best is None else 1.2 / k,
                 None if best is None or not accuracy else 1 - 0.6 / k, 0.1, 1.0, 100.0)
        for k in range(1, epochs + 1)
    ]  # fmt: skip
    return History(rows, best_epoch=best)


@pytest.mark.parametrize("accuracy", [True, False])
@pytest.mark.parametrize("epochs, best", [(1, 1), (2, 2), (3, 1), (15, 15), (15, 8), (100, 93), (5, None)])
def test_learning_curves_and_their_legend_stay_apart(draw: Any, epochs: int, best: int | None, accuracy: bool) -> None:
    figure = draw(plots.plot_learning_curves, history(epochs, best, accuracy=accuracy))
    check_readable(figure)
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]
    assert len(legends) == 1
    box = legends[0].get_window_extent(figure.canvas.get_renderer())
    for axes in figure.axes:
        assert not box.overlaps(axes.get_window_extent())
        assert all(float(place).is_integer() for place in axes.get_xticks())
        low, high = axes.get_ylim()
        for line in axes.lines[: 2 if best else 1]:
            assert low <= min(line.get_ydata()) <= max(line.get_ydata()) < high


def test_feature_maps_of_a_node_share_a_scale_that_is_drawn(draw: Any) -> None:
    layers = [cr.Conv2d(1, 12, 3), cr.ReLU(), cr.MaxPool2d(2), cr.Flatten(), cr.Linear(108, 20), cr.ReLU()]
    net = cr.Sequential(*layers, cr.Linear(20, 4), input_shape=(1, 8, 8))
    figure = draw(plots.plot_feature_maps, net, np.random.default_rng(0).uniform(size=(1, 8, 8)))
    check_readable(figure)
    for stripe in figure.subfigs[:-1]:
        images = [image for axes in stripe.axes for image in axes.images]
        scales = {image.get_clim() for image in images}
        assert len(scales) == 1, "maps of one node are scaled apart"
        drawn = [text for text, _ in texts(stripe)]
        assert any(f"{scales.copy().pop()[1]:.2g}" in text for text in drawn), f"no scale among {drawn}"
