"""The plots that commands leave behind; without matplotlib one sentence says how to get them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chainrule import plots
from chainrule.arrays import Array
from chainrule.cli.common import MOST_CONFUSED, loss_of, names_of
from chainrule.errors import MissingExtraError
from chainrule.history import History
from chainrule.metrics import confusion_matrix
from chainrule.network import Network
from chainrule.plots.networks import first_convolution


def draw_plots(
    folder: Path,
    net: Network,
    images: Array,
    labels: Array,
    *,
    history: History | None = None,
    engine: str | None = None,
) -> str:
    """Draw everything there is to draw into `folder`; where it is, or why there is nothing."""
    answers = net.classify(images, loss=loss_of(net), engine=engine)  # type: ignore[arg-type]
    try:
        return _draw(folder, net, images, labels, answers.probabilities, names_of(net), history)
    except MissingExtraError as error:
        return f"none: {error}"


def _draw(
    folder: Path,
    net: Network,
    images: Array,
    labels: Array,
    probabilities: Array,
    names: Sequence[str],
    history: History | None,
) -> str:
    drawn, classes = ["most_confused.png", "feature_maps.png"], probabilities.shape[1]
    plots.plot_most_confused(images, labels, probabilities, folder / drawn[0], names)
    plots.plot_feature_maps(net, images[0], folder / drawn[1])
    if classes <= MOST_CONFUSED:
        drawn.append("confusion.png")
        confusion = confusion_matrix(labels, probabilities.argmax(axis=1), classes)
        plots.plot_confusion(confusion, folder / "confusion.png", names)
    if first_convolution(net) is not None:
        drawn.append("filters.png")
        plots.plot_filters(net, folder / "filters.png")
    if history is not None and history.rows:
        drawn.append("learning_curves.png")
        plots.plot_learning_curves(history, folder / "learning_curves.png")
    few = "" if classes <= MOST_CONFUSED else f" (no confusion matrix: more than {MOST_CONFUSED:,} classes)"
    return f"{len(drawn)} in {folder}{few}"
