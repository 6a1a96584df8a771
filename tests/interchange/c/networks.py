"""Networks that hold many rows of the layers' table at once, so that few files need to be compiled.

Every row is a branch: from one common input a trained layer makes a sample of the row's shape, then comes the row's
layer. What the trained layers learn in a step is the gradient that the row's layer hands back.
"""

from __future__ import annotations

from collections.abc import Iterable

import chainrule as cr
from chainrule.graph import Input
from chainrule.layers.base import Node
from chainrule.shapes import Shape, product
from tests.layers.rows import CONVOLUTIONS, ELEMENTWISE, JOINS, NORMALIZATIONS, POOLS, VECTORS, Row

COMMON = (2, 8, 9)


def _sample(x: Node, row: Row, shape: Shape) -> Node:
    """A node of `shape` that depends on trained parameters."""
    if len(shape) == 3:
        made = cr.Conv2d(COMMON[0], shape[0], (COMMON[1] - shape[1] + 1, COMMON[2] - shape[2] + 1))(x)
    else:
        made = cr.Linear(product(COMMON), product(shape))(cr.Flatten()(x))
    return cr.Sigmoid()(made) if row.positive else made


def fresh(row: Row) -> cr.Layer:
    """The row's layer as one of its own; a layer that stands in several rows is not shared."""
    return type(row.layer)(**row.layer.hyperparameters())


def branches(rows: Iterable[Row], seed: int) -> cr.Network:
    """All rows side by side."""
    x = Input(COMMON)
    ends = [cr.Flatten()(fresh(row)(*(_sample(x, row, shape) for shape in row.shapes))) for row in rows]
    net = cr.Network(x, cr.Concat()(*ends), seed=seed)
    net.unfreeze("*")
    return net


def _coupled(row: Row) -> bool:
    return row.layer.couples_samples(True)


def _flat_enough(row: Row) -> bool:
    return all(len(shape) in (1, 3) for shape in row.shapes)


ALL = [row for row in (*CONVOLUTIONS, *POOLS, *VECTORS, *ELEMENTWISE, *NORMALIZATIONS, *JOINS) if _flat_enough(row)]
APART = [row for row in (*ELEMENTWISE, *NORMALIZATIONS) if not _flat_enough(row)]
"""Rows of samples that only an input can have."""

GROUPS = {
    "convolutions": [row for row in CONVOLUTIONS if type(row.layer) is cr.Conv2d],
    "local": [row for row in CONVOLUTIONS if type(row.layer) is not cr.Conv2d],
    "pools": POOLS,
    "vectors": [
        *VECTORS,
        *ELEMENTWISE,
        *JOINS,
        *(row for row in NORMALIZATIONS if not _coupled(row) and _flat_enough(row)),
    ],
    "coupled": [row for row in NORMALIZATIONS if _coupled(row) and _flat_enough(row)],
}
