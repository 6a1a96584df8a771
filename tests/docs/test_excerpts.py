"""What the READMEs show of a derivation is what is printed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.zoo.perceptrons import two_two_two

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("page", "lang"), [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_end_of_the_derivation_is_as_shown(page: str, lang: str) -> None:
    x, targets = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    asked = "linear2.weight[0,0]"
    printed = cr.explain(two_two_two(), x, targets, cr.HalfSquaredErrorLoss(), of=asked, lang=lang).text()
    shown = re.search("^```\n(3/4 .*?)^```$", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert printed.endswith(shown[1])
