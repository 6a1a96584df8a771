"""The command that measures the explorer's answers runs and prints a row for each network."""

from __future__ import annotations

import pytest

from benchmarks import explorer


def test_a_row_is_printed_for_each_network(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["explorer", "2-2-2", "--steps", "3"])
    explorer.main()
    head, row, end = capsys.readouterr().out.strip().split("\n")
    assert row.startswith("2-2-2  ")
    assert len(row.split()) == len(
        ["2-2-2", "10", "first", "median", "worst", "median", "worst", "tour", "nudge", "mistakes"]
    )
    assert head.index("parameters") + len("parameters") == row.index(" 10 ") + len(" 10")
    assert end.startswith("over the aims")
