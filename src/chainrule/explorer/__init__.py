"""The explorer: a network's forward and backward pass as a page to look at, to touch and to teach with.

`exploration` answers questions about one network at its samples, in plain dictionaries; hosts (a local server, a
notebook's widget, a file) carry questions and answers, and the page draws. The page computes nothing: every number on
it is one of `chainrule.explain` or of the trace.

This module is light: what it needs is imported when something is explored.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike

    from chainrule.explorer.exploration import Exploration
    from chainrule.explorer.showing import Explorer
    from chainrule.losses import Loss
    from chainrule.network import Network

_LAZY = {"Exploration": "exploration", "Explorer": "showing"}


def explorer(
    net: Network,
    x: ArrayLike,
    targets: ArrayLike,
    loss: Loss | None = None,
    *,
    sample: int = 0,
    training: bool = False,
    together: bool = False,
    learned_from: tuple[ArrayLike, ArrayLike] | None = None,
    class_names: Iterable[str] | None = None,
    goals: Sequence[str] = (),
) -> Explorer:
    """See a network's forward and backward pass: as the last line of a notebook's cell it shows a page to explore.

        cr.explorer(net, images[:100], labels[:100])          in Jupyter, VS Code, Colab and marimo (extra `explorer`)
        cr.explorer(net, images, labels).save("page.html")    one file that needs neither server nor network
        cr.explorer(net, images, labels).serve()              in the browser; Python computes

    net           any network of at most a million parameters; it is never changed, the page works on a copy
    x, targets    samples (n, *net.input_shape), and what the loss compares their outputs with
    loss          that of `net`, else the one that `net.evaluate` would take, where none is given
    sample        the number of the sample that is shown first
    training      whether batch normalisation takes the statistics of its batch, and dropout is on
    together      whether all samples are one batch, as in training; else each is one of its own
    learned_from  samples and targets that training on the page learns from; `x` and `targets` where none are given
    class_names   what the classes are called; `net.class_names` where none are given
    goals         numbers to derive, such as "conv1.weight[0,0,1,2]"; the tour ends at the first of them

    Raises ArgumentError for a network that is too large or computes NaN and for a sample that does not exist,
    ShapeError or DataError for samples and targets that do not fit.
    """
    from chainrule.explorer.showing import Explorer

    return Explorer(
        net, x, targets, loss=loss, sample=sample, training=training, together=together, learned_from=learned_from,
        class_names=class_names, goals=goals,
    )  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


__all__ = ["Exploration", "Explorer", "explorer"]
