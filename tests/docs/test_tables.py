"""The tables behind docs/equations, errata and coverage are complete, and what they name exists."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

FORMULAS = {
    "S0": range(1, 40),
    "S1": range(4, 19),
    "S2": range(1, 42),
    "S3": range(1, 27),
    "S4": range(1, 40),
}
ERRATA = {"0": 35, "1": 17, "2": 36, "3": 18, "4": 28, "X": 8}
OTHERS = {
    "S0": {"N": 24, "A": 6, "F": 6, "D": 11, "C": 6},
    "S1": {"A": 1, "F": 3, "D": 1, "C": 2},
    "S2": {"B": 6, "F": 12, "N": 2, "C": 4, "D": 4, "A": 2, "P": 4, "H": 3},
    "S3": {"N": 7, "C": 1, "F": 9, "A": 1, "D": 1},
    "S4": {"F": 6, "N": 1, "X": 1, "D": 1},
}


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "scripts" / "build_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DOCS = _script()
EQUATIONS, MISPRINTS, COVERAGE = (DOCS.table(name) for name in ("equations", "errata", "coverage"))


@cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def assert_test_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file(), f"{test}: no such file"
    assert name in functions_of(path), f"{test}: no such test"


def named(place: str) -> Any:
    """The object that a dotted name leads to."""
    parts = place.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return found
    raise AssertionError(place)


def test_every_formula_is_listed() -> None:
    wanted = [f"{source}-E{number:02d}" for source, numbers in FORMULAS.items() for number in numbers]
    assert list(EQUATIONS) == wanted
    assert len(wanted) == 160


def test_every_erratum_is_listed() -> None:
    wanted = [f"ER{source}-{number:02d}" for source, count in ERRATA.items() for number in range(1, count + 1)]
    assert list(MISPRINTS) == wanted
    assert len(wanted) == 142


def test_everything_else_is_listed_once() -> None:
    wanted = [
        f"{s}-{k}{n:02d}" for s, kinds in OTHERS.items() for k, count in kinds.items() for n in range(1, count + 1)
    ]
    listed = [name for entry in COVERAGE for name in DOCS.expand(entry)]
    assert sorted(listed) == sorted(wanted)
    assert len(wanted) == 125


@pytest.mark.parametrize("name", EQUATIONS)
def test_the_functions_of_a_formula_exist_and_cite_it(name: str) -> None:
    row = EQUATIONS[name]
    assert row["where"], f"{name}: nothing computes it"
    for place in row["where"]:
        cited = DOCS.cited_ids(named(place).__doc__ or "")
        assert name in cited, f"{place} does not cite {name} in its docstring"


@pytest.mark.parametrize("name", EQUATIONS)
def test_the_tests_of_a_formula_exist(name: str) -> None:
    assert EQUATIONS[name]["tests"], f"{name}: nothing proves it"
    for test in EQUATIONS[name]["tests"]:
        assert_test_exists(test)


@pytest.mark.parametrize("name", MISPRINTS)
def test_the_tests_of_an_erratum_exist(name: str) -> None:
    row = MISPRINTS[name]
    assert row["kind"] in DOCS.KINDS
    assert len(row["says"]) == len(row["true"]) == 2
    assert len(row["check"]) in (0, 2)
    for test in row["tests"]:
        assert_test_exists(test)


def test_every_counterexample_is_kept_as_a_test() -> None:
    """What a number decides is tested; what is seen by reading needs no test."""
    missing = {name for name, row in MISPRINTS.items() if row["check"] and not row["tests"]}
    assert missing == {"ER2-18", "ER4-25"} & missing


@pytest.mark.parametrize("name", COVERAGE)
def test_what_answers_an_item_exists(name: str) -> None:
    for reference in COVERAGE[name]["refs"]:
        if reference.startswith("tests/"):
            assert_test_exists(reference)
        elif reference.startswith("docs/"):
            assert (ROOT / reference).is_file()
        else:
            assert named(reference) is not None
    assert COVERAGE[name]["refs"]


def test_ids_in_docstrings_are_read_with_ranges_and_lists() -> None:
    assert DOCS.cited_ids("(S2-E16..E24, S0-E01; ER4-13)") == {f"S2-E{n}" for n in range(16, 25)} | {"S0-E01", "ER4-13"}
    assert DOCS.cited_ids("(S2-E03, E04; S1-E06 to E08)") == {"S2-E03", "S2-E04", "S1-E06", "S1-E07", "S1-E08"}
    assert DOCS.cited_ids("ER2-22, ER3-13") == {"ER2-22", "ER3-13"}
    assert DOCS.cited_ids("Mode 3, S5") == set()


def test_the_pages_are_up_to_date() -> None:
    for path, text in DOCS.pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run python scripts/build_docs.py"


def test_the_links_of_the_pages_lead_somewhere() -> None:
    import re

    for path, text in DOCS.pages().items():
        for target in set(re.findall(r"\]\(([^)#]+)\)", text)):
            assert (path.parent / target).resolve().is_file(), f"{path.name}: {target}"
