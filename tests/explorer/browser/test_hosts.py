"""The page over its hosts: that it opens over each, and what it says when something is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.explorer.networks import branches, small, two_two_two


@pytest.mark.parametrize("host", ["server", "static"])
@pytest.mark.parametrize("case", [small, two_two_two, branches])
def test_the_page_opens(page_of: Any, axe: Any, look: Any, case: Any, host: str) -> None:
    page = page_of(*case(), host=host)
    assert page.locator("[data-ready=true]").count() == 1
    assert "token" not in page.url
    look(page, f"{host}-{case.__name__}")
