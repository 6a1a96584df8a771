"""Every number on the page is explain's: read off the page at the stops of the tour, in networks of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chainrule.explain.notations import to_text
from chainrule.expressions import Num
from tests.explorer.browser.conftest import settled
from tests.explorer.cases import CASES, Case
from tests.explorer.helpers import explore, told
from tests.explorer.test_questions_explain import explained

MOST_STOPS = 9
LISTED = 25
"""Terms of a sum that the page lists."""
READ = """() => [...document.querySelectorAll("[data-number]")].map((element) => ({
  number: Number(element.dataset.number),
  text: element.textContent.trim(),
  place: element.dataset.place ? JSON.parse(element.dataset.place) : null,
  listed: !!element.closest("td"),
  result: !!element.closest(".result"),
}))"""


@pytest.fixture(scope="module")
def counted() -> dict[str, int]:
    """How many numbers were read in each network."""
    return {}


class Truth:
    """What explain and the traced pass say of a case at its first sample."""

    def __init__(self, case: Case) -> None:
        self.case = case
        rows = slice(None) if case.together else slice(0, 1)
        self.trace = case.net.trace(
            case.x[rows],
            case.targets[rows],
            loss=case.loss,
            training=case.training,
            engine="reference",
            dtype="float64",
        )

        first = {"quantity": "gradient", "name": "input", "index": [0] * (1 + len(case.net.input_shape))}
        self.loss = explained(case, first, 0).steps[0].result

    def number(self, place: dict[str, Any]) -> float:
        """The number at a place: of a parameter the gradient, unless the page says that it shows the value."""
        if place["name"] == "loss":
            return float(self.trace.loss)
        traced = self.trace[place["name"]]
        gradient = place.get("of", "value" if place["quantity"] == "value" else "gradient") == "gradient"
        return float((traced.gradient if gradient else traced.value)[tuple(place["index"])])

    def terms(self, place: dict[str, Any]) -> tuple[float, set[float]]:
        """The result of a step as explain has it, and the numbers that may stand in its lists."""
        if place["name"] == "loss":
            return self.loss, set()
        sample = place["index"][0] if self.case.together and place["quantity"] != "parameter" else 0
        derivation = explained(self.case, place, sample, depth=1, terms=LISTED)
        last = next(step for step in derivation.steps if step.place == derivation.place)
        values = {term.value for part in last.parts for term in part.terms}
        totals = {number for part in last.parts for number in (part.rest_total, part.total)} | {derivation.value}
        return derivation.value, values | totals


def printed(number: float) -> str:
    """A number as explain prints it."""
    return to_text(Num(number, 6))


@pytest.mark.parametrize("name", CASES)
def test_numbers_on_the_page_are_explains(page_of: Any, counted: dict[str, int], name: str) -> None:
    case = CASES[name]()
    truth = Truth(case)
    stops = told(explore(case), "tour")["stops"]
    exploring = {"training": case.training, "together": case.together}
    page = page_of(case.net, case.x, case.targets, case.loss, exploring=exploring)
    seen: set[tuple[Any, ...]] = set()
    step = max(1, -(-len(stops) // MOST_STOPS))
    for number in stopping(page, len(stops), step):
        place = json.loads(page.locator(".result [data-place]").get_attribute("data-place"))
        assert place == stops[number]["place"]
        result, listed = truth.terms(place)
        for found in page.evaluate(READ):
            assert found["text"] == printed(found["number"])
            if found["listed"]:
                assert found["number"] in listed, (place, found)
            elif found["result"]:
                assert found["number"] == result, (place, found)
            else:
                assert found["number"] == truth.number(found["place"]), (place, found)
            seen.add((json.dumps(place), json.dumps(found["place"]), found["number"]))
    counted[name] = len(seen)
    assert len(seen) >= 4


def stopping(page: Any, stops: int, step: int) -> Iterator[int]:
    """Stands at every `step`-th stop with all its thoughts shown, by the keyboard alone."""

    def press(key: str) -> None:
        page.keyboard.press(key)
        settled(page)

    press("Home")
    for number in range(stops - 1):
        press("Shift+ArrowRight")
        if number % step == 0:
            press("ArrowLeft")  # back to the last thought of the stop before
            yield number
            press("ArrowRight")
    press("End")
    yield stops - 1


def test_these_were_at_least_five_hundred_numbers_in_twelve_networks(counted: dict[str, int]) -> None:
    if len(counted) < len(CASES):
        pytest.skip("only some of the networks were read")
    assert len(counted) >= 12
    assert sum(counted.values()) >= 500, counted
