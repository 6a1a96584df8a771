"""Named arrays in one flat buffer: the parameters of a network, their gradients, an optimizer's state.

The buffer is what optimizers, engines and processes work on at once; the names are what people work with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chainrule.arrays import Array, as_array, check_finite
from chainrule.errors import ArgumentError, NameLookupError, ShapeError
from chainrule.shapes import Shape, product, shown


class Parameters(MutableMapping[str, Array]):
    """An ordered mapping "conv1.weight" -> array whose arrays are views of `flat`.

    Assigning copies the values in: `net.parameters["conv1.weight"] = w`. The set of names never changes. That the
    arrays are views holds for every copy too, made with `copy`, `deepcopy` or pickle; a snapshot's stays one.
    Raises NameLookupError for an unknown name, ShapeError for a wrong shape, DataError for NaN or infinity,
    ArgumentError for a snapshot's.
    """

    def __init__(self, shapes: Mapping[str, Shape], dtype: Any = np.float64, flat: Array | None = None) -> None:
        self.shapes = dict(shapes)
        size = sum(product(shape) for shape in self.shapes.values())
        self._flat: Array = np.zeros(size, dtype) if flat is None else flat
        self._views: dict[str, Array] = {}
        self._layers: dict[str, dict[str, Array]] = {}
        for name, part in self.slices().items():
            layer, _, own = name.rpartition(".")
            self._views[name] = self._flat[part].reshape(self.shapes[name])
            self._layers.setdefault(layer, {})[own] = self._views[name]

    @property
    def flat(self) -> Array:
        """All numbers in one array; assigning copies the values in."""
        return self._flat

    @flat.setter
    def flat(self, values: ArrayLike) -> None:
        if values is self._flat:  # after `flat += ...`, which has written already
            return
        self._refuse_if_sealed("flat")
        array = as_array(values, "flat")
        if array.shape != self._flat.shape:
            raise ShapeError(f"flat holds {self._flat.size} numbers; it cannot take values of shape {array.shape}")
        self._flat[...] = array

    def take(self, values: Mapping[str, ArrayLike]) -> None:
        """Copy in the values of a mapping that has just these names."""
        if not isinstance(values, Mapping):
            raise ArgumentError(f"parameters are assigned from a mapping of names to arrays, not {shown(values)}")
        if values is self:
            return
        for name in values:
            self[name]  # raises for a name that is not known
        missing = [name for name in self if name not in values]
        if missing:
            raise ArgumentError(f"values for {missing[0]} are missing; to change some, assign to parameters[name]")
        for name in self:
            self[name] = values[name]

    def __reduce__(self) -> tuple[Any, ...]:
        # Views of a copied buffer would be copied as arrays of their own, so only the buffer travels.
        return _restored, (self.shapes, self._flat, self.sealed)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameters:
        return self.__copy__()

    def __copy__(self) -> Parameters:
        return self.seal() if self.sealed else self.copy()

    def __getitem__(self, name: str) -> Array:
        try:
            return self._views[name]
        except KeyError:
            raise NameLookupError("parameter", name, self._views) from None

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        view = self[name]
        self._refuse_if_sealed(name)
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

    def of(self, layer: str) -> Mapping[str, Array]:
        """One layer's arrays by their own names: {"weight": ..., "bias": ...}; not to be assigned to."""
        return MappingProxyType(self._layers.get(layer, {}))

    def copy(self, dtype: Any = None) -> Parameters:
        """The same names and values in a buffer of its own."""
        return Parameters(self.shapes, flat=self.flat.astype(dtype or self.flat.dtype, copy=True))

    def seal(self) -> Parameters:
        """The same names and values in arrays that nobody can write to, nor make writeable again."""
        flat: Array = np.ndarray(self.flat.shape, self.flat.dtype, self.flat.tobytes())
        return Parameters(self.shapes, flat=flat)

    @property
    def sealed(self) -> bool:
        """Whether the values cannot change."""
        return not self.flat.flags.writeable

    def _refuse_if_sealed(self, name: str) -> None:
        if self.sealed:
            raise ArgumentError(f"{name} belongs to a snapshot, which cannot change; assign to the network it is of")

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


def _restored(shapes: dict[str, Shape], flat: Array, sealed: bool) -> Parameters:
    """Parameters out of a pickle. Whether they were sealed is told apart from whether the array arrived read-only, as
    memory-mapped and shared ones do."""
    made = Parameters(shapes, flat=flat)
    if sealed:
        return made.seal()
    return made.copy() if made.sealed else made
