"""Named arrays in one flat buffer: the parameters of a network, their gradients, an optimizer's state.

The buffer is what optimizers, engines and processes work on at once; the names are what people work with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, check_finite
from chainrule.errors import ArgumentError, NameLookupError, ShapeError
from chainrule.shapes import Shape, product


class Parameters(MutableMapping[str, Array]):
    """An ordered mapping "conv1.weight" -> array whose arrays are views of `flat`.

    Assigning copies the values in: `net.parameters["conv1.weight"] = w`. The set of names never changes.
    Raises NameLookupError for an unknown name, ShapeError for a wrong shape, DataError for NaN or infinity,
    ArgumentError for a snapshot's.
    """

    def __init__(self, shapes: Mapping[str, Shape], dtype: Any = np.float64, flat: Array | None = None) -> None:
        self.shapes = dict(shapes)
        size = sum(product(shape) for shape in self.shapes.values())
        self.flat: Array = np.zeros(size, dtype) if flat is None else flat
        self._views: dict[str, Array] = {}
        self._layers: dict[str, dict[str, Array]] = {}
        start = 0
        for name, shape in self.shapes.items():
            stop = start + product(shape)
            self._views[name] = self.flat[start:stop].reshape(shape)
            layer, _, own = name.rpartition(".")
            self._layers.setdefault(layer, {})[own] = self._views[name]
            start = stop

    def __getitem__(self, name: str) -> Array:
        try:
            return self._views[name]
        except KeyError:
            raise NameLookupError("parameter", name, self._views) from None

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        view = self[name]
        if self.sealed:
            raise ArgumentError(f"{name} belongs to a snapshot, which cannot change; assign to the network it is of")
        array = as_array(value, name)
        if array.shape != view.shape:
            raise ShapeError(f"{name} has shape {view.shape}; it cannot take values of shape {array.shape}")
        check_finite(array, name)
        view[...] = array

    def __delitem__(self, name: str) -> None:
        raise TypeError("the parameters of a network cannot be deleted; build a network without the layer")

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)

    def of(self, layer: str) -> dict[str, Array]:
        """One layer's arrays by their own names: {"weight": ..., "bias": ...}."""
        return self._layers.get(layer, {})

    def copy(self, dtype: Any = None) -> Parameters:
        """The same names and values in a buffer of its own."""
        return Parameters(self.shapes, flat=self.flat.astype(dtype or self.flat.dtype, copy=True))

    def seal(self) -> Parameters:
        """The same names and values in arrays that NumPy lets nobody write to."""
        flat = self.flat.copy()
        flat.flags.writeable = False
        return Parameters(self.shapes, flat=flat)

    @property
    def sealed(self) -> bool:
        """Whether the values cannot change."""
        return not self.flat.flags.writeable

    def zeros(self) -> Parameters:
        """The same names and precision, all zero."""
        return Parameters(self.shapes, flat=np.zeros_like(self.flat))

    def slices(self) -> dict[str, slice]:
        """Where each array lies in `flat`."""
        stops = np.cumsum([0, *(product(shape) for shape in self.shapes.values())])
        return {name: slice(int(a), int(b)) for name, a, b in zip(self.shapes, stops, stops[1:], strict=False)}

    def __repr__(self) -> str:
        rows = [f"  {name}: {tuple(view.shape)}" for name, view in self._views.items()]
        return "\n".join([f"Parameters of {self.flat.size:,} numbers ({self.flat.dtype})", *rows])
