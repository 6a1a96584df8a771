"""What both estimators have in common: reading X, building the network, training it, asking it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from chainrule.arrays import Array
from chainrule.errors import ArgumentError
from chainrule.losses import Loss
from chainrule.network import Network, parse
from chainrule.shapes import integer, number
from chainrule.sklearn.settings import input_shape_of, network_text, optimizer_of, schedule_of
from chainrule.sklearn.workers import threads_of

MOST_SEED = 2**31 - 1


class CNN(BaseEstimator):
    """A network of a given text, trained by `Network.fit`. Not an estimator by itself.

    Fitted, it has `network_`, `history_` (of the last call), `loss_`, `n_iter_` (epochs in all), `n_features_in_`.
    """

    network_: Network

    # --- what subclasses say -----------------------------------------------------------------------------------

    def _loss(self) -> Loss:
        raise NotImplementedError

    def _outputs(self) -> int:
        raise NotImplementedError

    # --- data --------------------------------------------------------------------------------------------------

    def _flat(self, X: Any) -> Any:
        """Images (n, channels, rows, columns) as rows of features, if `image_shape` says that they are images."""
        shape: tuple[int, ...] = getattr(X, "shape", ())
        if self.image_shape is None or len(shape) < 3 or math.prod(shape[1:]) != math.prod(self.image_shape):
            return X
        return np.asarray(X).reshape(shape[0], -1)

    def _read(self, X: Any, **options: Any) -> Any:
        """X (and y), checked as scikit-learn does; float32 stays, other numbers become float64 as they are."""
        return validate_data(self, self._flat(X), dtype=[np.float64, np.float32], **options)

    def _images(self, X: Array) -> Array:
        return X.reshape(len(X), *input_shape_of(self.image_shape, X.shape[1]))

    # --- training ----------------------------------------------------------------------------------------------

    def _continues(self) -> bool:
        return bool(self.warm_start) and hasattr(self, "network_")

    def _build(self, X: Array) -> int:
        """A new network; the seed of what is drawn."""
        seed = int(check_random_state(self.random_state).randint(MOST_SEED))
        shape = input_shape_of(self.image_shape, X.shape[1])
        self.network_ = parse(network_text(self.network, shape, self._outputs()), seed=seed)
        self.n_iter_ = 0
        return seed

    def _train(
        self,
        X: Array,
        targets: Array,
        sample_weight: Any,
        *,
        fresh: bool,
        epochs: int,
        early: bool = False,
        **more: Any,
    ) -> None:
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        seed = self._build(X) if fresh else int(check_random_state(self.random_state).randint(MOST_SEED))
        options: dict[str, Any] = {}
        if early:
            kept, apart = self._split(targets, seed)
            validation = (self._images(X[apart]), targets[apart])
            options["validation"] = validation if weights is None else (*validation, weights[apart])
            options |= {"patience": integer("patience", self.patience, 1), "keep_best": True}
            X, targets, weights = X[kept], targets[kept], None if weights is None else weights[kept]
        with threads_of(self.n_jobs):
            self.history_ = self.network_.fit(
                self._images(X),
                targets,
                loss=self._loss(),
                optimizer=optimizer_of(self.optimizer, self.learning_rate, self.momentum, self.weight_decay),
                schedule=schedule_of(self.schedule, epochs),
                epochs=integer("epochs", epochs, 1),
                batch_size=self.batch_size,
                sample_weight=weights,
                seed=(seed + self.n_iter_) % MOST_SEED,
                shuffle=self.shuffle,
                progress=bool(self.verbose),
                engine=self.engine,
                dtype=self.dtype,
                **options,
                **more,
            )
        self.n_iter_ += len(self.history_.rows)
        self.loss_ = self.history_.rows[-1].loss

    def _split(self, targets: Array, seed: int) -> tuple[Array, Array]:
        """Places of the samples to learn from, and of those that say when to stop: of each class its share, if it has
        enough samples."""
        share = number("validation_fraction", self.validation_fraction, 0, 1, open_low=True)
        places, held = np.arange(len(targets)), math.ceil(share * len(targets))
        if held >= len(targets):
            raise ArgumentError(
                f"early_stopping keeps {held} of {len(targets)} samples apart, which leaves none to learn from; give "
                f"more samples or a smaller validation_fraction"
            )
        counts = np.unique(targets, return_counts=True)[1] if targets.ndim == 1 and targets.dtype.kind == "i" else None
        fits = counts is not None and counts.min() > 1 and len(counts) <= min(held, len(targets) - held)
        kept, apart = train_test_split(places, test_size=held, stratify=targets if fits else None, random_state=seed)
        return np.sort(kept), np.sort(apart)

    # --- answers -----------------------------------------------------------------------------------------------

    def _answers(self, X: Any) -> Array:
        """Outputs of the network (n, outputs), in float64 unless `dtype` says otherwise."""
        check_is_fitted(self)
        numbers = self._read(X, reset=False)
        with threads_of(self.n_jobs):
            return self.network_.predict(self._images(numbers), engine=self.engine, dtype=self.dtype or "float64")
