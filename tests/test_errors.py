"""The exceptions: one tree, and each survives pickle and copies with its text and all it knows."""

from __future__ import annotations

import copy
import importlib
import pickle
import pkgutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

import chainrule as cr
from chainrule import errors


def every_exception() -> Iterator[type[BaseException]]:
    """All exception classes that any module of the package defines."""
    for found in pkgutil.walk_packages(cr.__path__, "chainrule."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    waiting: list[type[BaseException]] = [BaseException]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.partition(".")[0] == "chainrule":
            yield kind


SENTENCE = "linear1 expects 3 features, but the input has 4"
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "NameLookupError": ("parameter", "conv1.wieght", ["conv1.weight", "conv1.bias"]),
    "GrammarError": ("no word of the grammar", "1x28x28 -> cnov 6", 11),
    "MissingExtraError": ("plotting", "plots"),
}
KINDS = sorted(set(every_exception()), key=lambda kind: kind.__qualname__)


class OwnError(errors.ShapeError):
    """A user's own, with a constructor of its own."""

    def __init__(self, *, layer: str, wanted: int) -> None:
        super().__init__(f"{layer} wants {wanted}")
        self.layer = layer


def made(kind: type[BaseException]) -> BaseException:
    """One as it would be raised, with a note."""
    error = kind(layer="linear1", wanted=3) if kind is OwnError else kind(*ARGUMENTS.get(kind.__name__, (SENTENCE,)))
    error.add_note("while reading net.txt")
    return error


def knows(error: BaseException) -> dict[str, Any]:
    """All that can be read from an error, but for where it was raised."""
    values = {name: getattr(error, name, None) for name in dir(error) if not name.startswith("__")}
    return {name: value for name, value in values.items() if not callable(value)}


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {n}": lambda e, n=n: pickle.loads(pickle.dumps(e, n)) for n in range(pickle.HIGHEST_PROTOCOL + 1)},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", [*KINDS, OwnError], ids=lambda kind: kind.__qualname__)
def test_an_error_comes_back_as_it_was(kind: type[BaseException], way: Callable[[Any], Any]) -> None:
    error = made(kind)
    back = way(error)
    assert type(back) is kind
    assert str(back) == str(error)
    assert back.args == error.args
    assert knows(back) == knows(error)
    assert back.__notes__ == ["while reading net.txt"]


def test_the_tree_stands_in_one_module() -> None:
    for kind in KINDS:
        assert (kind.__module__ == errors.__name__) == issubclass(kind, cr.ChainruleError), kind
        assert kind.__name__ in (errors.__doc__ or "") or kind.__module__ != errors.__name__, kind


def test_a_storage_error_keeps_its_number_and_file() -> None:
    error = errors.StorageError(28, "No space left on device", "net.crn")
    back = pickle.loads(pickle.dumps(error))
    assert (back.errno, back.strerror, back.filename, str(back)) == (28, error.strerror, "net.crn", str(error))


def misspelt() -> None:
    """What a worker may come upon."""
    cr.parse("1x28x28 -> cnov 6")


def test_an_error_reaches_us_from_another_process() -> None:
    with pytest.raises(errors.GrammarError) as ours:
        misspelt()
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(errors.GrammarError) as theirs,
    ):
        pool.submit(misspelt).result(timeout=120)
    assert (str(theirs.value), theirs.value.column) == (str(ours.value), ours.value.column)
