"""From tokens to a tree: layers as they are written, groups, and how often each is repeated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from chainrule.errors import ArgumentError
from chainrule.grammar.tokens import Cursor, Token, shortened
from chainrule.grammar.values import integers
from chainrule.grammar.words import NAMED, NOT_OURS, OTHER_NAMES, WORDS, Option, Word
from chainrule.layers.base import checked_name
from chainrule.shapes import Shape, integer, shown

DEEPEST = 32
"""Groups within groups."""
MOST = 10_000
"""Layers that a text may build; more is a slip."""


@dataclass(frozen=True)
class Use:
    """A layer as written: its word, the values of its arguments, and where each stands."""

    word: Word
    values: Mapping[str, Any]
    columns: Mapping[str, int]
    column: int
    source: str


@dataclass(frozen=True)
class Item:
    """A layer or a group, and how often it is built."""

    body: Use | tuple[Item, ...]
    times: int
    column: int
    count: int
    """Layers that it becomes."""
    name: str | None = None
    """What a group is called; a layer's name is one of its values."""


class Reader:
    """Reads one text. `counts` gives the letters' values."""

    def __init__(self, text: str, counts: Mapping[str, int]) -> None:
        self.cursor = Cursor(text)
        self.counts = counts
        self.used: set[str] = {"optional"}
        self.written = 0

    def network(self) -> tuple[Shape, tuple[Item, ...]]:
        """The shape of the input and the items of the whole text."""
        cursor = self.cursor
        if cursor.next.kind == "end":
            cursor.fail('the text is empty; write a network such as "1x28x28 -> conv 6@5x5 -> relu -> fc 10"', 0)
        shape = self._input()
        if not cursor.accept(["arrow"]):
            cursor.fail(f'expected "->" and a layer after the input, not {cursor.next}')
        items = self._chain(0)
        if cursor.next.kind == "]":
            cursor.fail('this "]" closes no "["')
        for name in self.counts:
            if name not in self.used:
                given = f"{shortened(name)}={shown(self.counts[name])}"
                cursor.fail(f'{given} is given, but nothing is repeated "*{shortened(name)}"', 0)
        total = sum(item.count for item in items)
        if total > MOST:
            many = shortened(f"{total:,}")
            cursor.fail(f"the text builds {many} layers; more than {MOST:,} are refused", items[0].column)
        return shape, items

    def _input(self) -> Shape:
        cursor = self.cursor
        wanted = "the shape of the input: CxHxW such as 1x28x28, or a number of features such as 784"
        if cursor.next.kind == "word" and cursor.next.text.lower() == "input":
            cursor.take()
        first = cursor.next
        if first.kind != "number":
            cursor.fail(f"expected {wanted}, not {first}")
        text = cursor.take().text
        while cursor.next.text == "×" and cursor.next.column == cursor.last.end:
            cursor.take()
            text += "x" + cursor.take().text
        shape = integers(cursor, Token("number", text, first.column), "[0-9]+(x[0-9]+x[0-9]+)?", wanted)
        try:
            return tuple(integer("an extent of the input", extent, 1) for extent in shape)
        except ArgumentError as error:
            cursor.fail(str(error), first.column)

    def _chain(self, depth: int) -> tuple[Item, ...]:
        items = [self._item(depth)]
        while self.cursor.accept(["arrow"]):
            items.append(self._item(depth))
        if self.cursor.next.kind not in ("]", "end"):
            self.cursor.fail(f'expected "->" before {self.cursor.next}')
        return tuple(items)

    def _item(self, depth: int) -> Item:
        cursor = self.cursor
        start = cursor.next
        body: Use | tuple[Item, ...]
        if cursor.accept(["["]):
            if depth == DEEPEST:
                cursor.fail(f"groups are nested more than {DEEPEST} deep", start.column)
            body = self._chain(depth + 1)
            if not cursor.accept(["]"]):
                cursor.fail('this "[" is never closed with "]"', start.column)
        else:
            body = self._use()
        name = self._name()
        if isinstance(body, Use) and name is not None:
            body = replace(body, values={**body.values, "name": name})
        once = 1 if isinstance(body, Use) else sum(item.count for item in body)
        repeated = cursor.next
        times = self._times()
        called = name or _name_within(body)
        if called is not None and times > 1:
            message = f"what is called {shortened(called)} is repeated {times:,} times, but a name is for one"
            cursor.fail(message, repeated.column)
        return Item(body, times, start.column, times * once, None if isinstance(body, Use) else name)

    def _name(self) -> str | None:
        """The name after "as"."""
        cursor = self.cursor
        if cursor.next.kind != "word" or cursor.next.text.lower() != NAMED:
            return None
        cursor.take()
        token = cursor.take()
        if token.kind != "word":
            cursor.fail(f'expected a name after "{NAMED}", not {token}', token.column)
        try:
            return checked_name(token.text)
        except ArgumentError as error:
            cursor.fail(str(error), token.column)

    def _times(self) -> int:
        cursor = self.cursor
        if cursor.accept(["?"]):
            return self._given("optional", self.counts.get("optional", 1), cursor.last, most=1)
        if not cursor.accept(["*", "×"]):
            return 1
        token = cursor.take()
        if token.kind == "number":
            (times,) = integers(cursor, token, "[0-9]+", "a number of repetitions")
            return self._given("the number of repetitions", times, token)
        if token.kind != "word":
            cursor.fail(f"expected how often to repeat, a number or a letter, not {token}", token.column)
        letter = shortened(token.text)
        if token.text not in self.counts:
            cursor.fail(f"{letter} has no value: pass it by name, {letter}=2", token.column)
        self.used.add(token.text)
        return self._given(token.text, self.counts[token.text], token)

    def _given(self, name: str, value: object, token: Token, most: int = MOST) -> int:
        try:
            times = integer(name, value, 0)
        except ArgumentError as error:
            self.cursor.fail(str(error), token.column)
        if times > most:
            self.cursor.fail(f"{name} must be at most {most:,}, not {times:,}", token.column)
        return times

    def _use(self) -> Use:
        cursor = self.cursor
        start = cursor.next
        if start.kind != "word":
            cursor.fail(f"expected a layer, not {start}")
        name = start.text.lower()
        word = WORDS.get(OTHER_NAMES.get(name, name))
        if word is None:
            known = [*WORDS, *OTHER_NAMES]
            joined = re.fullmatch(r"([a-z]+)([0-9]\w*)", name)
            if joined and joined[1] in known and WORDS[OTHER_NAMES.get(joined[1], joined[1])].arguments:
                cursor.fail(f'a space is missing: write "{joined[1]} {joined[2]}"')
            cursor.fail(f"no layer is named {start}{_nearest(name, known, NOT_OURS)}")
        self.written += 1
        if self.written > MOST:
            cursor.fail(f"the text names more than {MOST:,} layers")
        cursor.take()
        values: dict[str, Any] = {}
        columns: dict[str, int] = {}
        self._arguments(word, values, columns)
        self._options(word, values, columns)
        return Use(word, values, columns, start.column, cursor.text[start.column : cursor.last.end])

    def _arguments(self, word: Word, values: dict[str, Any], columns: dict[str, int]) -> None:
        cursor = self.cursor
        for argument in word.arguments:
            what = f"{argument.parameter} of {word.name}"
            if argument.mark and not cursor.accept([argument.mark]):
                cursor.fail(f'expected "{argument.mark}" and the {what}, as in "{word.example}", not {cursor.next}')
            if cursor.next.kind != "number":
                if not argument.required:
                    continue
                cursor.fail(f'{word.name} needs a number here, as in "{word.example}", not {cursor.next}')
            columns[argument.parameter] = cursor.next.column
            values[argument.parameter] = argument.kind.read(cursor, what)

    def _options(self, word: Word, values: dict[str, Any], columns: dict[str, int]) -> None:
        cursor = self.cursor
        while cursor.next.kind == "word" and cursor.next.text.lower() != NAMED:
            name = cursor.next.text.lower()
            option = word.options.get(name)
            if option is None:
                self._not_an_option(word, name)
            if option.parameter in values:
                cursor.fail(f"the {option.parameter} of {word.name} is given twice")
            cursor.take()
            columns[option.parameter] = cursor.next.column if option.kind else cursor.last.column
            values[option.parameter] = self._value(option, f"{option.parameter} of {word.name}")
        for name, option in word.options.items():
            if option.required and option.parameter not in values:
                cursor.fail(f'{word.name} needs "{name}", as in "{word.example}"', cursor.last.end)

    def _value(self, option: Option, what: str) -> Any:
        return option.value if option.kind is None else option.kind.read(self.cursor, what)

    def _not_an_option(self, word: Word, name: str) -> NoReturn:
        token = self.cursor.next
        if name in WORDS or name in OTHER_NAMES:
            self.cursor.fail(f'expected "->" before {token}')
        self.cursor.fail(f"{word.name} has no option {token}{_nearest(name, word.options, {})}")


def _name_within(body: Use | tuple[Item, ...]) -> str | None:
    """A name that is given in a layer or group."""
    if isinstance(body, Use):
        return body.values.get("name")
    return next(filter(None, (item.name or _name_within(item.body) for item in body)), None)


def _nearest(name: str, known: Iterable[str], foreign: Mapping[str, str]) -> str:
    near = [foreign[name]] if name in foreign else difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    if near:
        return "; did you mean " + " or ".join(f'"{word}"' for word in near) + "?"
    shown = ", ".join(known)
    return f"; known: {shown}" if shown else ""
