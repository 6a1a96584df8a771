"""The package's surface: what is exported, that it is documented, and that every formula of the sources is in it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import chainrule
import chainrule.equations
import chainrule.shapes

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(chainrule.equations.__path__, "chainrule.equations.")
]
DERIVATIONS = "chainrule.equations.derivations"
FORMULAS = {
    "S0": set(range(1, 40)),
    "S1": set(range(4, 19)),
    "S2": set(range(1, 42)) - {9},  # E09 is a grammar
    "S3": set(range(5, 27)),  # E01 to E04 are a grammar
    "S4": set(range(1, 40)),
}


def test_every_exported_name_exists_and_the_list_is_complete() -> None:
    exported = chainrule.equations.__all__
    assert len(set(exported)) == len(exported)
    for name in exported:
        assert hasattr(chainrule.equations, name), name
    for module in MODULES:
        if module.__name__.endswith((".dropout", ".random_bits")):  # names of modules, and bits that no formula has
            continue
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and name[0] != "_":
                assert (name in exported) is not module.__name__.startswith(DERIVATIONS), f"{module.__name__}.{name}"


def test_nothing_is_computed_with_the_other_forms_of_the_sources() -> None:
    """Only the worked examples show derivations, and only derivations build on one another."""
    package = Path(chainrule.__file__ or "").parent
    users = {
        path.relative_to(package).parts[:2] for path in package.rglob("*.py") if DERIVATIONS in path.read_text("utf-8")
    }
    assert users <= {("equations", "derivations"), ("explain", "examples")}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_function_says_what_it_computes(module: object) -> None:
    for name, value in vars(module).items():
        if inspect.isfunction(value) and not name.startswith("_"):
            assert value.__doc__, name


def cited() -> dict[str, set[int]]:
    """The formula numbers that docstrings cite, with ranges such as S2-E16..E24 and lists such as S2-E25, E28."""
    text = "\n".join(Path(m.__file__ or "").read_text("utf-8") for m in [*MODULES, chainrule.shapes])
    text = re.sub(r"\s+", " ", text)
    found: dict[str, set[int]] = {source: set() for source in FORMULAS}
    for source, numbers in re.findall(r"\b(S\d)-(E\d\d(?:(?:\.\.|, )E\d\d)*)", text):
        for first, last in re.findall(r"E(\d\d)(?:\.\.E(\d\d))?", numbers):
            found[source] |= set(range(int(first), int(last or first) + 1))
    return found


@pytest.mark.parametrize("source", FORMULAS)
def test_every_formula_of_the_sources_is_cited(source: str) -> None:
    missing = FORMULAS[source] - cited()[source]
    assert not missing, f"no equation cites {source}-E {sorted(missing)}"
