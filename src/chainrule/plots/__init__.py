"""Pictures of training and of networks, as PNG files; drawn by matplotlib, which the extra `plots` installs."""

from __future__ import annotations

from chainrule.plots.networks import plot_feature_maps, plot_filters
from chainrule.plots.results import plot_confusion, plot_learning_curves, plot_most_confused

__all__ = [
    "plot_confusion",
    "plot_feature_maps",
    "plot_filters",
    "plot_learning_curves",
    "plot_most_confused",
]
