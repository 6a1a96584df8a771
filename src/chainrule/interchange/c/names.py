"""The names of a network as C identifiers."""

from __future__ import annotations

import re

from chainrule.errors import ArgumentError
from chainrule.graph import Graph, Step
from chainrule.shapes import shown

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
KEYWORDS = frozenset(
    [
        "auto",
        "bool",
        "break",
        "case",
        "char",
        "class",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "false",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "namespace",
        "new",
        "private",
        "public",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "template",
        "this",
        "true",
        "typedef",
        "union",
        "unsigned",
        "using",
        "void",
        "volatile",
        "while",
    ]
)


def require_name(name: object) -> str:
    """The name of a network in C: what its functions begin with."""
    if isinstance(name, str) and IDENTIFIER.fullmatch(name) and name not in KEYWORDS:
        return name
    raise ArgumentError(
        f"the name of the network in C must be an identifier such as lenet5 (letters, digits and _, at most 60), "
        f"not {shown(name)}; pass name=..."
    )


def require_file(name: str) -> str:
    """The name of the files without an ending, which stands in an #include."""
    if re.fullmatch(r"[\w.+ -]+", name, re.ASCII):
        return name
    raise ArgumentError(f"the name of a C file is letters, digits and _.+-, not {shown(name)}; choose another path")


class Names:
    """Identifiers of the steps and arrays of a graph. All carry a prefix, so that no keyword or function can be hit."""

    def __init__(self, graph: Graph, prefix: str) -> None:
        self.prefix = prefix.upper()
        self._steps: dict[str, str] = {}
        seen: dict[str, str] = {}
        for step in graph.steps:
            text = _word(step.name.replace("@", "_use"))
            if not IDENTIFIER.fullmatch(text):
                raise ArgumentError(
                    f"the layer named {shown(step.name)} has no name in C, where names are letters, digits and _; "
                    f"give it another name"
                )
            other = seen.setdefault(text.upper(), step.name)
            if other != step.name:
                raise ArgumentError(f"the layers {other} and {step.name} would have one name in C; rename one of them")
            self._steps[step.name] = text

    def step(self, step: Step) -> str:
        """The name of one use of a layer."""
        return self._steps[step.name]

    def array(self, name: str) -> str:
        """Of an array on its own: weight_conv1."""
        layer, _, own = name.rpartition(".")
        return f"{own}_{_word(layer)}"

    def constant(self, name: str) -> str:
        """Of the place of an array in a flat buffer: LENET5_CONV1_WEIGHT."""
        return f"{self.prefix}_{_word(name).upper()}"


def _word(name: str) -> str:
    """A dotted name as one word; layers of a network within a network have such names."""
    return name.replace(".", "_")
