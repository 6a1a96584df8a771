"""`CNNRegressor`: one value for each sample, or several."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin

from chainrule.arrays import Array
from chainrule.errors import ArgumentError
from chainrule.losses import HuberLoss, L1Loss, Loss, MSELoss
from chainrule.shapes import choice
from chainrule.sklearn.base import CNN


class CNNRegressor(RegressorMixin, CNN):
    """A network as regressor: y (n,) or (n, outputs) of values. Scale them first if they are far from 1
    (`TransformedTargetRegressor`).

    loss           "squared_error", "absolute_error" or "huber", the last with its `delta`

    All other settings are those of `CNNClassifier`.
    """

    def __init__(
        self,
        network: str = "fc 32 -> relu",
        *,
        image_shape: tuple[int, ...] | None = None,
        loss: str = "squared_error",
        delta: float = 1.0,
        optimizer: str = "adam",
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        schedule: str = "constant",
        epochs: int = 30,
        batch_size: int = 64,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        warm_start: bool = False,
        shuffle: bool = True,
        dtype: str | None = None,
        engine: str | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.network = network
        self.image_shape = image_shape
        self.loss = loss
        self.delta = delta
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.warm_start = warm_start
        self.shuffle = shuffle
        self.dtype = dtype
        self.engine = engine
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train on X (n, features) or images, and y (n,) or (n, outputs)."""
        fresh = not self._continues()
        numbers, targets = self._data(X, y, fresh)
        self._train(numbers, targets, sample_weight, fresh=fresh, epochs=self.epochs, early=self.early_stopping)
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """One epoch on these samples."""
        fresh = not hasattr(self, "network_")
        numbers, targets = self._data(X, y, fresh)
        self._train(numbers, targets, sample_weight, fresh=fresh, epochs=1)
        return self

    def predict(self, X: ArrayLike) -> Array:
        """(n,) or (n, outputs) values, as y was."""
        outputs = self._answers(X)
        return outputs[:, 0] if self._flat_y else outputs

    def _data(self, X: ArrayLike, y: ArrayLike, fresh: bool) -> tuple[Array, Array]:
        numbers, given = self._read(X, y=y, multi_output=True, y_numeric=True, reset=fresh)
        targets = np.asarray(given, np.float64)
        if fresh:
            self._flat_y, self.n_outputs_ = targets.ndim == 1, 1 if targets.ndim == 1 else targets.shape[1]
        rows = targets.reshape(len(targets), -1)
        if rows.shape[1] != self.n_outputs_:
            raise ArgumentError(
                f"y has {rows.shape[1]} outputs, but the call that this one continues had {self.n_outputs_}"
            )
        return numbers, rows

    def _loss(self) -> Loss:
        choice("loss", self.loss, ("squared_error", "absolute_error", "huber"))
        if self.loss == "huber":
            return HuberLoss(delta=self.delta)
        return MSELoss() if self.loss == "squared_error" else L1Loss()

    def _outputs(self) -> int:
        return int(self.n_outputs_)
