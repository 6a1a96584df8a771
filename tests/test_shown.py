"""Foreign text is shown escaped: nothing in it can steer a terminal, break a line or turn the direction of writing."""

from __future__ import annotations

import pickle

import pytest

from chainrule import errors
from chainrule.errors import ChainruleError, GrammarError, NameLookupError, shown

HOSTILE = {
    "title": ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
    "eight-bit sequence": ("\x9b31m", r"\x9b31m"),
    "line break": ("a\nchainrule: all is well", r"a\nchainrule: all is well"),
    "carriage return": ("a\rb", r"a\rb"),
    "other line breaks": ("a\u2028b\u2029c\x85d", r"a\u2028b\u2029c\x85d"),
    "direction": ("gpj.\u202egnp", r"gpj.\u202egnp"),
    "isolate": ("\u2066x\u2069", r"\u2066x\u2069"),
    "invisible": ("a\u200bb\u00adc\ufeff", r"a\u200bb\xadc\ufeff"),
    "tag": ("\U000e0041", r"\U000e0041"),
    "name that is not UTF-8": ("\udcff.png", r"\udcff.png"),
    "deletion": ("\x08\x7f\x00", r"\x08\x7f\x00"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_could_steer_a_terminal_is_written_as_an_escape(name: str) -> None:
    text, expected = HOSTILE[name]
    assert shown(text) == expected
    assert shown(shown(text)) == expected


@pytest.mark.parametrize(
    "text", ["plain", "手写数字 0–9.png", "é ü ∂L/∂w · 10⁻⁹", "C:\\new\\table", "a\u00a0b\u3000c", "[red]"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert shown(text) == text


def test_long_foreign_text_is_cut() -> None:
    assert shown("x" * 1000, most=20) == "x" * 17 + "..."
    assert shown("x" * 20, most=20) == "x" * 20
    assert len(shown("\x1b" * 1000, most=20)) <= 20


def kinds(kind: type[ChainruleError]) -> list[type[ChainruleError]]:
    return [kind, *(one for child in kind.__subclasses__() for one in kinds(child))]


@pytest.mark.parametrize("kind", [k for k in kinds(ChainruleError) if k.__module__ == errors.__name__])
def test_every_error_shows_its_message_escaped(kind: type[ChainruleError]) -> None:
    hostile = "".join(text for text, _ in HOSTILE.values())
    made = {
        NameLookupError: lambda: NameLookupError("layer", "x", [hostile]),
        GrammarError: lambda: GrammarError("wrong", hostile, 3),
        errors.MissingExtraError: lambda: errors.MissingExtraError(hostile, "images"),
    }.get(kind, lambda: kind(f"cannot read {hostile}: no"))()
    lines = str(made).split("\n")
    assert all(shown(line) == line for line in lines)
    assert len(lines) == (
        3 if kind is GrammarError else 2 if kind in (errors.DownloadError, errors.WeightsError) else 1
    )


def test_the_caret_stands_under_the_column_of_an_escaped_text() -> None:
    _, text, caret = str(GrammarError("wrong", "1x\x1b[2J -> cnv", 11)).split("\n")
    assert text[caret.index("^") :] == "nv"


def test_an_escaped_error_pickles_with_its_message_as_it_was() -> None:
    error = errors.StorageError("cannot read a\x1bb")
    copy = pickle.loads(pickle.dumps(error))
    assert copy.args == error.args
    assert str(copy) == r"cannot read a\x1bb"
