"""Tables, curves and drawings of graphs as HTML and SVG: what objects show of themselves in notebooks.

No script and no style from elsewhere. Lines and letters have the colour of the page around them, so that light and dark
pages both show them; foreign text is escaped.
"""

from chainrule.display.curves import curves
from chainrule.display.graphs import Box, drawing
from chainrule.display.tables import div, heading, table, text

__all__ = ["Box", "curves", "div", "drawing", "heading", "table", "text"]
