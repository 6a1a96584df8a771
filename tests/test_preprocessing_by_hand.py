"""Preprocessing on data whose every number is known: pairs of points on the axes, and the sentences of its errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chainrule.errors import ArgumentError, ChainruleError, DataError, DtypeError, NonFiniteError, ShapeError
from chainrule.preprocessing import PCA, Center, Compose, MinMaxScale, Standardize, Whiten
from chainrule.preprocessing.base import divisor, exact_mean, is_finite, reciprocal
from tests.helpers import Array, assert_close


def cross(*lengths: float) -> Array:
    """Points at ± each length on an axis of its own: mean 0, variance length² 2 / n along that axis, no covariance."""
    points = np.diag(lengths)
    return np.concatenate([points, -points])


AXES = cross(1, 3, 2)  # variances 1/3, 3, 4/3: falling along the axes 1, 2, 0
MOVED = AXES + np.array([5, 6, 7])

# --- principal directions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ddof", "count"), [(0, 6), (1, 5)])
def test_variances_directions_and_shares(ddof: int, count: int) -> None:
    pca = PCA(ddof=ddof).fit(MOVED)
    assert_close("mean", pca.mean_, [5, 6, 7], atol=1e-15)
    assert_close("variances", pca.variances_, np.array([18, 8, 2]) / count, rtol=1e-14)
    assert_close("shares", pca.variance_shares_, np.array([9, 4, 1]) / 14, rtol=1e-14)
    assert_close("components", pca.components_, np.eye(3)[[1, 2, 0]], atol=1e-15)
    assert_close("y", pca.transform([[6, 8, 10]]), [[2, 3, 1]], atol=1e-14)


@pytest.mark.parametrize(
    ("wanted", "kept"), [(None, 3), (1, 1), (2, 2), (3, 3), (0.01, 1), (0.64, 1), (0.65, 2), (0.92, 2), (0.93, 3)]
)
def test_how_many_components_are_kept(wanted: float | None, kept: int) -> None:
    pca = PCA(wanted).fit(MOVED)
    assert pca.components_.shape == (kept, 3)
    assert pca.variances_.shape == pca.variance_shares_.shape == (kept,)
    assert pca.transform(MOVED).shape == (6, kept)
    dropped = np.delete(np.arange(3), np.argmax(pca.components_, axis=1))
    expected = AXES.copy()
    expected[:, dropped] = 0
    assert_close("what is kept", pca.inverse(pca.transform(MOVED)), expected + np.array([5, 6, 7]), atol=1e-14)


def test_a_share_that_is_just_reached_is_enough() -> None:
    assert len(PCA(0.5).fit(cross(2, 2)).components_) == 1
    assert len(PCA(0.75).fit(cross(2, 2, 2, 2)).components_) == 3


def test_data_that_do_not_vary_have_no_shares() -> None:
    pca = PCA(0.5).fit(np.full((4, 2), 3.0))
    assert_close("variances", pca.variances_, [0, 0])
    assert_close("shares", pca.variance_shares_, [0, 0])
    assert_close("white", Whiten().fit_transform(np.full((4, 2), 3.0)), np.zeros((4, 2)))


@pytest.mark.parametrize(("ddof", "variance"), [(0, 9), (1, 18)])
def test_fewer_samples_than_features(ddof: int, variance: float) -> None:
    pca = PCA(ddof=ddof).fit([[0, 3, 0], [0, -3, 0]])
    assert_close("variances", pca.variances_, [variance, 0], atol=1e-14)
    assert_close("first component", pca.components_[0], [0, 1, 0], atol=1e-15)


def test_the_largest_entry_of_a_direction_is_positive_and_of_equal_ones_the_first() -> None:
    for direction in ([0.6, -0.8], [-0.6, 0.8], [-0.8, -0.6], [0.8, -0.6], [-1, 1], [1, -1]):
        unit = np.array(direction) / np.linalg.norm(direction)
        for x in (np.outer([3, -3, 1, -1], unit), np.outer([3, -3], [*unit, 0])):
            found = PCA().fit(x).components_[0]
            sign = 1 if abs(unit[0]) >= abs(unit[1]) else -1
            expected = unit * np.sign(unit[0] if sign == 1 else unit[1])
            assert_close("direction", found[:2], expected, atol=1e-14)


def test_variances_below_rounding_count_as_none() -> None:
    """The threshold is eps max(n, features) of the largest: 1.3e-15 here."""
    kept, dropped = PCA().fit(cross(1, 1e-6, 1e-6)), PCA().fit(cross(1, 1e-9, 1e-9))
    assert_close("kept", kept.variances_ * 3, [1, 1e-12, 1e-12], rtol=1e-9)
    assert_close("dropped", dropped.variances_ * 3, [1, 0, 0], rtol=1e-14)
    assert_close("white", Whiten().fit(cross(1, 1e-9, 1e-9)).transform([[1, 1, 1]]), [[3**0.5, 0, 0]], rtol=1e-14)


def test_a_variance_at_the_threshold_is_none() -> None:
    """Of the variances 1/2 and s² / 2 from 4 samples the second must be above 2 eps = 2^-51."""
    assert PCA().fit(cross(1, 2**-25)).variances_[1] == 0
    assert PCA().fit(cross(1, 2**-24)).variances_[1] == 2**-49


def test_small_data_have_the_same_shares() -> None:
    assert_close("shares", PCA().fit(0.1 * AXES).variance_shares_, np.array([9, 4, 1]) / 14, rtol=1e-13)


def test_each_direction_has_a_sign_of_its_own() -> None:
    turned = np.array([[1, 0, 0], [0, 0.6, -0.8], [0, 0.8, 0.6]])
    found = PCA().fit(cross(3, 2, 1) @ turned).components_
    assert_close("directions", found, [[1, 0, 0], [0, -0.6, 0.8], [0, 0.8, 0.6]], atol=1e-15)


def test_a_direction_without_variance_stays_0_whatever_epsilon() -> None:
    for kind in ("pca", "zca"):
        step = Whiten(kind, epsilon=0.25).fit(cross(2, 0))  # type: ignore[arg-type]
        assert_close(kind, step.transform([[0.0, 5.0]]), [[0, 0]])


@pytest.mark.parametrize("epsilon", [0.0, 0.25])
def test_whitening_divides_by_the_deviation(epsilon: float) -> None:
    factors = 1 / np.sqrt(np.array([3, 4 / 3, 1 / 3]) + epsilon)  # of the axes 1, 2, 0
    pca = Whiten(epsilon=epsilon).fit(MOVED)
    assert_close("pca", pca.transform([[6, 8, 10]]), [np.array([2, 3, 1]) * factors], rtol=1e-14)
    zca = Whiten("zca", epsilon=epsilon).fit(MOVED)
    assert_close("zca", zca.transform([[6, 8, 10]]), [np.array([1, 2, 3]) * factors[[2, 0, 1]]], rtol=1e-14)
    for step in (pca, zca):
        assert_close("inverse", step.inverse(step.transform(MOVED)), MOVED, rtol=1e-14)


def test_whitening_of_images_keeps_their_shape_where_it_turns_back() -> None:
    x = np.random.default_rng(0).normal(size=(40, 2, 2, 3))
    assert Whiten("zca").fit_transform(x).shape == x.shape
    assert Whiten("zca", n_components=5).fit_transform(x).shape == x.shape
    pca = Whiten(n_components=5)
    y = pca.fit_transform(x)
    assert y.shape == (40, 5)
    assert pca.inverse(y).shape == x.shape
    with pytest.raises(ShapeError, match=r"^Whiten was fitted for y of shape \(n, 5\), got \(40, 2, 2, 3\)$"):
        pca.inverse(x)


# --- scaling ---------------------------------------------------------------------------------------------------------


def test_scaling_by_hand() -> None:
    x = np.array([[1.0, 4.0, 2.0], [3.0, 4.0, 0.0], [8.0, 4.0, 1.0]])
    low = MinMaxScale(-2, 5).fit(x)
    assert_close("min-max", low.transform(x), [[-2, -2, 5], [0, -2, -2], [5, -2, 1.5]], atol=1e-14)
    assert_close("beyond", low.transform([[15.0, 9.0, -1.0]]), [[12, -2, -5.5]], atol=1e-14)
    assert_close("back", low.inverse([[5.0, 3.0, 5.0]]), [[8, 4, 2]], atol=1e-14)
    assert_close("default", MinMaxScale().fit_transform(x)[:, 0], [0, 2 / 7, 1], atol=1e-15)
    for ddof, variance in ((0, 26 / 3), (1, 13)):
        y = Standardize(ddof=ddof).fit(x)
        assert_close("shift", y.shift_, [4, 4, 1], atol=1e-15)
        assert_close("factor", y.factor_, [variance**-0.5, 0, (2 / (3 - ddof)) ** -0.5], rtol=1e-15)
    assert_close("centre", Center().fit(x).transform([[5.0, 5.0, 5.0]]), [[1, 1, 4]], atol=1e-15)


def test_scaling_per_channel_by_hand() -> None:
    x = np.array([[[[0.0, 2.0]], [[10.0, 10.0]]], [[[4.0, 6.0]], [[10.0, 14.0]]]])  # 2 images, 2 channels, 1 x 2
    assert_close("mean", Center(per="channel").fit(x).shift_.reshape(-1), [3, 11])
    assert_close("min", MinMaxScale(per="channel").fit(x).shift_.reshape(-1), [0, 10])
    assert_close("range", MinMaxScale(per="channel").fit(x).factor_.reshape(-1), [1 / 6, 1 / 4])
    assert_close("n counts pixels", Standardize(per="channel", ddof=1).fit(x).factor_[1, 0, 0], 4**-0.5)
    assert Center().fit(x).shift_.shape == (2, 1, 2)
    assert Center(per="channel").fit(x).shift_.shape == (2, 1, 1)


# --- the helpers -----------------------------------------------------------------------------------------------------


def test_reciprocals_of_what_is_too_small_are_0() -> None:
    tiny = np.finfo(np.float64).tiny
    values = np.array([4.0, -4.0, 0.0, tiny, -tiny, tiny / 2, -tiny / 2])
    assert_close("1 / x", reciprocal(values), [0.25, -0.25, 0, 1 / tiny, -1 / tiny, 0, 0])


def test_the_mean_of_equal_values_is_exactly_that_value() -> None:
    x = np.full((10, 2), 0.1)
    x[:, 1] = np.arange(10)
    assert_close("mean", exact_mean(x, (0,)), [[0.1, 4.5]])
    assert_close("centred", Center().fit_transform(x)[:, 0], np.zeros(10))


def test_divisors_and_finite_numbers() -> None:
    assert (divisor(5, 0), divisor(5, 1), divisor(1, 0), divisor(2, 1)) == (5, 4, 1, 1)
    assert is_finite(1)
    assert is_finite(np.float32(2.5))
    assert not any(is_finite(value) for value in (np.inf, -np.inf, np.nan, "1", None, 1j))


def test_a_failed_fit_forgets_the_earlier_one_and_a_second_fit_replaces_it() -> None:
    step = MinMaxScale().fit([[0.0], [1.0]])
    with pytest.raises(DataError):
        step.fit([[np.nan]])  # refused before anything is learned
    assert_close("still", step.transform([[0.5]]), [[0.5]])
    pca = PCA(2).fit(MOVED)
    with pytest.raises(ArgumentError):
        pca.fit([[1.0], [2.0]])
    with pytest.raises(DataError, match="learned nothing yet"):
        pca.transform(MOVED)
    assert_close("new", step.fit([[0.0], [4.0]]).transform([[1.0]]), [[0.25]])


def test_steps_after_one_another() -> None:
    both = Compose([MinMaxScale(0, 2), Center()]).fit([[0.0], [4.0], [2.0]])
    assert_close("y", both.transform([[4.0], [1.0]]), [[1], [-0.5]])
    assert_close("x", both.inverse([[1.0], [-0.5]]), [[4], [1]])
    assert both.fit([[0.0], [1.0]]) is both


@pytest.mark.parametrize("steps", [[PCA(2)], [Center(), PCA(2)], [Center(), MinMaxScale(), PCA(2)], [PCA(2), Center()]])
def test_the_last_step_says_what_shape_comes_back(steps: list[Any]) -> None:
    plane = AXES[:, [1, 2, 0]] * [1, 1, 0]
    step = Compose(steps).fit(plane)
    assert_close("x", step.inverse(step.transform(plane)), plane, atol=1e-14)
    with pytest.raises(ShapeError, match=r"Compose was fitted for y of shape \(n, 2\), got \(6, 3\)"):
        step.inverse(plane)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Center(), "Center(per='feature')"),
        (Center(per="channel"), "Center(per='channel')"),
        (MinMaxScale(-1, 2), "MinMaxScale(-1.0, 2.0, per='feature')"),
        (Standardize(per="channel", ddof=1), "Standardize(per='channel', ddof=1)"),
        (PCA(), "PCA(n_components=None, ddof=0)"),
        (PCA(0.9, ddof=1), "PCA(n_components=0.9, ddof=1)"),
        (Whiten(), "Whiten('pca', epsilon=0.0, n_components=None, ddof=0)"),
        (Whiten("zca", epsilon=0.5, n_components=3, ddof=1), "Whiten('zca', epsilon=0.5, n_components=3, ddof=1)"),
        (Compose([Center(), PCA(2)]), "Compose([Center(per='feature'), PCA(n_components=2, ddof=0)])"),
    ],
)
def test_descriptions(step: Any, text: str) -> None:
    assert repr(step) == text


# --- sentences -------------------------------------------------------------------------------------------------------

BIG = np.array([[1e308], [-1e308]])
SENTENCES: list[tuple[Callable[[], Any], type[ChainruleError], str]] = [
    (lambda: Center().transform([[1]]), DataError, r"Center has learned nothing yet; call fit\(x\) with the training"),
    (lambda: Center().fit(np.eye(3)).transform(np.eye(2)), ShapeError, r"fitted for x of shape \(n, 3\), got \(2, 2\)"),
    (lambda: Center().fit(np.eye(3)).inverse(np.ones(3)), ShapeError, r"fitted for y of shape \(n, 3\), got \(3,\)"),
    (
        lambda: Center().fit(np.ones((2, 1, 2, 3))).transform(np.ones((2, 6))),
        ShapeError,
        r"fitted for x of shape \(n, 1, 2, 3\), got \(2, 6\)",
    ),
    (lambda: Center().fit(np.ones(3)), ShapeError, r"^x must be \(n, features\) or \(n, channels, .*got shape \(3,\)"),
    (lambda: Center().fit(np.ones((2, 3, 4))), ShapeError, r"got shape \(2, 3, 4\)"),
    (lambda: Center().fit(np.ones((0, 3))), DataError, r"^x is empty, shape \(0, 3\)"),
    (lambda: Center().fit([[1, np.inf]]), DataError, r"^x holds inf at index \[0, 1\]"),
    (lambda: Center().fit([["a"]]), DtypeError, r"^x must hold real numbers"),
    (lambda: Center().fit([[1.0]]).inverse([["a"]]), DtypeError, r"^y must hold real numbers"),
    (lambda: Center().fit([[1.0]]).transform([[np.nan]]), DataError, r"^x holds nan"),
    (lambda: Standardize().fit(BIG), NonFiniteError, r"^Standardize: values too large for float64 .*overflow.*divide"),
    (lambda: MinMaxScale().fit(BIG), NonFiniteError, r"^MinMaxScale: values too large for float64 arithmetic"),
    (lambda: Center(per="pixel"), ArgumentError, '^per must be "feature" or "channel", got \'pixel\'$'),  # type: ignore[arg-type]
    (lambda: Center(per="channel").fit(np.eye(2)), ShapeError, r'^per="channel" needs images .*got shape \(2, 2\)$'),
    (lambda: MinMaxScale(2, 1), ArgumentError, "^low must be smaller than high, both finite: got 2 and 1$"),
    (lambda: Standardize(ddof=2), ArgumentError, r"^ddof must be 0 \(divide by n\) or 1 .*got 2$"),
    (lambda: Standardize(ddof=1).fit([[1.0]]), DataError, r"^the divisor n - ddof = 1 - 1 must be positive; give more"),
    (lambda: PCA(4).fit(MOVED), ArgumentError, r"^n_components=4 is more than min\(n, features\) = 3$"),
    (lambda: PCA(0), ArgumentError, "^n_components must be None, an integer from 1, or a share .*got 0$"),
    (lambda: PCA(0.0), ArgumentError, "^n_components must be None, .*got 0.0$"),
    (lambda: PCA(True), ArgumentError, "^n_components must be None, .*got True$"),
    (lambda: Whiten("ica"), ArgumentError, '^kind must be "pca" or "zca", got \'ica\'$'),  # type: ignore[arg-type]
    (lambda: Whiten(epsilon=-1), ArgumentError, "^epsilon must be a finite number, 0 or larger, got -1$"),
    (lambda: Compose([]), ArgumentError, "^Compose needs at least one step$"),
    (lambda: Compose([1]), ArgumentError, "^every step of Compose must be a Preprocessor object, got 1$"),  # type: ignore[list-item]
    (
        lambda: Compose([(s := Center()), s]),
        ArgumentError,
        "^the same object stands twice in Compose; each step learns",
    ),
]


@pytest.mark.parametrize(("make", "error", "says"), SENTENCES)
def test_sentences_of_errors(make: Callable[[], Any], error: type[ChainruleError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        make()
    assert type(caught.value) is error
