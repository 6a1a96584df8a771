"""What a network is made of, layer by layer: shapes, parameters, connections, multiply-adds, receptive fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from chainrule.display import Box, div, drawing, heading, table
from chainrule.errors import NameLookupError
from chainrule.grammar import layer_description
from chainrule.graph import Graph
from chainrule.shapes import Pair, ReceptiveField, Shape, shape_text

WIDTH = 80


@dataclass(frozen=True)
class Row:
    """One layer. Counts are of one sample; `fixed` are parameters that training does not change.

    `receptive_field` is (rows, columns) of the input, padding included; None if the input is no map.
    `shared` marks a further use of a layer, whose parameters were counted at the first.
    """

    name: str
    layer: str
    output_shape: Shape
    parameters: int
    fixed: int
    connections: int
    multiply_adds: int
    receptive_field: Pair | None
    shared: bool = False


@dataclass(frozen=True)
class Summary:
    """The rows of a network and their sums. Prints as a table."""

    input_shape: Shape
    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        """Trainable numbers."""
        return sum(row.parameters for row in self.rows)

    @property
    def fixed(self) -> int:
        """Numbers that training does not change: frozen parameters."""
        return sum(row.fixed for row in self.rows)

    @property
    def connections(self) -> int:
        """Links from inputs and biases to outputs (S2-H03)."""
        return sum(row.connections for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiplications by a weight in one forward pass of one sample."""
        return sum(row.multiply_adds for row in self.rows)

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        raise NameLookupError("row", name, (row.name for row in self.rows))

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain dictionaries, lists and numbers, ready for JSON."""
        totals = ("parameters", "fixed", "connections", "multiply_adds")
        return {
            "input_shape": list(self.input_shape),
            "rows": [{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(row).items()} for row in self.rows],
            "totals": {name: getattr(self, name) for name in totals},
        }

    def __str__(self) -> str:
        return _plain_table(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        headings, rows, total = _cells(self)
        return table(headings, rows, total, left=2)


def summarize(graph: Graph) -> Summary:
    """Count every layer of a graph."""
    counts = graph.parameter_counts()
    fields_of: list[ReceptiveField] = [ReceptiveField()]
    rows = []
    for step in graph.steps:
        joined = _join([fields_of[index] for index in step.inputs])
        fields_of.append(step.layer.receptive_field(joined, *step.input_shapes))
        shared = step.name != step.layer_name
        own = {} if shared else {n: c for n, c in counts.items() if n.rpartition(".")[0] == step.layer_name}
        rows.append(
            Row(
                name=step.name,
                layer=layer_description(step.layer, *step.input_shapes),
                output_shape=step.shape,
                parameters=sum(count for name, count in own.items() if name not in graph.frozen),
                fixed=sum(count for name, count in own.items() if name in graph.frozen),
                connections=step.layer.connection_count(*step.input_shapes),
                multiply_adds=step.layer.multiply_add_count(*step.input_shapes),
                receptive_field=fields_of[-1].size if len(graph.input_shape) == 3 else None,
                shared=shared,
            )
        )
    return Summary(graph.input_shape, tuple(rows))


def _join(inputs: Sequence[ReceptiveField]) -> ReceptiveField:
    """The field of what sees all of `inputs`: the largest of each."""

    def largest(name: str) -> Pair:
        pairs = [getattr(one, name) for one in inputs]
        return (max(p[0] for p in pairs), max(p[1] for p in pairs))

    return ReceptiveField(*(largest(part.name) for part in fields(ReceptiveField)))


# --- tables --------------------------------------------------------------------------------------------------------

HEADINGS = ("name", "arguments", "output", "params", "fixed", "connections", "mult-adds", "field")


def _arguments(row: Row) -> str:
    """What the row's name does not say already: "6@5x5 pad 2" of "conv 6@5x5 pad 2"."""
    call = re.fullmatch(r"\w+\((.*)\)", row.layer, re.DOTALL)
    return call.group(1) if call else row.layer.partition(" ")[2]


def _cells(summary: Summary) -> tuple[list[str], list[list[str]], list[str]]:
    """Headings, rows and sums as texts, without the columns that say nothing."""
    rows = [["input", "", shape_text(summary.input_shape), "", "", "", "", ""]]
    for row in summary.rows:
        field = "" if row.receptive_field is None else shape_text(row.receptive_field)
        numbers = [row.parameters, row.fixed, row.connections, row.multiply_adds]
        cells = [f"{number:,}" if number else "" for number in numbers]
        if row.shared:
            cells[0] = "shared"
        rows.append([row.name, _arguments(row), shape_text(row.output_shape), *cells, field])
    sums = (summary.parameters, summary.fixed, summary.connections, summary.multiply_adds)
    total = ["total", "", "", *(f"{number:,}" for number in sums), ""]
    kept = [
        i
        for i, name in enumerate(HEADINGS)
        if (name != "fixed" or summary.fixed) and (name != "field" or len(summary.input_shape) == 3)
    ]
    return [HEADINGS[i] for i in kept], [[row[i] for i in kept] for row in rows], [total[i] for i in kept]


LEAST = 10
"""Characters that arguments and names keep, if there is room at all; numbers are never cut."""


def _fit(table: list[list[str]]) -> tuple[list[int], int]:
    """Column widths and the gap between columns for a table of `WIDTH`.

    A table that is too wide gets narrower gaps, then shorter arguments, then none, then shorter names.
    """
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]

    def excess(gap: int) -> int:
        return max(sum(widths) + gap * (sum(map(bool, widths)) - 1) - WIDTH, 0)

    if not excess(2):
        return widths, 2
    room = widths[1] - excess(1)
    if room >= min(LEAST, widths[1]):
        return [widths[0], room, *widths[2:]], 1
    widths[1] = 0
    gap = 1 if excess(2) else 2
    widths[0] = max(min(LEAST, widths[0]), widths[0] - excess(gap))
    return widths, gap


def _clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 2] + ".."


def _plain_table(summary: Summary) -> str:
    headings, rows, total = _cells(summary)
    widths, gap = _fit([headings, *rows, total])

    def line(cells: list[str]) -> str:
        aligned = [
            _clip(cell, width).ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
            if width
        ]
        return (" " * gap).join(aligned).rstrip()

    body = [line(cells) for cells in (headings, *rows, total)]
    rule = "-" * max(map(len, body))
    return "\n".join([body[0], rule, *body[1:-1], rule, body[-1]])


def network_page(graph: Graph, title: str) -> str:
    """A network in a notebook: its drawing beside its table."""
    summary = summarize(graph)
    boxes = [Box("input", shape_text(graph.input_shape))]
    for step, row in zip(graph.steps, summary.rows, strict=True):
        said = " ".join(filter(None, (_arguments(row), "→", shape_text(row.output_shape))))
        boxes.append(Box(step.name, said, tuple(dict.fromkeys(step.inputs))))
    drawn = f'<div style="max-height:38em;overflow-y:auto">{drawing(boxes, title)}</div>'
    sides = f'<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start">{drawn}{{}}</div>'
    return div(heading(title), sides.format(summary._repr_html_()))
