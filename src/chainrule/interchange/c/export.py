"""The export itself: the memory is planned, the files are made, and then written together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainrule.atomic import write_together
from chainrule.errors import ShapeError
from chainrule.graph import Graph
from chainrule.interchange.c.arrays import Arrays
from chainrule.interchange.c.context import WIDTH, context
from chainrule.interchange.c.memory import MemoryPlan
from chainrule.interchange.c.names import Names, require_file
from chainrule.interchange.c.order import Order, order
from chainrule.interchange.c.program import Program
from chainrule.interchange.c.rendering import environment, layer_functions, library, words
from chainrule.interchange.c.rules import LOSS_TEMPLATES, OPTIMIZER_TEMPLATES
from chainrule.shapes import LARGEST, product


class Export:
    """One network in C: its plan, and the text of its files, whose names begin with `file`."""

    def __init__(self, asked: Order, file: str) -> None:
        self.asked = asked
        self.file = require_file(file)
        graph = asked.graph
        names = Names(graph, asked.name)
        block = asked.batch if asked.couples else 1
        self.arrays = Arrays(graph, asked.trained, asked.learns, asked.loaded, names, asked.dtype)
        self.program = Program(
            graph, asked.learns, asked.trained, block, names.step, self.arrays.value, self.arrays.index
        )
        self.memories = (
            ()
            if asked.optimizer is None
            else OPTIMIZER_TEMPLATES[type(asked.optimizer).__name__].memories(asked.optimizer)
        )
        self.gradients = asked.learns and (asked.batch > 1 or asked.shared is not None)
        self.winner_size = sum(tensor.size for tensor in self.program.winners) * block
        area = max((product(s.layer.kernel_size) for s in graph.steps if hasattr(s.layer, "kernel_size")), default=1)
        self.winner_type, self.winner_bytes = ("unsigned char", 1) if area <= 256 else ("int", 4)
        self.prefix = names.prefix
        self._refuse_too_large()

    def _refuse_too_large(self) -> None:
        counts = {
            "numbers of all parameters": self.arrays.flat_size,
            "numbers of its activations": self.program.arena,
            "numbers of its inputs": self.program.input.size * self.program.block,
        }
        self.largest_count = max(1, *counts.values(), *(t.size for t in (*self.arrays.constants, *self.arrays.states)))
        what, count = max(counts.items(), key=lambda item: item[1])
        if self.largest_count > LARGEST:
            raise ShapeError(f"the {count:,} {what} are more than an int counts in C; take a smaller network or batch")

    @property
    def plan(self) -> MemoryPlan:
        """Bytes, as they will be."""
        asked, each = self.asked, self.asked.dtype.itemsize
        flat = {"parameters": self.arrays.flat_size * each}
        writable = asked.learns
        ram = {
            **(flat if writable else {}),
            "running statistics": sum(s.size for s in self.arrays.states) * each,
            "activations and their gradients" if asked.learns else "activations": self.program.arena * each,
            "winners of max pooling": self.winner_size * self.winner_bytes,
            "gradients": self.arrays.learned_size * each if self.gradients else 0,
            **{f"the optimizer's {name}": self.arrays.learned_size * each for name in self.memories},
        }
        fixed = {
            "parameters that do not learn" if asked.learns else "parameters": sum(s.size for s in self.arrays.constants)
            * each
        }
        if asked.loaded and not writable:
            fixed = flat
        return MemoryPlan(
            {name: size for name, size in ram.items() if size},
            {name: size for name, size in fixed.items() if size},
            tuple(self._notes()),
        )

    def _notes(self) -> list[str]:
        asked = self.asked
        if not asked.learns:
            return []
        if not self.gradients:
            return ["No gradients are kept: at batch 1 each parameter moves as soon as its gradient is known."]
        notes = []
        if asked.shared is not None:
            notes.append(f"Gradients are kept, since {asked.shared} is used at several places.")
        else:
            notes.append(f"Gradients are kept, since those of up to {asked.batch} samples are summed.")
        if asked.couples and asked.batch > 1:
            notes.append(f"Batch normalisation sees all samples at once: the activations of {asked.batch} are kept.")
        return notes

    def files(self) -> dict[str, bytes]:
        """The text of each file by the ending of its name."""
        env = environment()
        env.globals.update(context(self))
        layers = layer_functions(env, self.program)
        network = env.get_template("network.c.j2").render()
        called = library(env, self._templates(), words(layers + network))
        headers = _headers(words(called + layers + network))
        source = env.get_template("source.c.j2").render(library=called, layers=layers, network=network, headers=headers)
        header = env.get_template("header.h.j2").render()
        files = {".h": _tidy(header).encode(), ".c": _tidy(source).encode()}
        return files | ({".bin": self.arrays.buffer()} if self.asked.loaded else {})

    def _templates(self) -> list[str]:
        asked = self.asked
        kinds = dict.fromkeys(use.kind for use in self.program.uses)
        found = []
        if asked.loss is not None:
            update = OPTIMIZER_TEMPLATES[type(asked.optimizer).__name__]
            found += [f"optimizers/{update.template}.c.j2", "learning.c.j2"]
        found += ["numbers.c.j2", "windows.c.j2", *(f"layers/{kind}.c.j2" for kind in kinds)]
        if asked.loss is not None:
            found.append(f"losses/{LOSS_TEMPLATES[type(asked.loss).__name__]}.c.j2")
        return found


def _headers(used: set[str]) -> list[str]:
    headers = ["limits.h"]
    if used & {"sqrt", "sqrtf", "NAN", "INFINITY"}:
        headers.append("math.h")
    if used & {"uint32_t", "uint64_t", "bits_of_real"}:
        headers.append("stdint.h")
    headers.append("string.h")
    return headers


def _tidy(text: str) -> str:
    """No blank lines in a row, none at the end, no trailing blanks, and long lines of code broken behind a comma."""
    lines = "\n".join(broken for line in text.splitlines() for broken in _broken(line.rstrip()))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def _broken(line: str, broken_before: bool = False) -> list[str]:
    whole = len(line) <= WIDTH or line.lstrip().startswith(("/*", "*", "#")) or '"' in line
    cut = -1 if whole else line.rfind(", ", 0, WIDTH)
    if cut < 0:
        return [line]
    indent = re.match(" *", line)
    assert indent is not None
    deeper = 0 if broken_before else 8
    rest = " " * (len(indent[0]) + deeper)
    return [line[: cut + 1], *_broken(rest + line[cut + 2 :], True)]


@dataclass(frozen=True)
class Planned:
    """An export whose memory is known and of which nothing is written yet."""

    made: Export
    stem: Path

    @property
    def plan(self) -> MemoryPlan:
        """What the C will need."""
        return self.made.plan

    def write(self) -> list[Path]:
        """Write all files or none; their paths."""
        files: dict[str | Path, bytes] = {
            self.stem.with_name(self.stem.name + ending): data for ending, data in self.made.files().items()
        }
        write_together(files)
        return [Path(path) for path in files]


def plan_c(graph: Graph, path: str | Path, *, name: str | None = None, **asked: Any) -> Planned:
    """Check and plan an export to `path` with the endings .c and .h (and .bin for weights="beside")."""
    target = Path(path)
    stem = target.with_suffix("") if target.suffix in (".c", ".h") else target
    return Planned(Export(order(graph, stem.name if name is None else name, **asked), stem.name), stem)
