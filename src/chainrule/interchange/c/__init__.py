"""C99 that predicts and trains: one .c and one .h from a network, without allocation and without a C library.

    rules        what each layer reads and keeps, and which template is its C
    program      the graph as operations, forward and back; `timeline` gives every value its place in one block
    arrays       parameters and buffers: what learns, what follows the batches, what is constant
    rendering    fills the templates, and takes from them only the functions that are called
    export       checks what was asked for, plans the memory, and writes the files together

Every sum is taken in one order, one number after the other, and the elementary functions are the file's own: compiled
without contraction of a b + c into one rounding, every processor gives the same bits.
"""

from __future__ import annotations

from chainrule.interchange.c.export import Export, Planned, plan_c
from chainrule.interchange.c.memory import MemoryPlan

__all__ = ["Export", "MemoryPlan", "Planned", "plan_c"]
