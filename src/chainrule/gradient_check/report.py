"""What a gradient check found: per tensor the worst number, and the kinks apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from chainrule.diagnosis.layers import LayerDiagnosis
from chainrule.display import div, heading, table

Index = tuple[int, ...]

SHOWN_KINKS = 3


@dataclass(frozen=True)
class Kink:
    """A number at which the loss bends: two one-sided derivatives, and the analytic one, which lies between them.

    It may lie outside where several kinks coincide (`compound`); it is then judged layer by layer.
    """

    index: Index
    left: float
    right: float
    analytic: float
    compound: bool = False

    def __str__(self) -> str:
        several = " (several kinks)" if self.compound else ""
        return f"{_place(self.index)}: {self.left:.4g} | {self.right:.4g}, analytic {self.analytic:.4g}{several}"


@dataclass
class TensorCheck:
    """One parameter, or "input". `error` is the largest relative error, at `index`; kinks are not in it."""

    name: str
    total: int
    checked: int = 0
    error: float = 0.0
    index: Index | None = None
    analytic: float = 0.0
    numeric: float = 0.0
    kinks: list[Kink] = field(default_factory=list)


@dataclass(frozen=True)
class GradientReport:
    """The result of `check_gradients`; print it."""

    tensors: list[TensorCheck]
    tolerance: float
    loss: float
    engine: str
    sample: int | None = None
    layers: tuple[LayerDiagnosis, ...] = ()
    """The layers whose backward pass is wrong, and why."""

    @property
    def ok(self) -> bool:
        """Whether every relative error is within the tolerance."""
        return not self.failures

    @property
    def failures(self) -> list[TensorCheck]:
        """The tensors with a wrong number."""
        return [tensor for tensor in self.tensors if not tensor.error <= self.tolerance]

    @property
    def worst(self) -> TensorCheck:
        """The tensor with the largest error."""
        return max(self.tensors, key=lambda tensor: tensor.error)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and texts, for JSON."""
        return {"ok": self.ok, **asdict(self)}

    def __str__(self) -> str:
        width = max(6, *(min(len(tensor.name), 24) for tensor in self.tensors))
        lines = [f"{'tensor':<{width}} {'checked':>15} {'worst error':>12} {'at':>14}  {'kinks':>6}"]
        for tensor in self.tensors:
            share = f"{tensor.checked:,}/{tensor.total:,}"
            mark = "" if tensor.error <= self.tolerance else "  WRONG"
            place = "" if tensor.index is None else _place(tensor.index)
            name = tensor.name if len(tensor.name) <= 24 else "..." + tensor.name[-21:]
            kinks = str(len(tensor.kinks)) if tensor.kinks else "-"
            lines.append(f"{name:<{width}} {share:>15} {tensor.error:>12.1e} {place:>14}  {kinks:>6}{mark}")
        parts = [*self._verdict(), *self._failure_lines(), *map(str, self.layers), *self._kink_lines()]
        return "\n".join([*lines, *parts])

    def _verdict(self) -> list[str]:
        count = sum(tensor.checked for tensor in self.tensors)
        sampled = any(tensor.checked < tensor.total for tensor in self.tensors)
        what = "right" if self.ok else "WRONG"
        lines = [
            f"The gradients are {what}: worst relative error {self.worst.error:.1e}, tolerance {self.tolerance:.0e}.",
            f"{count:,} numbers of the {self.engine} engine were compared with differences in float64.",
        ]
        return [*lines, f"(a random {self.sample} of each tensor)"] if sampled else lines

    def _failure_lines(self) -> list[str]:
        return [
            f"  {tensor.name}{_place(tensor.index or ())}: analytic {tensor.analytic:.9g}, numeric {tensor.numeric:.9g}"
            for tensor in self.failures
        ]

    def _kink_lines(self) -> list[str]:
        kinked = [tensor for tensor in self.tensors if tensor.kinks]
        if not kinked:
            return []
        lines = ["Kinks, not counted as errors, as left | right derivative, analytic value:"]
        for tensor in kinked:
            lines += [f"  {tensor.name}{kink}" for kink in tensor.kinks[:SHOWN_KINKS]]
            if len(tensor.kinks) > SHOWN_KINKS:
                lines.append(f"  {tensor.name}: {len(tensor.kinks) - SHOWN_KINKS} more")
        return lines

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [
            [t.name, f"{t.checked:,}/{t.total:,}", f"{t.error:.1e}", "" if t.index is None else _place(t.index),
             len(t.kinks) or ""]
            for t in self.tensors
        ]  # fmt: skip
        wrong = [number for number, tensor in enumerate(self.tensors) if tensor in self.failures]
        first, *more = self._verdict()
        said = [*self._failure_lines(), *map(str, self.layers), *self._kink_lines()]
        listed = [heading("", line) for text in said for line in text.split("\n")]
        found = table(("tensor", "checked", "worst error", "at", "kinks"), rows, wrong=wrong)
        return div(heading(first, " ".join(more)), found, *listed)


def _place(index: Index) -> str:
    return f"[{','.join(map(str, index))}]"
