"""The window over a map: pair by pair the products are those of the step, and it slides from place to place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explorer import Exploration
from tests.explorer.browser.conftest import Pages, settled

X = np.random.default_rng(5).normal(size=(1, 2, 7, 7))
LOSS = cr.CrossEntropyLoss()


def network() -> cr.Network:
    """A convolution with stride and padding before another."""
    layers = [cr.Conv2d(2, 2, 3, 2, 1), cr.ReLU(), cr.Conv2d(2, 2, 2), cr.Flatten(), cr.Linear(18, 3)]
    return cr.Sequential(*layers, input_shape=(2, 7, 7), seed=2)


def tables(place: dict[str, Any]) -> list[Any]:
    """The window, the kernel and their products, as the step has them."""
    answer = Exploration(network(), X, [1], loss=LOSS).answer({"ask": "step", "place": place})
    found = [thought["table"] for thought in answer["step"]["thoughts"] if thought["kind"] == "window"][-3:]
    under = [mark for mark in found[0]["marks"] if "window" in mark["mark"]]
    window = [found[0]["cells"][mark["row"]][mark["column"]] for mark in under]
    return [window, *([cell for row in table["cells"] for cell in row] for table in found[1:])]


PLACES = [
    ("v:conv2[0,1,1,1]", {"quantity": "value", "name": "conv2", "index": [0, 1, 1, 1]}),
    ("g:input[0,1,3,3]", {"quantity": "gradient", "name": "input", "index": [0, 1, 3, 3]}),
]


@pytest.mark.parametrize(("code", "place"), PLACES)
def test_every_pair_under_the_window_is_multiplied_before_the_reader(
    page_of: Pages, axe: Callable[..., None], look: Any, code: str, place: dict[str, Any]
) -> None:
    page = page_of(network(), X, [1], LOSS, hash=f"of={code}")
    window, kernel, products = tables(place)
    play = page.locator(".window-play")
    play.wait_for()
    for k, expected in enumerate(zip(window, kernel, products, strict=True)):
        play.get_by_role("button", name="Next pair").click()
        shown = [float(number.get_attribute("data-number")) for number in play.locator("[data-number]").all()]
        assert shown == list(expected)
        assert shown[0] * shown[1] == pytest.approx(shown[2])
        assert f"Pair {k + 1} of {len(kernel)}" in play.inner_text()
        assert page.locator("td.lit").count() == 3
    assert play.get_by_role("button", name="Next pair").is_disabled()
    axe(page)
    look(page, f"window-{place['name']}")


def test_the_window_slides_plays_and_pauses(page_of: Pages) -> None:
    page = page_of(network(), X, [1], LOSS, hash="of=g:input[0,1,3,6]", reduced=False)
    result = page.locator(".result [data-place]")
    play = page.locator(".window-play")

    def at(index: str) -> None:
        page.wait_for_function(
            f"() => document.querySelector('.result [data-place]').dataset.place.includes('{index}')"
        )
        settled(page)

    play.get_by_role("button", name="Slide on by one place").click()
    at("[0,1,4,0]")
    net = network()
    trace = net.trace(X, [1], loss=LOSS, dtype="float64", engine="reference", training=False)
    assert float(result.get_attribute("data-number")) == pytest.approx(trace["input"].gradient[0, 1, 4, 0], rel=1e-12)
    play.get_by_role("button", name="Slide back by one place").click()
    at("[0,1,3,6]")
    play.get_by_role("button", name="Slide the window").click()
    at("[0,1,4,1]")
    play.get_by_role("button", name="Pause").click()
    stood = result.get_attribute("data-place")
    page.wait_for_timeout(1500)
    assert result.get_attribute("data-place") == stood
    play.get_by_role("button", name="Pair by pair").click()
    page.get_by_text("Pair 2 of 9").wait_for()
    play.get_by_role("button", name="Pause").click()
