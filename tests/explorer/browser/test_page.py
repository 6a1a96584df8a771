"""The page in a reader's hands: played, stepped, dragged, clicked through, by mouse and by keys, in two languages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from tests.explorer.browser.conftest import settled
from tests.explorer.browser.reading import next_stop, printed, whole_step
from tests.explorer.networks import residual, small, two_two_two

PLACE = "() => JSON.parse(document.querySelector('.result [data-place]')?.dataset.place ?? 'null')"


def place(page: Any) -> Any:
    """The place whose step is shown."""
    return page.evaluate(PLACE)


def caption(page: Any) -> str:
    """Where the reader is: in the forward pass, in the backward pass, or at a place of their own."""
    return str(page.locator(".caption").inner_text())


def test_the_tour_is_stepped_through_both_passes_thought_by_thought(page_of: Any, axe: Any) -> None:
    page = page_of(*small())
    passes, titles, thoughts = [], [], 0
    for _ in range(150):
        said = page.locator(".where").inner_text()
        titles.append(page.locator("h2").nth(1).inner_text())
        passes.append(page.locator("[data-pass]").get_attribute("data-pass"))
        thoughts += page.locator(".thought.now").count()
        page.get_by_role("button", name="Next thought").first.click()
        settled(page)
        if page.locator(".where").inner_text() == said:
            break
    assert passes == sorted(passes, key=["forward", "backward"].index)
    assert thoughts == len(passes)
    stops = list(dict.fromkeys(titles))
    assert "The loss L (CrossEntropyLoss)" in stops
    assert stops[0].startswith("Value of conv1")
    assert stops[-1].startswith("Gradient of the parameter conv1.weight")
    axe(page)


def test_the_player_plays_by_itself_and_pauses(page_of: Any) -> None:
    page = page_of(*small())
    page.get_by_label("Speed").select_option("4×")
    page.get_by_role("button", name="Play", exact=True).click()
    page.locator(".thought[data-thought='1']").wait_for()
    page.get_by_role("button", name="Pause", exact=True).click()
    said = page.locator(".where").inner_text()
    page.wait_for_timeout(1200)
    assert page.locator(".where").inner_text() == said


def test_a_track_is_dragged(page_of: Any) -> None:
    page = page_of(*small())
    track = page.get_by_role("slider", name="backward pass")
    box = track.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    settled(page)
    assert place(page)["quantity"] == "parameter"
    assert caption(page).startswith("Backward pass")
    assert page.locator(".where").inner_text().startswith("Gradient of the parameter")


@pytest.mark.parametrize("view", ["values", "gradients"])
def test_every_box_map_and_weight_opens_its_step(page_of: Any, axe: Any, view: str) -> None:
    page = page_of(*residual())
    cards = page.locator(".card")
    for k in range(cards.count()):
        card = cards.nth(k)
        name = card.get_attribute("data-node")
        page.get_by_role("button", name=view, exact=True).click()  # a weight's step has shown gradients
        card.locator(".title").click()
        settled(page)
        assert place(page)["name"] == name
        assert (place(page)["quantity"] == "value") == (view == "values")
        assert page.locator(".tensor.own").get_attribute("aria-label").startswith(f"{name}, {view}")
        maps = card.locator("button.map")
        maps.nth(maps.count() - 1).click()
        settled(page)
        assert place(page)["index"][1] == maps.count() - 1 or maps.count() == 1
        for weight in card.locator(".parameter").all():
            weight.click()
            settled(page)
            assert place(page)["quantity"] == "parameter"
            assert place(page)["name"].startswith(f"{name.removesuffix('_')}.")
    axe(page)


def test_what_a_number_is_made_from_is_outlined_and_a_term_lights_its_factors(page_of: Any) -> None:
    page = page_of(*small(), hash="of=v:conv1[0,1,2,2]")
    made_from = page.locator(".tensor[aria-label='input, values']")
    assert made_from.locator(".mark").get_attribute("d").count("M") == 12  # around a window of 3 x 3
    assert page.locator(".lit").count() == 0
    page.locator("tr:has([data-term])").first.hover()
    assert page.locator(".lit").count() == 2  # the pixel and its weight
    page.locator("tr:has([data-term]) button").first.click()
    settled(page)
    assert place(page)["quantity"] == "parameter"


def test_arrow_keys_slide_the_window(page_of: Any) -> None:
    page = page_of(*small(), hash="of=v:conv1[0,1,2,2]")
    outline = page.locator(".tensor[aria-label='input, values'] .mark")
    before = outline.get_attribute("d")
    page.locator(".tensor.own [role=grid]").focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    assert place(page)["index"] == [0, 1, 2, 3]
    assert outline.get_attribute("d") != before
    assert "conv1[1,2,3]" in page.locator(".tensor.own [role=gridcell]").inner_text()


def test_of_a_map_too_large_to_be_seen_a_part_is_shown_that_follows_the_cursor(page_of: Any, axe: Any) -> None:
    net = cr.parse("1x150x150 -> conv 1@3x3 -> maxpool 8 -> fc 2", seed=1)
    x = np.random.default_rng(0).normal(size=(1, 1, 150, 150))
    page = page_of(net, x, [1], cr.CrossEntropyLoss(), hash="of=v:conv1[0,0,70,20]")
    part = page.locator(".tensor[aria-label='input, values'] .whole rect.halo")
    assert part.get_attribute("x") == "6"
    page.locator(".tensor[aria-label='input, values'] [role=grid]").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert int(part.get_attribute("x")) > 6
    column = int(page.locator(".tensor[aria-label='input, values'] [role=gridcell]").get_attribute("aria-colindex")) - 1
    box = page.locator(".tensor[aria-label='conv1, values'] .whole").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + 3)
    settled(page)
    assert place(page)["index"][2] < 10 < 140 < place(page)["index"][3]
    assert 20 < column < 150
    axe(page)


def test_a_pixel_that_is_clicked_opens_its_step(page_of: Any) -> None:
    page = page_of(*small(), hash="of=g:relu1[0,0,0,0]")
    grid = page.locator(".tensor[aria-label='relu1, gradients'] [role=grid]")
    box = grid.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 2.5 / 4, box["y"] + box["height"] * 1.5 / 4)
    settled(page)
    assert place(page) == {"quantity": "gradient", "name": "relu1", "index": [0, 0, 1, 2]}


def test_the_language_changes_without_a_reload(page_of: Any, axe: Any, look: Any) -> None:
    page = page_of(*small())
    for _ in range(4):
        next_stop(page)
        settled(page)
    page.evaluate("window.stays = true")
    here, numbers = place(page), printed(page)
    page.get_by_role("button", name="中文").click()
    settled(page)
    page.get_by_role("button", name="播放", exact=True).wait_for()
    assert page.evaluate("window.stays")
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert place(page) == here
    assert printed(page) == numbers
    assert "的值" in page.locator("h2").nth(1).inner_text()
    axe(page)
    look(page, "page-zh")
    page.get_by_role("button", name="English").click()
    page.get_by_role("button", name="Play", exact=True).wait_for()


def test_the_browser_s_language_is_taken_first(page_of: Any) -> None:
    page = page_of(*two_two_two(), lang="zh")
    page.get_by_role("button", name="播放", exact=True).wait_for()


def test_a_tour_by_keys_alone(page_of: Any, axe: Any) -> None:
    page = page_of(*small())
    keys = page.keyboard
    stops = page.locator(".dot").count()
    for _ in range(stops - 1):
        keys.press("Shift+ArrowRight")
        settled(page)
    assert place(page)["quantity"] == "parameter"
    keys.press("Home")
    settled(page)
    keys.press("ArrowRight")
    assert page.locator(".thought.now").get_attribute("data-thought") == "1"
    keys.press("ArrowLeft")
    assert page.locator(".thought.now").get_attribute("data-thought") == "0"
    keys.press("v")
    assert page.get_by_role("button", name="gradients", exact=True).get_attribute("aria-pressed") == "true"
    keys.press("m")
    assert page.evaluate("document.activeElement.matches('.tensor.own [role=grid]')")
    maps = {0: ("PageDown", 1), 1: ("PageUp", 0)}
    turn, other = maps[place(page)["index"][1]]
    keys.press(turn)
    settled(page)
    keys.press("Enter")
    settled(page)
    assert place(page)["index"][1] == other
    keys.press("n")
    assert page.evaluate("document.activeElement.dataset.region") == "network"
    keys.press("s")
    assert page.evaluate("document.activeElement.dataset.region") == "step"
    keys.press("]")
    settled(page)
    assert page.get_by_label("Sample", exact=False).locator("input").input_value() == "1"
    keys.press("[")
    settled(page)
    keys.press("?")
    assert page.get_by_role("dialog").is_visible()
    axe(page)
    keys.press("Escape")
    assert not page.get_by_role("dialog").is_visible()
    keys.press("t")
    keys.press("t")
    assert page.locator("[data-theme=dark]").count() == 1
    keys.press("l")
    page.get_by_role("button", name="播放", exact=True).wait_for()
    keys.press("Space")
    page.get_by_role("button", name="暂停", exact=True).wait_for()


def test_letters_can_be_turned_off(page_of: Any) -> None:
    page = page_of(*small())
    page.keyboard.press("?")
    page.get_by_label("Letters and digits are commands").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("v")
    assert page.get_by_role("button", name="values", exact=True).get_attribute("aria-pressed") == "true"


def test_tab_reaches_everything_and_focus_is_seen(page_of: Any) -> None:
    page = page_of(*two_two_two())
    reached = set()
    for _ in range(70):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue  # past the end, to begin anew
        name, seen = page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e.type === 'range' ? e.parentElement : e);"
            " return [e.getAttribute('aria-label') ?? e.textContent.trim().slice(0, 30), s.outlineStyle !== 'none']; }"
        )
        assert seen, name
        reached.add(name)
    for name in (
        "Play",
        "Next thought",
        "forward pass",
        "backward pass",
        "values",
        "gradients",
        "中文",
        "Help and keys",
    ):
        assert name in reached, (name, reached)


def test_the_address_leads_back(page_of: Any) -> None:
    page = page_of(*small())
    page.locator("[data-node=relu1] .title").click()
    settled(page)
    here, address = place(page), page.evaluate("location.hash")
    assert "relu1" in address
    page.reload()
    settled(page)
    assert place(page) == here


@pytest.mark.parametrize(
    ("width", "height", "dark"), [(390, 844, False), (390, 844, True), (1440, 900, True), (1920, 1080, False)]
)
def test_nothing_is_cut_off_and_axe_is_content(
    page_of: Any, axe: Any, look: Any, width: int, height: int, dark: bool
) -> None:
    page = page_of(*residual(), width=width, height=height, dark=dark)
    for key in ("Home", "End"):
        page.keyboard.press(key)
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        axe(page)
    whole_step(page)
    look(page, f"page-{width}-{'dark' if dark else 'light'}")


def test_a_box_of_a_thousand_maps_turns_its_pages(page_of: Any, axe: Any) -> None:
    net = cr.parse("1x6x6 -> conv 1000@3x3 -> relu -> maxpool 4 -> fc 512 -> tanh -> fc 3", seed=1)
    page = page_of(net, np.random.default_rng(0).normal(size=(1, 1, 6, 6)), [1], cr.CrossEntropyLoss())
    card = page.locator("[data-node=conv1]")
    first = int(card.locator(".pages span").inner_text().split("–")[0])
    card.get_by_label("Earlier maps of conv1").or_(card.get_by_label("Later maps of conv1")).locator(
        ":scope:enabled"
    ).first.click()
    settled(page)
    assert int(card.locator(".pages span").inner_text().split("–")[0]) != first
    page.locator("[data-node=tanh1] .title").click()
    settled(page)
    assert page.locator(".tensor.own canvas").evaluate("canvas => [canvas.width * canvas.height]") == [512]
    axe(page)


def test_a_file_shows_the_same_without_a_server(page_of: Any, axe: Any) -> None:
    live = page_of(*two_two_two())
    still = page_of(*two_two_two(), host="static")
    for stop in range(live.locator(".dot").count()):
        if stop % 2 == 0:
            assert place(settled(still)) == place(settled(live))
            assert printed(still) == printed(live)
        for page in (live, still):
            next_stop(page)
    axe(still)
