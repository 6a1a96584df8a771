"""Drawings: the numbers are those of the step, text is in the page's language, and everybody can read them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import zoo
from chainrule.explain.colours import DARK, DARK_PAGES, LIGHT, scheme
from chainrule.explain.derivation import Derivation
from chainrule.explain.drawings import map_drawing, network_drawing, step_drawing
from chainrule.explain.drawings.grids import DEEPEST
from chainrule.explain.examples import STORIES, story
from chainrule.explain.words import short

SVG = "{http://www.w3.org/2000/svg}"
RNG = np.random.default_rng(0)


def explained(text: str, of: str, **options: Any) -> Derivation:
    net = cr.parse(text)
    x, targets = np.random.default_rng(0).normal(size=(1, *net.input_shape)), np.zeros((1, *net.output_shape))
    return cr.explain(net, x, targets, cr.MSELoss(), of=of, **options)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def drawn(derivation: Derivation, step: int = -1) -> str:
    found = derivation.drawing(step)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def all_drawings() -> list[str]:
    found = [network_drawing(zoo.lenet5()), network_drawing(zoo.lenet5(), "zh")]
    for name in STORIES:
        for derivation in story(name).derivations:
            for lang in ("en", "zh"):
                found.append(str(derivation.drawing(lang=lang)))  # type: ignore[arg-type]
                found += [svg for step in derivation.steps if (svg := step_drawing(step, lang))]  # type: ignore[arg-type]
    return found


def test_every_drawing_is_well_formed_named_and_without_script(all_drawings: list[str]) -> None:
    assert len(all_drawings) > 100
    for svg in all_drawings:
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
        assert root[0].text
        assert root[1].text
        assert "script" not in svg
        assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
        chinese = [text for text in (root[0].text, root[1].text) if re.search(r"[\u4e00-\u9fff]", text or "")]
        assert bool(chinese) == (root.get("lang") == "zh-Hans")


def test_nothing_stands_outside_its_drawing(all_drawings: list[str]) -> None:
    for svg in all_drawings:
        root = ET.fromstring(svg)
        width, height = (float(root.get(side) or 0) for side in ("width", "height"))
        for element in root.iter():
            for name, most in (("x", width), ("x2", width), ("y", height), ("y2", height)):
                assert 0 <= float(element.get(name, 0)) <= most


def test_S2_E28_the_window_lies_on_the_restored_and_padded_map() -> None:
    """Stride 2: the products that the drawing shows add up to the gradient."""
    derivation = explained("1x5x5 -> conv 1@3x3 stride 2", "input[0,2,2]")
    svg = drawn(derivation)
    restored, padded, kernel, products = derivation.steps[-1].parts[0].tables
    shown = texts(svg)
    for table in (restored, padded, kernel, products):
        for row in table.cells:
            assert all(short(value, 3) in shown for value in row)
    assert sum(value or 0 for row in products.cells for value in row) == pytest.approx(derivation.value)
    frames = [r for r in ET.fromstring(svg).iter(f"{SVG}rect") if r.get("class") == "window" and r.get("rx") == "3"]
    assert len(frames) == 1, "one frame round the nine cells under the kernel"
    assert float(frames[0].get("height", 0)) == 3 * 26
    assert svg.count('class="outside"') >= 24


def test_dilated_windows_are_framed_cell_by_cell() -> None:
    svg = drawn(explained("1x7x7 -> conv 1@3x3 dilation 2", "input[0,3,3]"))
    frames = [r for r in ET.fromstring(svg).iter(f"{SVG}rect") if r.get("class") == "window" and r.get("rx") == "3"]
    assert len(frames) == 9


def test_the_forward_pass_of_a_convolution_is_drawn_too() -> None:
    derivation = explained("1x5x5 -> conv 1@3x3 pad 1 nobias", "conv1[0,0,4]", quantity="value")
    tables = derivation.steps[-1].parts[0].tables
    assert sum(value or 0 for row in tables[-1].cells for value in row) == pytest.approx(derivation.value)
    assert "the window under the kernel" in drawn(derivation)


def test_winners_and_weights_and_branches_have_their_own_drawings() -> None:
    x = np.array([[[[1.0, 2], [4, 3]]]])
    net = cr.Sequential(cr.MaxPool2d(2), input_shape=(1, 2, 2))
    pooled = cr.explain(net, x, np.zeros((1, 1, 1, 1)), cr.MSELoss(), of="input[0,1,0]")
    assert {"1", "2", "3", "4", "the winner"} <= set(texts(drawn(pooled)))
    weight = drawn(explained("1x4x4 -> conv 1@3x3", "conv1.weight[0,0,0,0]"))
    assert "the places where the weight acts" in weight
    x_ = cr.Input((2,))
    branch = cr.Network(x_, cr.Add()(cr.Linear(2, 2)(x_), x_))
    derivation = cr.explain(branch, RNG.normal(size=(1, 2)), np.zeros((1, 2)), cr.MSELoss(), of="input[1]")
    shares = {short(part.total) for part in derivation.steps[-1].parts}
    assert {"linear1", "add1", *shares, short(derivation.value)} <= set(texts(drawn(derivation)))


@pytest.mark.parametrize("quantity", ["value", "gradient"])
def test_a_neuron_stands_between_its_weights(quantity: str) -> None:
    of = "linear1[1]" if quantity == "value" else "input[1]"
    derivation = explained("3 -> fc 2", of, quantity=quantity)
    shown = " ".join(texts(drawn(derivation)))
    for term in derivation.steps[-1].parts[0].terms:
        assert all(short(factor.value) in shown for factor in term.factors)
    assert short(derivation.value) in shown


def test_the_way_of_a_gradient_is_lit_and_nothing_else() -> None:
    net = zoo.lenet5()
    x = RNG.normal(size=(1, 1, 28, 28))
    derivation = cr.explain(net, x, [3], cr.CrossEntropyLoss(), of="linear2.weight[0,0]")
    assert [node.name for node in derivation.nodes if node.lit] == ["linear2", "relu4", "linear3"]
    value = cr.explain(net, x, [3], cr.CrossEntropyLoss(), of="relu1[0,5,5]", quantity="value")
    assert [node.name for node in value.nodes if node.lit] == ["input", "conv1", "relu1"]
    assert str(derivation.drawing()).count('class="node lit"') == 3
    assert 'class="node lit"' not in network_drawing(net), "a network by itself has no way lit"


def test_a_step_that_has_nothing_to_draw_says_so_and_one_that_does_not_exist_too() -> None:
    derivation = explained("3 -> fc 2 -> tanh", "linear1[0]")
    assert derivation.drawing(1) is None
    for step in (0, 99, -99):
        with pytest.raises(cr.errors.ArgumentError, match="step must be a number from 1 to"):
            derivation.drawing(step)


def test_a_map_by_itself() -> None:
    svg = map_drawing(np.arange(9).reshape(3, 3), "nine", window=(0, 0, 2, 2), here=(1, 1))
    assert {str(k) for k in range(9)} <= set(texts(svg))
    assert {'"window"', '"here"'} <= set(re.findall(r'class=("window"|"here")', svg))
    with pytest.raises(cr.errors.ShapeError, match="rows and columns"):
        map_drawing([1, 2, 3], "a row")


def test_pages_show_drawings_and_words_do_without() -> None:
    derivation = explained("1x4x4 -> conv 1@3x3", "input[0,1,1]")
    page = derivation.html()
    assert page.count("<svg") == 2 + sum(derivation.drawing(k) is not None for k in range(1, len(derivation.steps)))
    assert page.count("<style") == 1
    for text in (derivation.text(), derivation.markdown(), derivation.latex()):
        assert "svg" not in text


def _luminance(colour: str) -> float:
    parts = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_letters_stand_out_from_every_ground(colours: dict[str, str]) -> None:
    for ground in ("paper", "box", "faint", "wash-window", "wash-here", "wash-winner"):
        for ink in ("ink", "quiet"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for tint in ("positive", "negative"):
        pairs = [(int(colours[tint][k : k + 2], 16), int(colours["paper"][k : k + 2], 16)) for k in (1, 3, 5)]
        mixed = "#" + "".join(f"{round(over * DEEPEST + under * (1 - DEEPEST)):02x}" for over, under in pairs)
        assert _contrast(colours["ink"], mixed) >= 4.5, tint
    assert set(LIGHT) == set(DARK)
    assert all(page in scheme(".chainrule") for page in DARK_PAGES)
