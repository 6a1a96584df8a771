"""How long the explorer takes to answer: `python -m benchmarks.explorer`, times with JSON, without a browser.

Networks from ten parameters to a million. The first view is the trace, the overview and the maps of one node; steps are
drawn at random from all nodes and parameters. Aimed at: a first view within 1 s, a step within 50 ms.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.explorer.exploration import Exploration
from chainrule.zoo.cifar import resnet_like, vgg_like
from chainrule.zoo.lenet5 import lenet5
from chainrule.zoo.perceptrons import mlp, two_two_two

NETWORKS: dict[str, Callable[[], cr.Network]] = {
    "2-2-2": two_two_two,
    "LeNet-5": lenet5,
    "LeNet-5 of 1998": lambda: lenet5("1998"),
    "VGG-like 32-64-128": lambda: vgg_like(widths=(32, 64, 128)),
    "ResNet-like 32-64-128": lambda: resnet_like(widths=(32, 64, 128)),
    "dense 784-1000-210": lambda: mlp((1, 28, 28), (1000, 210)),
}
AIMS = {"first view": 1.0, "step": 0.05}


def main() -> None:
    """Print a row for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200, help="steps asked of each network")
    parser.add_argument("--processor", action="store_true", help="processor time instead of time, for a busy machine")
    parser.add_argument("networks", nargs="*", help="some of: " + ", ".join(NETWORKS))
    given = parser.parse_args()
    steps, watch = given.steps, Watch(time.process_time if given.processor else time.perf_counter)
    print("milliseconds           parameters  first view  array median worst  step median worst  tour  nudge  mistakes")
    late = []
    for name in given.networks or NETWORKS:
        net = NETWORKS[name]()
        exploration = _exploration(net)
        first = sum(watch.seconds(exploration, _first_view(net)))
        arrays = watch.seconds(exploration, _arrays(net))
        told = watch.seconds(exploration, _steps(net, steps))
        weight, array = next(iter(net.parameters.items()))
        place = {"quantity": "parameter", "name": weight, "index": [0] * array.ndim}
        rest: list[dict[str, Any]] = [
            {"ask": "tour"},
            {"ask": "nudge", "place": place},
            {"ask": "mistakes", "node": net.names[1]},
        ]
        others = watch.seconds(exploration, rest)
        print(
            f"{name:<22} {net.parameter_count:>10,}  {1e3 * first:>10.1f}  {_two(arrays, 18)}  {_two(told, 17)}  "
            f"{1e3 * others[0]:>4.0f}  {1e3 * others[1]:>5.0f}  {1e3 * others[2]:>8.0f}"
        )
        late += [f"{name}: first view"] * (first > AIMS["first view"]) + [f"{name}: step"] * (max(told) > AIMS["step"])
    print(f"over the aims ({AIMS}): {', '.join(late) or 'none'}")


def _exploration(net: cr.Network) -> Exploration:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, *net.input_shape))
    if net.loss is None:
        return Exploration(net, x, np.arange(4), loss=cr.CrossEntropyLoss())
    classes = isinstance(net.loss, cr.MAPLoss)
    return Exploration(net, x, np.arange(4) if classes else rng.normal(size=(4, *net.output_shape)))


@dataclass(frozen=True)
class Watch:
    """Measures answers by a clock."""

    clock: Callable[[], float]

    def seconds(self, exploration: Exploration, questions: Iterable[dict[str, Any]]) -> list[float]:
        """How long each answer takes, as JSON."""
        found = []
        for question in questions:
            start = self.clock()
            answer = exploration.answer(question)
            json.dumps(answer)
            found.append(self.clock() - start)
            assert answer["ok"], answer
        return found


def _first_view(net: cr.Network) -> list[dict[str, Any]]:
    array = {"ask": "array", "name": net.names[1], "quantity": "value", "count": 1}
    return [{"ask": "overview"}, array, {"ask": "tour"}]


def _arrays(net: cr.Network) -> Iterator[dict[str, Any]]:
    for name in net.names:
        for quantity in ("value", "gradient"):
            yield {"ask": "array", "name": name, "quantity": quantity}


def _steps(net: cr.Network, count: int) -> Iterator[dict[str, Any]]:
    """Of every node and parameter in turn, backward and forward."""
    rng = np.random.default_rng(1)
    kinds: list[tuple[str, str, tuple[int, ...]]] = []
    for position, name in enumerate(net.names):
        kinds += [(quantity, name, net.shapes[position]) for quantity in ("gradient", "value")]
    kinds += [("parameter", name, array.shape) for name, array in net.parameters.items()]
    for k in range(max(count, len(kinds))):
        quantity, name, shape = kinds[k % len(kinds)]
        index = [int(rng.integers(extent)) for extent in shape]
        place = {"quantity": quantity, "name": name, "index": index if quantity == "parameter" else [0, *index]}
        yield {"ask": "step", "place": place}


def _two(seconds: list[float], width: int) -> str:
    return f"{1e3 * statistics.median(seconds):.1f} {1e3 * max(seconds):>6.1f}".rjust(width)


if __name__ == "__main__":
    main()
