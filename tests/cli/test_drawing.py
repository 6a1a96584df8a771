"""Pictures in characters: two pixels in one where there is colour, shades elsewhere, never wider than the terminal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.cli.drawing import ASCII_SHADES, SHADES, in_colours, in_shades

CHECKS: Any = np.kron(np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones((4, 4)))[..., None].repeat(3, axis=2)


def test_each_character_is_coloured_as_the_two_pixels_under_it() -> None:
    picture = np.zeros((3, 2, 3))
    picture[0, 0] = (1, 0, 0)
    picture[1, 0] = (0, 0, 1)
    picture[2] = 1
    text = in_colours(picture, 80)
    assert text.plain == "▀▀\n▀▀\n"
    styles = [str(span.style) for span in text.spans]
    assert styles[0] == "rgb(255,0,0) on rgb(0,0,255)"
    assert styles[1] == "rgb(0,0,0) on rgb(0,0,0)"
    assert styles[2:] == ["rgb(255,255,255) on rgb(255,255,255)"] * 2


@pytest.mark.parametrize("shades", [SHADES, ASCII_SHADES])
def test_light_is_drawn_strongest(shades: str) -> None:
    lines = in_shades(CHECKS, 80, shades)
    assert lines == [" " * 8 + shades[-1] * 8] * 4 + [shades[-1] * 8] * 4


@pytest.mark.parametrize("width", [1, 3, 8, 15, 16, 80])
@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (3, 300), (300, 3), (64, 48)])
def test_no_picture_is_wider_than_the_terminal(width: int, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).uniform(size=(*shape, 3))
    assert max(map(len, in_shades(picture, width, SHADES))) <= width
    assert max(map(len, in_colours(picture, width).plain.splitlines())) <= width
