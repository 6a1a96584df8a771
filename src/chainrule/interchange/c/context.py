"""The words that the templates are filled with."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.expressions import letters
from chainrule.graph import Graph
from chainrule.interchange.c.curves import in_c
from chainrule.interchange.c.numbers import Literals, constants
from chainrule.interchange.c.order import Order
from chainrule.interchange.c.program import Sum
from chainrule.interchange.c.rendering import Places
from chainrule.interchange.c.rules import OPTIMIZER_TEMPLATES
from chainrule.layers import Conv2d, LPPool2d
from chainrule.shapes import product, shape_text

if TYPE_CHECKING:
    from chainrule.interchange.c.export import Export

WIDTH = 116


def context(made: Export) -> dict[str, Any]:
    """All of them, for one export."""
    asked, program = made.asked, made.program
    literals, places = Literals(asked.dtype), Places(program.block)
    return {
        **constants(asked.dtype),
        **_network_words(made),
        **_memory_words(made),
        **_kernel_words(asked.graph),
        **_loss_words(asked),
        "real": literals.real,
        "in_c": lambda expr: in_c(expr, literals),
        "letters": letters,
        "array": literals.array,
        "nearest": round,
        "at": places.at,
        "whole": places.whole,
        "each_sample": places.each_sample,
        "block": program.block,
        "samples": "samples" if program.block > 1 else "1",
        "sample": "s" if program.block > 1 else "sample" if asked.batch > 1 else "0",
        "drops": any(use.kind == "dropout" for use in program.uses),
        "any_winners": bool(program.winners),
        "nodes": program.uses,
        "backward": [(operation, isinstance(operation, Sum)) for operation in program.backward],
        "output": program.output,
        "doutput": program.doutput,
        "training_flag": any(use.training_flag for use in program.uses),
    }


def _network_words(made: Export) -> dict[str, Any]:
    asked, graph = made.asked, made.asked.graph
    return {
        "name": asked.name,
        "file": made.file,
        "prefix": made.prefix,
        "title": f"a network of {len(graph.steps)} layers that {'predicts and learns' if asked.learns else 'predicts'}",
        "network_lines": _wrapped(str(graph)),
        "plan_lines": [line for text in made.plan.lines() for line in _wrapped(text)],
        "dtype": asked.dtype.name,
        "ctype": _c_type(asked),
        "inputs": product(graph.input_shape),
        "outputs": product(graph.output_shape),
        "input_shape": shape_text(graph.input_shape),
        "output_shape": shape_text(graph.output_shape),
        "picture": len(graph.input_shape) == 3 and graph.input_shape[0] in (1, 3),
        "class_names": [_c_text(text) for text in asked.class_names],
        "seed": graph.seed,
        "learns": asked.learns,
        "batch": asked.batch,
        "loaded": asked.loaded,
    }


def _memory_words(made: Export) -> dict[str, Any]:
    arrays, program = made.arrays, made.program
    return {
        "flat": arrays.flat,
        "flat_size": arrays.flat_size,
        "learned_size": arrays.learned_size,
        "constants": arrays.constants,
        "states": arrays.states,
        "gradients": made.gradients,
        "memories": made.memories,
        "arena_size": program.arena,
        "arena_places": [_placed(tensor, program.block) for tensor in program.values.tensors if not tensor.external],
        "winner_places": [_placed(tensor, program.block) for tensor in program.winners],
        "winner_size": made.winner_size,
        "winner_type": made.winner_type if program.winners else "",
        "largest_count": made.largest_count,
    }


def _kernel_words(graph: Graph) -> dict[str, Any]:
    """What decides between forms of a kernel, so that no network carries what it does not use."""
    convolutions = [step.layer for step in graph.steps if isinstance(step.layer, Conv2d)]
    norms = [step.layer.norm_type for step in graph.steps if isinstance(step.layer, LPPool2d)]
    return {
        "any_flipped": any(layer.mode == "convolution" for layer in convolutions),
        "any_connected": any(layer.connections is not None for layer in convolutions),
        "any_whole_norm": any(p == int(p) for p in norms),
        "any_broken_norm": any(p != int(p) for p in norms),
    }


def _loss_words(asked: Order) -> dict[str, Any]:
    shape, loss, optimizer = asked.graph.output_shape, asked.loss, asked.optimizer
    if loss is None or optimizer is None:
        return {"loss": None, "optimizer": None}
    places = product(shape[1:])
    coupled = [step for step in asked.graph.steps if step.layer.couples_samples(True)]
    options = {name: value for name, value in optimizer.hyperparameters().items() if name != "learning_rate" and value}
    listed = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return {
        "loss": loss,
        "optimizer": optimizer,
        "begins": OPTIMIZER_TEMPLATES[type(optimizer).__name__].begins,
        "by_class": asked.by_class,
        "classes": shape[0] if shape else 1,
        "places": places,
        "mass_of_classes": asked.by_class and getattr(loss, "weight", None) is not None,
        "terms": loss.count((1, *shape)),
        "targets_each": places if asked.by_class else product(shape),
        "target_type": "int" if asked.by_class else _c_type(asked),
        "target_note": _target_note(asked, shape),
        "least_samples": 2 if any(product(step.shape[1:]) < 2 for step in coupled) else 1,
        "loss_text": repr(loss),
        "optimizer_text": type(optimizer).__name__ + (f" with {listed}" if listed else ""),
    }


def _c_type(asked: Order) -> str:
    return "float" if asked.dtype == np.float32 else "double"


def _target_note(asked: Order, shape: tuple[int, ...]) -> str:
    if not asked.by_class:
        return f"[{product(shape)}]"
    return f", classes 0..{shape[0] - 1}" + (f", {product(shape[1:])} for each sample" if len(shape) > 1 else "")


@dataclass(frozen=True)
class _Placed:
    symbol: str
    offset: int
    extent: str


def _placed(tensor: Any, block: int) -> _Placed:
    samples = 1 if tensor.whole_batch else block
    return _Placed(tensor.symbol, tensor.offset, f"{samples} x {tensor.size}" if samples > 1 else str(tensor.size))


def _c_text(text: str) -> str:
    """A text as a C literal in UTF-8: what is not plain ASCII is written in octal."""
    plain = [chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in text.encode()]
    return '"' + "".join(plain) + '"'


def _wrapped(text: str) -> list[str]:
    safe = text.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/").replace("??", "? ?")
    return [line for row in safe.splitlines() for line in textwrap.wrap(row, WIDTH) or [""]]
