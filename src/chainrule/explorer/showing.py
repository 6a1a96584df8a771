"""`Explorer`: one exploration, to be shown in a notebook, in the browser, or as a file."""

from __future__ import annotations

import webbrowser
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import ArgumentError, MissingExtraError
from chainrule.explorer.exploration import Exploration
from chainrule.shapes import integer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from chainrule.explorer.server import Serving
    from chainrule.network import Network


MOST_SAMPLES = 8
"""In a file; of more samples it holds one."""


class Explorer:
    """What `chainrule.explorer` makes. In a notebook it shows itself; `save` and `serve` show it elsewhere."""

    def __init__(self, net: Network, x: ArrayLike, targets: ArrayLike, *, sample: int = 0, **more: Any) -> None:
        self._start, self._given, self._more = sample, (net, x, targets), more
        self._exploration = self._make()
        self._widget: Any = None

    def _make(self, save: bool = False) -> Exploration:
        """A new exploration at the first sample."""
        made = Exploration(*self._given, **self._more, save=save)
        answer = made.answer({"ask": "sample", "index": self._start} if self._start else {"ask": "overview"})
        if not answer["ok"]:
            raise ArgumentError(answer["error"]["text"]["en"].rstrip("."))
        return made

    def widget(self) -> Any:
        """The widget of notebooks (anywidget); all views of one explorer share it. Needs the extra `explorer`."""
        if self._widget is None:
            from chainrule.explorer.widget import widget_of

            self._widget = widget_of(self._exploration)
        return self._widget

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """What notebooks show: the widget, or without its package the sentence that says what to install."""
        try:
            shown = self.widget()._repr_mimebundle_(**options)
        except MissingExtraError as error:
            return {"text/plain": f"{self!r}\n{error}"}
        data = shown[0] if isinstance(shown, tuple) else shown
        return {**data, "text/plain": repr(self)}

    def save(self, path: str | Path, *, budget: int = 4 << 20) -> Path:
        """Write one HTML file that needs neither Python nor a network connection; it may be mailed or hosted.

        Of a small network it holds everything that a reader can click; of a larger one as much as fits into about
        `budget` bytes, the most telling numbers first, and of more than 8 samples only the one that is shown first.
        Raises StorageError where the file cannot be written.
        """
        from chainrule.explorer.file import write_file

        explored, samples = self._make(), [self._start]
        count = explored.samples
        if count <= MOST_SAMPLES:
            samples += [sample for sample in range(count) if sample != self._start]
        return write_file(explored.answer, samples, path, integer("budget", budget, 1))

    def serve(self, port: int = 0, *, browser: bool = True, save: str | Path | None = None) -> Serving:
        """Start a server for this machine alone and open its page in the browser; `.url`, `.stop()`.

        port: 0 takes any that is free. save: where the page may write the network that was changed in it; without it
        nothing is ever written. Needs the extra `explorer`.
        """
        from chainrule.explorer.server import serve

        serving = serve(partial(self._make, save is not None), port, None if save is None else Path(save))
        if browser:
            webbrowser.open(serving.url)
        return serving

    def __repr__(self) -> str:
        return f"Explorer of {' '.join(str(self._exploration.net).split())}"


__all__ = ["Explorer"]
