"""Figures without a window: one house style, and PNG files that are complete or not there at all."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.atomic import write_atomically
from chainrule.errors import MissingExtraError, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 130
BLUE, ORANGE, GREY = "#2f6db3", "#e0752d", "#6b7280"

STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": "#374151",
    "axes.edgecolor": "#9ca3af",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#e5e7eb",
    "xtick.color": "#374151",
    "ytick.color": "#374151",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "text.parse_math": False,  # names of classes are names, also with a dollar
}


@contextlib.contextmanager
def drawing(path: str | Path, width: float, height: float, *, layout: Any = "constrained") -> Iterator[Figure]:
    """A figure of `width` x `height` inches in the house style, written to `path` as a PNG at the end."""
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("drawing plots", "plots") from None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)
        FigureCanvasAgg(figure)
        yield figure
        data = io.BytesIO()
        figure.savefig(data, format="png")
        write_atomically(path, data.getvalue())


def bare(axes: Any) -> None:
    """Axes that only hold a picture."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.6)


def clipped(figure: Any, text: str, inches: float, size: float) -> str:
    """`text` in one line, its middle left out where it is wider than `inches` in a font of `size` points."""
    from matplotlib.font_manager import FontProperties

    renderer, font = figure.canvas.get_renderer(), FontProperties(size=size)
    text = shown(text)

    def fits(candidate: str) -> bool:
        width, _, _ = renderer.get_text_width_height_descent(candidate, font, False)
        return bool(width <= inches * figure.dpi)

    kept = len(text)
    made = text
    while kept > 1 and not fits(made):
        kept -= 1
        made = f"{text[: -(-kept // 2)]}…{text[len(text) - kept // 2 :]}"
    return made


DARK, LIGHT = "#111827", "white"


def readable_on(rgb: Any) -> str:
    """The colour of text, dark or white, that stands out more from a ground of (red, green, blue) in 0..1."""
    values = np.asarray(rgb, np.float64)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return LIGHT if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.058 else DARK
