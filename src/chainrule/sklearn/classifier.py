"""`CNNClassifier`: classes of any label type, or several labels for each sample."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from chainrule.arrays import Array
from chainrule.equations.activations import sigmoid
from chainrule.errors import ArgumentError
from chainrule.losses import BCEWithLogitsLoss, CrossEntropyLoss, Loss
from chainrule.sklearn.base import CNN


class CNNClassifier(ClassifierMixin, CNN):
    """A network as classifier, with softmax and cross-entropy; for y (n, labels) of zeros and ones a sigmoid for each.

    network        hidden layers in the grammar of `parse`, "conv 8@3x3 -> relu -> maxpool 2 -> fc 32 -> relu"; input
                   and output layers are put around them. "" for none
    image_shape    (rows, columns) or (channels, rows, columns) of the images whose pixels are the features of X;
                   X (n, channels, rows, columns) is taken, too. None where they are no images
    optimizer      "sgd", "adam", "adamw" or "rmsprop", at `learning_rate`; `momentum` is for sgd and rmsprop
    schedule       "constant", "cosine", "one-cycle" or "step"
    class_weight   {label: weight}, or "balanced"
    label_smoothing  share of each target that all classes get alike
    early_stopping keep `validation_fraction` of the samples apart, stop after `patience` epochs without a lower loss on
                   them, and end with the best epoch's parameters
    warm_start     `fit` goes on where the last one ended
    dtype          "float32" or "float64"; None: float32 for float32, else float64
    n_jobs         threads; None: one, fastest for small networks; -1: all, or inside of joblib a worker's share

    X holds numbers as they are, bytes too: put a scaler before it. A sample_weight k is as good as repeating the sample
    k times, exactly if one batch holds all samples. Each call of `partial_fit` is one epoch, with an optimizer that
    begins anew.
    """

    def __init__(
        self,
        network: str = "fc 32 -> relu",
        *,
        image_shape: tuple[int, ...] | None = None,
        optimizer: str = "adam",
        learning_rate: float = 0.01,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        schedule: str = "constant",
        epochs: int = 30,
        batch_size: int = 64,
        class_weight: dict[Any, float] | str | None = None,
        label_smoothing: float = 0.0,
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
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
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
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train on X (n, features) or images, and y (n,) labels or (n, labels) zeros and ones."""
        fresh = not self._continues()
        numbers, given = self._read(X, y=y, multi_output=True, reset=fresh)
        targets = self._targets(given, None, fresh)
        weight = self._class_weight()
        self._train(
            numbers,
            targets,
            sample_weight,
            fresh=fresh,
            epochs=self.epochs,
            early=self.early_stopping,
            class_weight=weight,
        )
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """One epoch on these samples. The first call needs all `classes` that will come."""
        fresh = not hasattr(self, "network_")
        numbers, given = self._read(X, y=y, multi_output=True, reset=fresh)
        if fresh and classes is None:
            raise ArgumentError("the first call of partial_fit needs classes=..., all that will ever come")
        if not fresh and classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ArgumentError("classes differs from those of the first call of partial_fit; leave it out")
        targets = self._targets(given, classes, fresh)
        self._train(numbers, targets, sample_weight, fresh=fresh, epochs=1, class_weight=self._class_weight())
        return self

    def predict(self, X: ArrayLike) -> Array:
        """(n,) labels, or (n, labels) zeros and ones."""
        outputs = self._answers(X)
        if self._several:
            return (outputs > 0).astype(np.int64)
        labels: Array = self.classes_[outputs.argmax(axis=1)]
        return labels

    def predict_proba(self, X: ArrayLike) -> Array:
        """(n, classes), rows that sum to 1, in the order of `classes_`; for several labels each one's probability."""
        outputs = self._answers(X).astype(np.float64)
        if self._several:
            return sigmoid(outputs)
        return CrossEntropyLoss().probabilities(outputs)

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """The logarithm of `predict_proba`."""
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    # --- labels ------------------------------------------------------------------------------------------------

    def _targets(self, y: Any, classes: ArrayLike | None, fresh: bool) -> Array:
        """Class indices (n,), or rows of zeros and ones; `classes_` is found when the network is new."""
        given = y.toarray() if hasattr(y, "toarray") else y
        check_classification_targets(given)
        kind = type_of_target(given)
        if kind == "multiclass-multioutput":
            raise ArgumentError("y holds several classes for each sample; give one of them, or zeros and ones for each")
        several = kind == "multilabel-indicator"
        if fresh:
            self._several = several
            self.classes_ = np.arange(given.shape[1]) if several else np.unique(given if classes is None else classes)
        if several != self._several or (several and given.shape[1] != len(self.classes_)):
            raise ArgumentError("y has another form than in the call that this one continues")
        if several:
            return np.asarray(given, np.float64)
        labels = column_or_1d(given, warn=True)
        places = np.searchsorted(self.classes_, labels).clip(max=len(self.classes_) - 1)
        unknown = labels[self.classes_[places] != labels]
        if len(unknown):
            raise ArgumentError(
                f"y holds the class {unknown.tolist()[0]!r}, which is not among the classes {self.classes_}"
            )
        return np.asarray(places, np.int64)

    def _class_weight(self) -> Any:
        """As `Network.fit` takes it: by index in place of label."""
        if self.class_weight is None or isinstance(self.class_weight, str):
            return self.class_weight
        if not isinstance(self.class_weight, dict):
            raise ArgumentError('class_weight must be a dict {label: weight}, "balanced" or None')
        known = {label: index for index, label in enumerate(self.classes_.tolist())}
        others = [label for label in self.class_weight if label not in known]
        if others and len(self.class_weight) - len(others) < len(known):
            raise ArgumentError(f"class_weight names {others[0]!r}, which is not among the classes {self.classes_}")
        return {known[label]: weight for label, weight in self.class_weight.items() if label in known}

    def _loss(self) -> Loss:
        if not self._several:
            return CrossEntropyLoss(label_smoothing=self.label_smoothing)
        if self.label_smoothing:
            raise ArgumentError("label_smoothing is for one class for each sample, not for several labels")
        return BCEWithLogitsLoss()

    def _outputs(self) -> int:
        return len(self.classes_)
