"""Reads numbers off the page, and moves along its tour."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.explorer.browser.conftest import settled

NUMBERS = """() => [...document.querySelectorAll("[data-number]")].map((found) => ({
  text: found.textContent.trim(), value: found.dataset.number, place: found.dataset.place ?? null,
  term: "term" in found.dataset,
}))"""


@dataclass(frozen=True)
class Printed:
    """A number on the page: what a reader sees, the number behind it, where it lives (not told for terms)."""

    text: str
    value: float
    place: dict[str, Any] | None
    term: bool


def printed(page: Any) -> list[Printed]:
    """Every number that the page prints as one of the network's."""
    found = page.evaluate(NUMBERS)
    return [
        Printed(
            one["text"], float(one["value"]), None if one["place"] is None else json.loads(one["place"]), one["term"]
        )
        for one in found
    ]


def whole_step(page: Any) -> None:
    """Choose the place that is shown with Enter in its own map, so that all its thoughts stand there at once."""
    page.keyboard.press("m")
    page.keyboard.press("Enter")
    settled(page)


def next_stop(page: Any) -> None:
    """To the next stop of the tour; the page may still be asking."""
    page.evaluate("document.activeElement?.blur()")  # away from the map, which has a use of its own for arrows
    page.keyboard.press("Shift+ArrowRight")
