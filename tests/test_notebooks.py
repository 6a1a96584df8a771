"""What objects show of themselves in notebooks: whole pages, true numbers, foreign text escaped, no theme's colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import chainrule as cr
from chainrule.display import Box, curves, drawing
from chainrule.display.graphs import MOST

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(6, 1, 6, 6)), np.arange(6) % 3
HOSTILE = "<b>x</b>&\x1b]0;\u202e\n"
LOSS = cr.CrossEntropyLoss()


def net() -> cr.Network:
    made = cr.Sequential(
        cr.Sequential(cr.Conv2d(1, 2, 3), cr.ReLU(), name="stem"), cr.Flatten(), cr.Linear(32, 3), input_shape=(1, 6, 6)
    )
    made.class_names = ("cat", HOSTILE, "owl")
    return made


def residual() -> cr.Network:
    x = cr.Input((2, 4, 4))
    h = cr.Conv2d(2, 2, 3, padding=1)(x)
    both = cr.Concat()(cr.Tanh()(h), cr.ReLU()(h), cr.MaxPool2d(3, 1, 1)(cr.Sigmoid()(h)))
    return cr.Network(x, cr.Flatten()(both) + cr.Flatten()(cr.Concat()(x, x, x)))


def wrong() -> Any:
    class Wrong(cr.Tanh):
        """Forgets to multiply."""

        def backward_input(self, parameters: Any, dy: Any, saved: Any) -> Any:
            return dy

    return cr.check_gradients(
        cr.Sequential(cr.Linear(3, 4), Wrong(), cr.ReLU(), cr.Linear(4, 3), seed=1),
        np.ones((1, 3)), [1], LOSS, engine="reference",
    )  # fmt: skip


def history() -> cr.training.History:
    return net().fit(X, T, loss=LOSS, optimizer=cr.SGD(0.1), epochs=12, validation=(X, T), progress=False)


OBJECTS: dict[str, Callable[[], Any]] = {
    "network": net,
    "residual": residual,
    "an input alone": lambda: cr.Network(x := cr.Input(3), x),
    "summary": lambda: net().summary(),
    "history": history,
    "an empty history": cr.training.History,
    "evaluation": lambda: net().evaluate(X, T),
    "an evaluation without classes": lambda: cr.Sequential(cr.Linear(2, 2)).evaluate(np.ones((2, 2)), np.ones((2, 2))),
    "trace": lambda: net().trace(X, T, loss=LOSS),
    "report": lambda: cr.check_gradients(net(), X, T, LOSS, sample=3),
    "a wrong report": wrong,
}


def parsed(page: str) -> ET.Element:
    """The page as a tree: every tag is closed, every sign escaped."""
    return ET.fromstring(page.replace("&nbsp;", " "))


def words(page: str) -> str:
    return " ".join(" ".join(parsed(page).itertext()).split())


@pytest.mark.parametrize("name", OBJECTS)
def test_every_page_is_whole_and_plain(name: str) -> None:
    page = OBJECTS[name]()._repr_html_()
    parsed(page)
    assert HOSTILE not in page
    assert "<b>x" not in page
    assert "\x1b" not in page
    assert "<script" not in page
    fixed = set(re.findall(r"(?:color|fill|stroke|background)[=:]\"?(#\w+|black|white)", page))
    assert fixed <= {"#3d85c6", "#d9741f"}, "other colours vanish on light or on dark pages"


def test_a_network_shows_drawing_table_and_names() -> None:
    said = words(net()._repr_html_())
    for text in ("stem.conv1", "2@3x3", "2x4x4", "cat", r"<b>x</b>&\x1b]0;\u202e\n", "119 parameters", "total"):
        assert text in said
    assert net()._repr_html_().count("<rect") == 5


def test_numbers_of_the_pages_are_those_of_the_objects() -> None:
    judged = net().evaluate(X, T)
    assert judged.precision is not None
    assert judged.confusion is not None
    said = words(judged._repr_html_())
    assert f"accuracy {100 * (judged.accuracy or 0):.2f} %" in said
    row = " ".join(str(count) for count in judged.confusion[0] if count)
    assert f"cat {row}" in said
    seen = history()
    assert f"{seen.rows[-1].validation_loss:.4g}" in words(seen._repr_html_())
    trace = net().trace(X, T, loss=LOSS)
    assert f"{trace['stem.conv1'].gradient.min():.4g}..{trace['stem.conv1'].gradient.max():.4g}" in words(
        trace._repr_html_()
    )
    bad = wrong()
    assert "WRONG" in words(bad._repr_html_())
    assert bad._repr_html_().count("font-weight:bold") == len(bad.failures)


def rectangles(svg: str) -> list[tuple[float, float, float, float]]:
    boxes = [
        re.findall(rf' {key}="([\d.]+)"', part)[0]
        for part in re.findall("<rect[^>]*>", svg)
        for key in ("x", "y", "width", "height")
    ]
    numbers = list(map(float, boxes))
    return [(a, b, a + c, b + d) for a, b, c, d in zip(*[iter(numbers)] * 4, strict=True)]


@pytest.mark.parametrize("seed", range(20))
def test_boxes_of_a_drawing_never_overlap_and_lie_within(seed: int) -> None:
    rng = np.random.default_rng(seed)
    boxes = [Box("input", "")]
    for number in range(1, int(rng.integers(2, 25))):
        inputs = sorted(set(rng.integers(0, number, int(rng.integers(1, 4))).tolist()))
        boxes.append(Box(f"layer{number}" * int(rng.integers(1, 4)), "x" * int(rng.integers(0, 60)), tuple(inputs)))
    svg = drawing(boxes, "any")
    placed = rectangles(svg)
    assert len(placed) == len(boxes)
    assert svg.count("marker-end") == sum(len(box.inputs) for box in boxes)
    width, height = (float(re.findall(rf' {key}="(\d+)"', svg)[0]) for key in ("width", "height"))
    assert all(a >= 0 and b >= 0 and c <= width and d <= height for a, b, c, d in placed)
    for one, two in combinations(placed, 2):
        apart = one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
        assert apart
    for number, box in enumerate(boxes):
        assert all(placed[source][3] < placed[number][1] for source in box.inputs), "arrows lead down"


def test_a_graph_too_large_to_draw_still_has_its_table() -> None:
    large = cr.Sequential(*(cr.Tanh() for _ in range(MOST + 1)), input_shape=2)
    assert "<svg" not in large._repr_html_()
    assert f"tanh{MOST + 1}" in words(large._repr_html_())


def test_curves_pass_through_their_values() -> None:
    svg = curves("loss", [1, 2, 3, 4], {"training": [4.0, 2.0, 1.0, 0.0], "validation": [None, 2.0, float("nan"), 4.0]})
    assert svg.count("<polyline") == 1
    assert svg.count("<circle") == 2, "single values between gaps are points"
    points = [tuple(map(float, p.split(","))) for p in re.findall('points="([^"]+)"', svg)[0].split()]
    (left, top), (_, second), (_, third), (right, bottom) = points
    assert [round((p[0] - left) / (right - left), 2) for p in points] == [0, 0.33, 0.67, 1]
    assert (bottom - second) / (bottom - top) == pytest.approx(0.5, abs=0.01)
    assert (bottom - third) / (bottom - top) == pytest.approx(0.25, abs=0.01)
    assert [text for text in re.findall(r"<text[^>]*>([^<]*)<", svg) if re.fullmatch("[0-9.]+", text)][:5] == list(
        "01234"
    )


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.0], [1e-300, 1e300], [-5.0, 5.0], [3.0, 3.0, 3.0]], ids=str)
def test_curves_of_odd_values(values: list[float]) -> None:
    svg = curves("loss", list(range(len(values))), {"training": values})
    parsed(svg)
    assert "nan" not in svg
    assert "inf" not in svg


def test_no_curve_without_numbers() -> None:
    assert curves("accuracy", [1, 2], {"training": [None, None]}) == ""
