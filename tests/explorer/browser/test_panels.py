"""The panels as a person uses them: what they print is what chainrule computes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explorer import Exploration
from chainrule.zoo import two_two_two
from tests.explorer.browser.conftest import Pages, settled

LOSS = cr.CrossEntropyLoss()
X = np.random.default_rng(3).normal(size=(3, 1, 12, 12))
LABELS = [0, 2, 1]
Axe = Callable[..., None]
PANELS = ("nudge", "draw", "train", "compare", "mistakes", "examples")


def network() -> cr.Network:
    """A branch around a convolution, pooling and a dense layer."""
    x = cr.Input((1, 12, 12))
    h = cr.Add()(cr.Conv2d(1, 1, 3, padding=1)(x), x)
    h = cr.MaxPool2d(2)(cr.ReLU()(cr.Conv2d(1, 2, 3)(h)))
    return cr.Network(x, cr.Linear(50, 3)(cr.Flatten()(h)), seed=3)


def asked(**question: Any) -> Any:
    """What a fresh exploration answers."""
    answer = Exploration(network(), X, LABELS, loss=LOSS).answer(question)
    assert answer["ok"], answer
    return answer


def opened(page_of: Pages, panel: str, **options: Any) -> Any:
    """A page with a panel in front."""
    page = page_of(network(), X, LABELS, LOSS, **options)
    return show(page, panel)


def show(page: Any, panel: str) -> Any:
    """Bring a panel to the front."""
    page.click(f"#chainrule-tab-{panel}")
    return settled(page)


def fact(page: Any, name: str) -> float:
    """A number of the panel, in full."""
    return float(page.locator(f'[data-fact="{name}"]').first.get_attribute("data-number"))


def alert(page: Any) -> str:
    """What the panel complains of."""
    return str(page.locator(".tool [role=alert], .tool .complaint:not(:empty)").first.inner_text())


def select_weight(page: Any) -> None:
    """Choose the weight of the first convolution with the largest gradient."""
    page.locator('[data-node="conv1"] .parameter', has_text="weight").click()
    settled(page)


def place_of(page: Any) -> dict[str, Any]:
    """The place that is nudged, as the page names it."""
    text = page.locator(".subject code").inner_text()
    name, inner = re.fullmatch(r"([^\[]+)\[(.*)\]", text).groups()  # type: ignore[union-attr]
    return {"quantity": "parameter", "name": name, "index": [int(k) for k in inner.split(",")]}


def test_a_weight_is_nudged_with_keys_as_its_gradient_foretells_kept_and_taken_back(page_of: Pages, axe: Axe) -> None:
    page = opened(page_of, "nudge")
    select_weight(page)
    told = asked(ask="nudge", place=place_of(page))
    assert fact(page, "start") == told["start"]
    assert fact(page, "gradient") == told["gradient"]
    assert fact(page, "before") == told["before"]
    page.get_by_label("Move it").focus()
    for key, position in (("Home", 0), ("ArrowRight", 1), ("End", 40), ("ArrowLeft", 39)):
        page.keyboard.press(key)
        point = told["points"][position]
        assert fact(page, "predicted") == point["predicted"]
        assert fact(page, "change") == point["change"]
        assert fact(page, "after") == point["loss"]
    axe(page)
    before, after = fact(page, "before"), fact(page, "after")
    page.get_by_role("button", name="Keep this value").click()
    page.wait_for_function(f"""() => +document.querySelector('[data-fact="before"]').dataset.number === {after}""")
    page.get_by_role("button", name="Take it back").click()
    page.wait_for_function(f"""() => +document.querySelector('[data-fact="before"]').dataset.number === {before}""")
    page.locator('[data-node="relu1"] .title').click()
    page.get_by_text("This number is computed from others").wait_for()
    assert page.get_by_role("button", name="Keep this value").count() == 0


def test_a_digit_is_drawn_with_pointer_or_keys_and_its_pixels_are_painted(page_of: Pages, axe: Axe) -> None:
    page = opened(page_of, "draw", height=1200)
    use = page.get_by_role("button", name="Use as sample")
    use.click()
    assert "Nothing is drawn yet" in alert(page)
    _paint_one_pixel(page)
    page.get_by_label("Drawing pad").scroll_into_view_if_needed()
    box = page.get_by_label("Drawing pad").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    page.mouse.up()
    use.click()
    assert "choose its class" in alert(page)
    page.locator(".class", has_text="2").click()
    use.click()
    page.get_by_text("It is sample 3 now, class 2").wait_for()
    settled(page)
    assert page.locator(".tool .outputs tr").count() == 3
    axe(page)
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Drawing pad").focus()
    page.keyboard.press("Space")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
    assert page.locator(".tool [aria-live=polite]").first.inner_text().startswith("pen down at row ")
    page.keyboard.press("Space")
    page.locator(".class input").nth(2).focus()
    page.keyboard.press("ArrowLeft")
    use.focus()
    page.keyboard.press("Enter")
    page.get_by_text("It is sample 4 now, class 1").wait_for()


def _paint_one_pixel(page: Any) -> None:
    """With keys; the loss then moves as the gradients of before foretell."""
    page.get_by_label("Pixels of sample 0").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    page.keyboard.press("Space")
    page.get_by_text("One pixel changed").wait_for()
    place = {"quantity": "value", "name": "input", "index": [0, 0, 5, 6]}
    white = asked(ask="overview")["picture"]["white"]
    told = asked(ask="set", changes=[{"place": place, "value": white}])
    assert (fact(page, "predicted"), fact(page, "change")) == (told["predicted"], told["change"])


def test_training_moves_the_loss_along_its_curve_and_is_undone(page_of: Pages, axe: Axe) -> None:
    page = opened(page_of, "train")
    page.get_by_label("Steps", exact=True).fill("6")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text("After 6 steps").wait_for()
    settled(page)
    told = asked(ask="train", steps=6, learning_rate=0.05, of="sample")["losses"]
    page.get_by_text("The curve as a table").click()
    rows = page.locator(".tool tbody tr td:last-child")
    shown = [float(cell.get_attribute("data-number")) for cell in rows.all()]
    assert shown == pytest.approx(told, rel=1e-12)
    axe(page)
    show(page, "examples")
    show(page, "train")
    assert page.get_by_text("After 6 steps").is_visible(), "the curve stays while another panel is shown"
    page.get_by_role("button", name="Undo training").click()
    page.get_by_text("Nothing is trained yet").wait_for()
    page.get_by_label("Learning rate").fill("much")
    assert "greater than 0" in alert(page)
    assert page.get_by_role("button", name="Train", exact=True).is_disabled()


def test_training_that_runs_away_is_answered_with_a_sentence(page_of: Pages) -> None:
    deep = cr.Sequential(*(cr.Linear(2, 2) for _ in range(6)), input_shape=(2,))
    page = show(page_of(deep, [[3.0, 4.0]], [[1.0, 2.0]], cr.HalfSquaredErrorLoss()), "train")
    page.get_by_label("Learning rate").fill("100")
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator(".tool [role=alert]").wait_for()
    assert "Training ran away" in alert(page)
    assert page.get_by_role("button", name="Undo training").is_disabled()


def test_two_samples_stand_side_by_side_with_their_values_and_gradients(page_of: Pages, axe: Axe) -> None:
    page = opened(page_of, "compare")
    page.get_by_role("combobox", name="Layer").select_option("conv2")
    page.get_by_role("combobox", name="Compare with").select_option("2")
    page.locator('.tool button[aria-label="Sample 2, map 1"]').first.click()
    page.get_by_label("row", exact=True).fill("3")
    page.get_by_label("column", exact=True).fill("4")
    page.locator('[data-fact="gradient-2"]').wait_for()
    settled(page)
    for sample in (0, 2):
        trace = network().trace(
            X[sample : sample + 1],
            LABELS[sample : sample + 1],
            loss=LOSS,
            dtype="float64",
            engine="reference",
            training=False,
        )
        assert fact(page, f"loss-{sample}") == trace.loss
        assert fact(page, f"value-{sample}") == trace["conv2"].value[0, 1, 3, 4]
        assert fact(page, f"gradient-{sample}") == trace["conv2"].gradient[0, 1, 3, 4]
    axe(page)
    page.get_by_label("column", exact=True).fill("40")
    assert "columns from 0 to 9" in alert(page)


def test_a_mistake_is_planted_and_diagnosis_names_it(page_of: Pages, axe: Axe) -> None:
    page = opened(page_of, "mistakes")
    page.get_by_role("combobox", name="Layer").select_option("conv2")
    page.get_by_role("combobox", name="Mistake, one of").select_option("dx.kernel_not_rotated")
    page.get_by_text("The gradient of add1:").wait_for()
    settled(page)
    said = page.locator(".says").inner_text()
    for line in asked(ask="mistake", node="conv2", key="dx.kernel_not_rotated")["diagnosis"]:
        assert line in said
    assert page.locator(".tool [role=img]").count() == 3
    page.get_by_role("combobox", name="Layer").select_option("input")
    page.locator("blockquote", has_text="Only one branch's share").wait_for()
    axe(page)


def test_every_example_opens_and_explains_itself(page_of: Pages, axe: Axe) -> None:
    page = opened(page_of, "examples")
    axe(page)
    assert page.locator(".tool li button").count() == len(asked(ask="examples")["examples"])
    for title in ("Why the kernel turns around", "Two inputs, two hidden"):
        page.locator(".tool li button", has_text=title).click()
        page.wait_for_selector("#chainrule-tab-step[aria-selected=true]")
        settled(page)
        assert page.locator("article h2").first.inner_text()
        show(page, "examples")
        assert title in page.locator(".tool [aria-current]").inner_text()


@pytest.mark.parametrize("dark", [True, False])
def test_panels_in_chinese_on_a_phone(page_of: Pages, axe: Axe, look: Any, dark: bool) -> None:
    page = page_of(network(), X, LABELS, LOSS, lang="zh", dark=dark, width=390, height=844)
    for panel in PANELS:
        show(page, panel)
        page.wait_for_timeout(150)
        settled(page)
        assert re.search("[一-鿿]", page.locator(".tool h2").inner_text())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        axe(page)
        look(page, f"panel-{panel}-zh-390-{'dark' if dark else 'light'}", full=True)


def test_a_file_says_what_it_cannot_do(page_of: Pages, axe: Axe) -> None:
    page = page_of(two_two_two(), [[0.05, 0.1]], [[0.01, 0.99]], host="static")
    for panel in PANELS:
        show(page, panel)
        page.locator(".tool", has_text="chainrule explore").wait_for()
    axe(page)
