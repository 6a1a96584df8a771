"""Drawings as SVG: what happens at a step, and the network with the way of the gradient.

    explain(...).drawing()                      the network with the route lit
    explain(...).drawing(7)                     the picture of step 7, or None: window, winner, branch, neuron
    step_drawing(step, "zh")                    the same from a step
    network_drawing(net)                        a network by itself
    map_drawing(array, window=(0, 0, 3, 3))     a map of numbers by itself

Text is text, colours are CSS variables with values for light and dark pages, and every drawing has a name and a
description. There is no script.
"""

from __future__ import annotations

from chainrule.explain.drawings.maps import map_drawing
from chainrule.explain.drawings.networks import network_drawing, sketch_drawing
from chainrule.explain.drawings.pictures import step_drawing

__all__ = ["map_drawing", "network_drawing", "sketch_drawing", "step_drawing"]
