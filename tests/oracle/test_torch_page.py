"""docs/torch.md: every line of "If you come from PyTorch" is true on both sides."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr

torch: Any = pytest.importorskip("torch")
TABLE = Path(__file__).resolve().parents[2] / "docs" / "tables" / "torch.toml"
ROWS = [(part, row) for part, rows in tomllib.loads(TABLE.read_text(encoding="utf-8")).items() for row in rows]


@pytest.mark.parametrize(("part", "row"), ROWS, ids=[f"{part}-{row['torch'][0][:30]}" for part, row in ROWS])
def test_a_line_is_true(part: str, row: dict[str, Any]) -> None:
    assert row["check"].count("assert ") + row["check"].count("raises(") > 0
    threads = cr.threads()
    try:
        exec(
            compile(row["check"], f"docs/tables/torch.toml, {part}", "exec"),
            {"cr": cr, "np": np, "pytest": pytest, "torch": torch},
        )
    finally:
        cr.set_threads(threads)
