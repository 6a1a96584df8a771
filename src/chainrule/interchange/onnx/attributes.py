"""One operation of a file, and its attributes asked for by name and kind. One that nobody asked for is not ignored."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chainrule.arrays import Array
from chainrule.errors import FileFormatError
from chainrule.interchange.onnx.constants import tensor_array
from chainrule.shapes import shown

FLOAT, INT, STRING, TENSOR, GRAPH, FLOATS, INTS, STRINGS, GRAPHS = 1, 2, 3, 4, 5, 6, 7, 8, 10
_WORDS = {FLOAT: "a number", INT: "an integer", STRING: "a text", TENSOR: "a tensor", FLOATS: "numbers",
          INTS: "integers", STRINGS: "texts"}  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """A node of the file. `inputs` and `outputs` are names, "" for one that is left out."""

    name: str
    kind: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    folder: Path
    asked: set[str] = field(default_factory=set, compare=False)

    @classmethod
    def of(cls, node: Any, index: int, folder: Path) -> Operation:
        """From a NodeProto; one without a name is called by its place."""
        attributes = {}
        for attribute in node.attribute:
            if attribute.name in attributes:
                raise FileFormatError(f"node {shown(node.name)} ({shown(node.op_type)}) has an attribute twice")
            attributes[attribute.name] = attribute
        domain = "" if node.domain == "ai.onnx" else node.domain
        name = node.name or (f"{index} -> {node.output[0]}" if node.output else str(index))
        return cls(name, node.op_type, domain, tuple(node.input), tuple(node.output), attributes, folder)

    def __str__(self) -> str:
        kind = f"{self.domain}.{self.kind}" if self.domain else self.kind
        return f"node {shown(self.name)} ({kind})"

    def has(self, name: str) -> bool:
        """Whether the file states the attribute."""
        return name in self.attributes

    def _value(self, name: str, kind: int) -> Any:
        """The attribute, which must be of `kind`; None where it is not stated."""
        self.asked.add(name)
        attribute = self.attributes.get(name)
        if attribute is None:
            return None
        if attribute.ref_attr_name or attribute.type != kind:
            raise FileFormatError(f"its attribute {name} must be {_WORDS[kind]}")
        return attribute

    def integer(self, name: str, default: int) -> int:
        """An integer."""
        value = self._value(name, INT)
        return default if value is None else int(value.i)

    def number(self, name: str, default: float) -> float:
        """A number. Attributes are float32 in the file: the shortest decimal that is meant, 1e-05 and not
        9.99999974e-06."""
        value = self._value(name, FLOAT)
        return default if value is None else shortest(value.f)

    def text(self, name: str, default: str) -> str:
        """A text."""
        value = self._value(name, STRING)
        return default if value is None else value.s.decode("utf-8", "replace")

    def integers(self, name: str) -> tuple[int, ...] | None:
        """Integers, or None where they are not stated."""
        value = self._value(name, INTS)
        return None if value is None else tuple(value.ints)

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """Numbers, or None where they are not stated."""
        value = self._value(name, FLOATS)
        return None if value is None else tuple(value.floats)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Texts, or None where they are not stated."""
        value = self._value(name, STRINGS)
        return None if value is None else tuple(s.decode("utf-8", "replace") for s in value.strings)

    def tensor(self, name: str) -> Array | None:
        """A tensor, or None where it is not stated."""
        value = self._value(name, TENSOR)
        return None if value is None else tensor_array(value.t, self.folder, f"its attribute {name}")

    def require(self, name: str, value: object, wanted: object, why: str) -> None:
        """Refuse an attribute that is not as our layers need it."""
        if value != wanted:
            raise FileFormatError(f"its attribute {name} is {shown(value)}, but {why}")

    def finish(self) -> None:
        """Refuse attributes that nobody asked for: they would change what is computed."""
        for name, attribute in self.attributes.items():
            if attribute.type in (GRAPH, GRAPHS):
                raise FileFormatError(f"its attribute {name} is a graph of its own, which no layer can express")
            if name not in self.asked:
                raise FileFormatError(f"its attribute {shown(name)} is not known")


def shortest(value: float) -> float:
    """The decimal number that a float32 stands for: the shortest that rounds to it."""
    import numpy as np

    return float(str(np.float32(value)))
