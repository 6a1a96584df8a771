"""All exercises by name, in the order of the book's chapters."""

from __future__ import annotations

from chainrule.errors import NameLookupError
from chainrule.exercises.exercise import Exercise
from chainrule.exercises.topics import activations, branches, checking, convolution, counting, dense, pooling

TOPICS = (activations, dense, convolution, pooling, counting, branches, checking)
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in sorted((e for topic in TOPICS for e in topic.EXERCISES), key=lambda e: e.chapter)
}
"""Name -> exercise."""


def exercise(name: str) -> Exercise:
    """The exercise of a name; NameLookupError suggests the nearest ones."""
    if name not in EXERCISES:
        raise NameLookupError("exercise", str(name), EXERCISES)
    return EXERCISES[name]
