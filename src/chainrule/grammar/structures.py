"""The structures that the sources give for a network, each with a validator of its own (ERX-03).

S2-E09   Input → [Conv×N → Pool×M]×L → FC×K                       N >= 1, M >= 0, L >= 0, K >= 1
S3-E01   INPUT → [[CONV → RELU]*N → POOL?]*M → [FC → RELU]*K → FC   N >= 0, M >= 0, K >= 0
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from chainrule.errors import GrammarError
from chainrule.grammar.reading import Item, Use

Groups: TypeAlias = tuple[tuple[str, int], ...]
"""The named groups around a layer, the outermost first: what each is called, and its column, which tells two apart."""


@dataclass(frozen=True)
class Place:
    """One layer of the network to be built: as written, in which outermost item, in which turn of it, and the named
    groups around it."""

    use: Use
    item: int
    turn: int
    scope: Groups = ()


def places_of(items: Sequence[Item]) -> list[Place]:
    """Every layer in order, repetitions written out."""
    return [
        Place(use, number, 0 if isinstance(item.body, Use) else turn, scope)
        for number, item in enumerate(items)
        if item.count
        for turn in range(item.times)
        for use, scope in _once(item)
    ]


def _once(item: Item, scope: Groups = ()) -> list[tuple[Use, Groups]]:
    if isinstance(item.body, Use):
        return [(item.body, scope)]
    scope = scope if item.name is None else (*scope, (item.name, item.column))
    return [use for inner in item.body if inner.count for use in _once(inner, scope) * inner.times]


def check_S2(text: str, items: Sequence[Item], places: Sequence[Place]) -> None:  # noqa: N802
    """Conv and pool blocks, each beginning with a conv, then at least one fc; activations anywhere."""
    structure = "S2: Input → [Conv×N → Pool×M]×L → FC×K"
    for item in items:
        _refuse_empty_blocks(text, structure, item)
    before = ""
    for place in places:
        use, role = place.use, place.use.word.role
        if role in ("relu", "activation", "flatten"):
            continue
        if role == "other":
            raise GrammarError(f"{structure} has no place for {use.word.name}", text, use.column)
        if role != "fc" and before == "fc":
            raise GrammarError(f"{structure}: no {use.word.name} can follow an fc", text, use.column)
        if role == "pool" and not before:
            raise GrammarError(f"{structure} has N >= 1: a pool comes after a conv", text, use.column)
        before = role
    if before != "fc":
        raise GrammarError(f"{structure} has K >= 1: it ends in an fc", text, len(text.rstrip()))


def _refuse_empty_blocks(text: str, structure: str, block: Item) -> None:
    """N = 0 in a block that is built; the same as L = 0 if it is the whole block."""
    if isinstance(block.body, Use) or block.times == 0:
        return
    for inner in block.body:
        if inner.times == 0 and _has_conv(inner):
            raise GrammarError(f"{structure} has N >= 1, but this conv is repeated 0 times", text, inner.column)
        _refuse_empty_blocks(text, structure, inner)


def _has_conv(item: Item) -> bool:
    if isinstance(item.body, Use):
        return item.body.word.role == "conv"
    return any(_has_conv(inner) for inner in item.body)


_FOLLOWERS = {
    "": ("conv", "pool", "fc"),
    "conv": ("relu of conv",),
    "relu of conv": ("conv", "pool", "fc"),
    "pool": ("conv", "fc"),
    "fc": ("relu of fc",),
    "relu of fc": ("fc",),
}
"""What may come after what in S3. Two pools in a row only from two turns of one block, whose N is then 0."""


def check_S3(text: str, items: Sequence[Item], places: Sequence[Place]) -> None:  # noqa: N802
    """A ReLU after each conv and after each fc but the last, at most one pool in a block, an fc at the end.

    The limits of S3-E02..E04 without their upper ends: what is usual is not required.
    """
    structure = "S3: INPUT → [[CONV → RELU]*N → POOL?]*M → [FC → RELU]*K → FC"
    state = ""
    last: Place | None = None
    for place in places:
        word = place.use.word
        if word.role == "flatten":
            continue
        step = f"relu of {state}" if word.role == "relu" else word.role
        next_turn = last is not None and last.item == place.item and last.turn != place.turn
        if step not in _FOLLOWERS[state] and not (state == step == "pool" and next_turn):
            wanted = " or ".join(name.split()[0] for name in _FOLLOWERS[state])
            after = f"after {state}" if state else "at the beginning"
            raise GrammarError(f"{structure} has {wanted} {after}, not {word.name}", text, place.use.column)
        state, last = step, place
    if state != "fc":
        raise GrammarError(f"{structure} ends in an fc", text, len(text.rstrip()))


STRUCTURES: dict[str, Callable[[str, Sequence[Item], Sequence[Place]], None]] = {"S2": check_S2, "S3": check_S3}
