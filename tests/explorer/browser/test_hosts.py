"""The page over its hosts: that it opens, and what it says when something is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.explorer.networks import branches, small, two_two_two


@pytest.mark.parametrize("case", [small, two_two_two, branches])
def test_the_page_opens_over_a_server(page_of: Any, axe: Any, look: Any, case: Any) -> None:
    page = page_of(*case())
    assert page.locator("[data-ready=true]").count() == 1
    assert "token" not in page.url
    look(page, f"server-{case.__name__}")
