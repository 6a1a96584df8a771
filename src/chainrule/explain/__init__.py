"""The explainer: the chain rule of any gradient in any network, written out with the user's own numbers.

    print(explain(net, x, targets, loss, of="conv1.weight[0,0,1,2]"))

A `Derivation` is plain data (`derivation`): `building` makes it from the local terms of each layer (`local`) and of the
loss (`lossterms`), all taken from one traced pass. `layout` turns it into blocks, and `terminal`, `markdown`, `html`
and `data` draw those. Every step's number is compared with the engine's before it is shown. `examples` tells the worked
examples of the sources.

This module is light: what it needs is imported when something is explained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation
    from chainrule.losses import Loss
    from chainrule.network import Network
    from chainrule.optimizers import Optimizer


def explain(
    net: Network,
    x: ArrayLike,
    targets: ArrayLike,
    loss: Loss,
    of: str,
    *,
    sample: int | None = None,
    sample_weight: ArrayLike | None = None,
    quantity: Literal["gradient", "value"] = "gradient",
    depth: int | None = None,
    terms: int | None = None,
    breadth: int = 2,
    lang: str = "en",
    digits: int = 6,
    learning_rate: float | None = None,
    optimizer: Optimizer | None = None,
    training: bool = True,
    engine: str = "reference",
    sources: bool = False,
    level: Literal["short", "full"] = "full",
) -> Derivation:
    """The derivation of dL/d(of): from the loss down to one weight, bias, delta or input pixel.

    of            "conv1.weight[0,0,1,2]", "conv1.bias[2]", "relu1[3,4,5]", "input[0,7,7]"; the sample is no part of it.
                  A name alone, "maxpool2" or "conv1.weight", stands for its number with the largest gradient
    sample        which sample of the batch, for the number of a node
    sample_weight the samples' weights in the loss
    quantity      "value" derives the value of a node instead of its gradient
    depth         how many layers up the chain is opened; None: all of them
    terms         how many terms of a sum are shown; the others are counted and added up. None: the six largest, and
                  up to twelve where these account for 90 % of the sum
    breadth       how many numbers of one node are opened further
    lang          "en" or "zh"; digits: how many significant ones are shown
    learning_rate, optimizer    for a parameter: show its update, too
    sources       cite the teaching texts behind formulas and rules, with a bibliography at the end
    level         "short": one line for each number, "full": every rule with its terms
    training      batch normalisation with the batch's statistics, dropout on; as in `net.gradients`

    Everything is computed in float64, and every number is compared with the engine's. Raises ArgumentError or
    NameLookupError for a place that does not exist, NonFiniteError for a network that computes NaN or infinity.
    """
    from chainrule.explain.api import derive

    return derive(
        net,
        x,
        targets,
        loss,
        of,
        sample=sample,
        sample_weight=sample_weight,
        quantity=quantity,
        depth=depth,
        terms=terms,
        breadth=breadth,
        lang=lang,
        digits=digits,
        learning_rate=learning_rate,
        optimizer=optimizer,
        training=training,
        engine=engine,
        sources=sources,
        level=level,
    )


_LAZY = {
    "Derivation": "derivation",
    "DerivationStep": "steps",
    "Part": "steps",
    "Factor": "terms",
    "Place": "terms",
    "Term": "terms",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


__all__ = ["Derivation", "DerivationStep", "Factor", "Part", "Place", "Term", "explain"]
