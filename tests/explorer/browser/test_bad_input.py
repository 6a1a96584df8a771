"""What goes wrong, said on the page: a server that ends, tabs that are too many, a browser without scripts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explorer.refusals import MOST_TABS
from tests.explorer.browser.conftest import settled
from tests.explorer.networks import small, two_two_two


def trouble(page: Any) -> Any:
    """The note that says what is wrong."""
    note = page.get_by_role("alert")
    note.wait_for()
    return note


def test_a_second_tab_explores_on_its_own(page_of: Any) -> None:
    first = page_of(*small())
    second = page_of.open(first.url, context=first.context)
    first.get_by_role("button", name="gradients").click()
    settled(first)
    assert second.get_by_role("button", name="values").get_attribute("aria-pressed") == "true"
    assert page_of.session(first) != page_of.session(second)


def test_the_ninth_tab_ousts_the_one_that_rested_longest_which_says_so(page_of: Any, axe: Any, look: Any) -> None:
    first = page_of(*two_two_two())
    for _ in range(MOST_TABS):
        last = page_of.open(first.url, context=first.context)
    assert last.get_by_role("alert").count() == 0
    first.get_by_role("button", name="中文").click()
    note = trouble(first)
    assert str(MOST_TABS) in note.inner_text()
    axe(first)
    look(first, "ousted")
    note.get_by_role("button").first.click()
    first.wait_for_load_state()
    settled(first)
    assert first.get_by_role("alert").count() == 0


def test_a_server_that_ends_in_between_is_said_and_asked_again(page_of: Any, axe: Any, look: Any) -> None:
    page = page_of(*small())
    port = int(page.url.partition("127.0.0.1:")[2].partition("/")[0])
    page_of.servers[-1].stop()
    page.get_by_role("button", name="中文").click()
    note = trouble(page)
    page_of.forgive("ERR_CONNECTION_REFUSED", "failed: POST")
    axe(page)
    look(page, "unreachable")
    note.get_by_role("button").first.click()
    assert trouble(page).is_visible()  # still nobody there
    page_of.forgive("ERR_CONNECTION_REFUSED", "failed: POST")
    page_of.servers.append(cr.explorer(*small()).serve(port, browser=False))
    note.get_by_role("button").first.click()
    page.wait_for_timeout(2000)
    assert "chainrule explore" in trouble(page).inner_text()  # another server: its token is not ours
    page_of.forgive("403")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_scripts_a_file_shows_the_derivation(page_of: Any, look: Any, lang: str) -> None:
    page = page_of(*two_two_two(), host="static", javascript=False, lang=lang)
    english, chinese = page.locator("section[lang=en]"), page.locator("section[lang=zh-Hans]")
    told = cr.explain(*two_two_two()[:3], cr.HalfSquaredErrorLoss(), of="linear1.weight[0,1]", training=False)
    assert english.count() == chinese.count() == 1
    for section in (english, chinese):
        assert section.is_visible()
        assert section.locator("math").count() > 10
        assert len(section.locator("details, h2").all()) >= len(told.steps)
        assert "0.000995425" in section.inner_text()
        assert "0.298371" in (section.text_content() or "")
    look(page, f"no-script-{lang}", full=True)


def test_without_scripts_the_served_page_says_what_to_do(page_of: Any) -> None:
    page = page_of(*two_two_two(), javascript=False)
    assert "chainrule explain" in page.locator("body").inner_text()


def test_what_a_file_does_not_hold_is_said_in_a_sentence(page_of: Any, axe: Any, look: Any, tmp_path: Any) -> None:
    net, x, targets, loss = small()
    path = cr.explorer(net, x, targets, loss).save(tmp_path / "page.html", budget=20_000)
    gradient = abs(net.trace(x[:1], targets[:1], loss=loss)["input"].gradient[0])
    least = ",".join(map(str, np.unravel_index(gradient.argmin(), gradient.shape)))
    page = page_of.open(path.as_uri(), hash=f"lang=en&of=g:input[0,{least}]")
    assert "`chainrule explore`" in trouble(page).inner_text()
    assert "This file holds 1 of 3 samples" in page.locator("body").inner_text()
    axe(page)
    look(page, "not-recorded")
