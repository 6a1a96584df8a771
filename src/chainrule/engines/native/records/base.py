"""What a record is: named fields, among them slots that it reads and writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import Field, dataclass, fields
from typing import Annotated, Any, ClassVar, TypeAlias, dataclass_transform, get_type_hints

from chainrule.engines.native.axes import Axis
from chainrule.engines.native.slots import Slot

Reads: TypeAlias = Annotated[Slot, "reads"]
Writes: TypeAlias = Annotated[Slot, "writes"]
Works: TypeAlias = Annotated[Slot, "writes", "reads"]
"""Memory of an operation's own."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Part:
    """Named fields for the core, of a whole record or of what several have in common; subclasses are dataclasses.

    None is a place that is absent; `in_` is the core's `in`.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True)(cls)

    def slots(self) -> Iterator[tuple[Slot, bool]]:
        """Every slot among the fields, and whether the operation only reads it."""
        hints = hints_of(type(self))
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Part):
                yield from value.slots()
            for slot in value if isinstance(value, tuple) else (value,):
                if isinstance(slot, Slot):
                    yield slot, "writes" not in repr(hints[item.name])

    def resolved(self) -> dict[str, Any]:
        """As the core takes them, when slots have their places: a slot is (offset, kept)."""
        found: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            found |= value.resolved() if isinstance(value, Part) else {item.name.rstrip("_"): _resolve(value)}
        return found


class Record(Part):
    """An operation, or another record with a name of its own."""

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = re.sub(r"(?<!^)([A-Z])", r"_\1", cls.__name__).lower()


_hints: dict[type[Part], dict[str, Any]] = {}


def hints_of(part: type[Part]) -> dict[str, Any]:
    """The types of all fields by name."""
    if part not in _hints:
        _hints[part] = get_type_hints(part, include_extras=True)
    return _hints[part]


def _resolve(value: Any) -> Any:
    if isinstance(value, Slot):
        return [value.offset, int(value.kept)]
    if isinstance(value, tuple):
        return [n for item in value for n in (_resolve(item) if isinstance(item, Slot) else [item])]
    return value.numbers() if isinstance(value, Axis) else value
