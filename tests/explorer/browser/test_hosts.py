"""The page over its hosts: that it opens over each, and what it says when something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import chainrule as cr
from tests.explorer.browser.conftest import settled
from tests.explorer.networks import branches, small, two_two_two


@pytest.mark.parametrize("host", ["server", "static"])
@pytest.mark.parametrize("case", [small, two_two_two, branches])
def test_the_page_opens(page_of: Any, axe: Any, look: Any, case: Any, host: str) -> None:
    page = page_of(*case(), host=host)
    assert page.locator("[data-ready=true]").count() == 1
    assert "token" not in page.url
    look(page, f"{host}-{case.__name__}")


def test_the_network_is_saved_only_where_the_start_named_a_file(
    page_of: Any, axe: Any, look: Any, tmp_path: Path
) -> None:
    net, x, targets, loss = small()
    assert page_of(net, x, targets, loss).get_by_role("button", name="Save").count() == 0
    path = tmp_path / "out.safetensors"
    page = page_of(net, x, targets, loss, save=path)
    page.get_by_role("button", name="Save").click()
    page.get_by_text(f"Saved to {path}").wait_for()
    axe(page)
    look(page, "saved")
    assert (cr.load(path).parameters["conv1.weight"] == net.parameters["conv1.weight"]).all()
    page.get_by_role("tab", name="Train").click()
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_text(f"Saved to {path}").wait_for(state="detached")
    settled(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_text(f"Saved to {path}").wait_for()
    assert (cr.load(path).parameters["conv1.weight"] != net.parameters["conv1.weight"]).any()


def test_a_file_shows_how_the_loss_follows_a_number(page_of: Any, look: Any) -> None:
    page = page_of(*two_two_two(), host="static", hash="of=p:linear1.weight[0,0]&panel=nudge")
    page.get_by_role("tab", name="Nudge").click()
    settled(page)
    assert page.get_by_role("alert").count() == 0
    assert page.locator("[role=tabpanel] svg").count() > 0
    assert "0.298371" in page.locator("[role=tabpanel]").inner_text()
    look(page, "static-nudge")
