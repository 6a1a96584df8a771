"""Principal directions: PCA and whitening."""

from __future__ import annotations

import operator
from typing import Literal

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.memory import require_memory
from chainrule.preprocessing.base import (
    Floats,
    Preprocessor,
    check_ddof,
    divisor,
    exact_mean,
    is_finite,
    reciprocal,
)


class PCA(Preprocessor):
    """y = (x - mean) U: coordinates along the directions of largest variance, largest first (S3-F04).

    The columns of U are the unit eigenvectors of the covariance sum (x - mean)(x - mean)^T / (n - ddof). The
    sign is fixed: the entry of largest magnitude is positive (the first of several equal ones). At most
    min(n, features) components exist; `n_components` keeps fewer, a float in (0, 1) as many as are needed for
    that share of the variance. y is (n, components), also for images.

    After fit: `components_` (components, features) holds the rows of U^T, `variances_` the eigenvalues,
    `variance_shares_` their shares of the total variance, `mean_` the mean (features,).
    """

    mean_: Floats
    components_: Floats
    variances_: Floats
    variance_shares_: Floats

    def __init__(self, n_components: int | float | None = None, *, ddof: int = 0) -> None:
        self.n_components = _check_components(n_components)
        self.ddof = check_ddof(ddof)

    def _fit(self, x: Floats) -> None:
        flat = x.reshape(len(x), -1)
        self.mean_ = exact_mean(flat, (0,))[0]
        variances, directions = _principal_directions(flat - self.mean_, divisor(len(flat), self.ddof))
        total = variances.sum()
        shares = variances / total if total > 0 else np.zeros_like(variances)
        kept = self._count(shares)
        self.components_ = directions[:kept]
        self.variances_ = variances[:kept]
        self.variance_shares_ = shares[:kept]

    def _count(self, shares: Floats) -> int:
        if self.n_components is None:
            return len(shares)
        if isinstance(self.n_components, float):
            reached = np.cumsum(shares) >= self.n_components
            return int(reached.argmax()) + 1 if reached.any() else len(shares)
        if self.n_components > len(shares):
            raise ArgumentError(f"n_components={self.n_components} is more than min(n, features) = {len(shares)}")
        return self.n_components

    def _output_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (len(self.components_),)

    def _transform(self, x: Floats) -> Floats:
        return (x.reshape(len(x), -1) - self.mean_) @ self.components_.T

    def _inverse(self, y: Floats) -> Floats:
        return (y @ self.components_ + self.mean_).reshape(len(y), *(self._shape_in or ()))

    def __repr__(self) -> str:
        return f"PCA(n_components={self.n_components}, ddof={self.ddof})"


class Whiten(PCA):
    """y = (x - mean) U / sqrt(variances + epsilon): uncorrelated directions, each of variance 1 (S3-F04).

    kind="pca" stops there; kind="zca" turns back, y U^T, so that images still look like images and keep their
    shape. With epsilon=0 the covariance of the transformed training data (same ddof) is the identity on all
    directions that vary; a small positive epsilon (in units of variance) keeps noise in weak directions from
    being blown up. Directions with eigenvalue 0 (below rounding) become 0 in either case.
    """

    def __init__(
        self,
        kind: Literal["pca", "zca"] = "pca",
        *,
        epsilon: float = 0.0,
        n_components: int | float | None = None,
        ddof: int = 0,
    ) -> None:
        super().__init__(n_components, ddof=ddof)
        if kind not in ("pca", "zca"):
            raise ArgumentError(f'kind must be "pca" or "zca", got {kind!r}')
        if not (is_finite(epsilon) and epsilon >= 0):
            raise ArgumentError(f"epsilon must be a finite number, 0 or larger, got {epsilon!r}")
        self.kind = kind
        self.epsilon = float(epsilon)

    def _factors(self) -> Floats:
        deviations = np.sqrt(self.variances_ + self.epsilon)
        return np.where(self.variances_ > 0, reciprocal(deviations), 0.0)

    def _output_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        return sample_shape if self.kind == "zca" else super()._output_shape(sample_shape)

    def _transform(self, x: Floats) -> Floats:
        y = super()._transform(x) * self._factors()
        return (y @ self.components_).reshape(x.shape) if self.kind == "zca" else y

    def _inverse(self, y: Floats) -> Floats:
        if self.kind == "zca":
            y = y.reshape(len(y), -1) @ self.components_.T
        return super()._inverse(y * reciprocal(self._factors()))

    def __repr__(self) -> str:
        options = f"epsilon={self.epsilon}, n_components={self.n_components}, ddof={self.ddof}"
        return f"Whiten({self.kind!r}, {options})"


def _principal_directions(centred: Floats, count: int) -> tuple[Floats, Floats]:
    """Eigenvalues, falling, and unit eigenvectors as rows, of the covariance of `centred` (n, features).

    With fewer samples than features the singular value decomposition avoids the large covariance matrix.
    Eigenvalues below rounding are set to 0.
    """
    samples, features = centred.shape
    square = min(samples, features) ** 2
    what = f"the principal directions of {samples:,} samples with {features:,} features"
    require_memory(8 * (centred.size + 2 * square), what, "give fewer samples or smaller ones")
    if samples < features:
        _, singular, directions = np.linalg.svd(centred, full_matrices=False)
        variances = np.square(singular) / count
    else:
        values, vectors = np.linalg.eigh(centred.T @ centred / count)
        variances, directions = values[::-1].copy(), vectors.T[::-1].copy()
    noise = variances[0] * max(centred.shape) * np.finfo(np.float64).eps
    variances[variances <= noise] = 0.0
    magnitudes = np.abs(directions)
    largest = magnitudes >= (1 - 1e-9) * magnitudes.max(axis=1, keepdims=True)  # equal up to rounding: the first
    signs = np.sign(np.take_along_axis(directions, largest.argmax(axis=1)[:, None], axis=1))
    return variances, directions * signs


def _check_components(wanted: int | float | None) -> int | float | None:
    if wanted is None or (isinstance(wanted, float) and 0 < wanted < 1):
        return wanted
    try:
        count = operator.index(wanted)  # type: ignore[arg-type]
    except TypeError:
        count = 0
    if count < 1 or isinstance(wanted, bool):
        raise ArgumentError(
            f"n_components must be None, an integer from 1, or a share of variance, 0 to 1, got {wanted!r}"
        )
    return count
