"""Every formula of docs/equations is LaTeX that KaTeX accepts in strict mode."""

from __future__ import annotations

import pytest

from tests.docs.test_tables import DOCS
from tests.explain.formulas import katex_found, latex_of, refused_by_katex


@pytest.mark.skipif(not katex_found(), reason="needs node and katex")
def test_katex_accepts_every_formula() -> None:
    formulas = {f for path, text in DOCS.pages().items() if path.stem.startswith("equations") for f in latex_of(text)}
    assert len(formulas) > 130
    assert not refused_by_katex(formulas)
