"""Preprocessing: the worked numbers of W14, the equations, what does not vary, and unusable input."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chainrule.errors import ArgumentError, ChainruleError, DataError, DtypeError, NonFiniteError, ShapeError
from chainrule.preprocessing import PCA, Center, Compose, MinMaxScale, Standardize, Whiten

W14 = np.array([[0.0, 0.0], [10.0, 10000.0], [5.0, 2500.0], [2.5, 7500.0]])
W14_MIN_MAX = np.array([[0.0, 0.0], [1.0, 1.0], [0.5, 0.25], [0.25, 0.75]])
EVERY_KIND = [
    Center(),
    MinMaxScale(),
    MinMaxScale(-1, 1),
    Standardize(),
    Standardize(ddof=1),
    PCA(),
    Whiten("pca"),
    Whiten("zca"),
    Whiten("zca", epsilon=0.1, ddof=1),
    Compose([Center(), MinMaxScale(), Whiten("zca")]),
]
ON_IMAGES = [*EVERY_KIND, Center(per="channel"), MinMaxScale(per="channel"), Standardize(per="channel")]

every_kind = pytest.mark.parametrize("step", EVERY_KIND, ids=repr)
on_images = pytest.mark.parametrize("step", ON_IMAGES, ids=repr)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 3 + 7


# --- the worked example ---


def test_W14_centring() -> None:
    center = Center().fit(W14)
    np.testing.assert_array_equal(center.shift_, [4.375, 5000])
    np.testing.assert_array_equal(
        center.transform(W14), [[-4.375, -5000], [5.625, 5000], [0.625, -2500], [-1.875, 2500]]
    )


def test_W14_min_max() -> None:
    np.testing.assert_array_equal(MinMaxScale().fit_transform(W14), W14_MIN_MAX)


@pytest.mark.parametrize(
    ("ddof", "eigenvalues"),
    [(0, [0.2562944749755516, 0.03667427502444845]), (1, [0.34172596663406873, 0.048899033365931266])],
)
def test_W14_eigenvalues_for_both_divisors(ddof: int, eigenvalues: list[float]) -> None:
    pca = PCA(ddof=ddof).fit(W14_MIN_MAX)
    np.testing.assert_allclose(pca.variances_, eigenvalues, rtol=1e-14)


def test_W14_covariance_and_eigenvectors() -> None:
    pca = PCA().fit(W14_MIN_MAX)
    covariance = pca.components_.T @ np.diag(pca.variances_) @ pca.components_
    np.testing.assert_allclose(covariance, [[0.13671875, 0.109375], [0.109375, 0.15625]], rtol=1e-14)
    expected = [  # the source leaves the sign open; ours makes the largest entry positive
        [0.6749326122012088, 0.7378793729243641],
        [0.7378793729243641, -0.6749326122012088],
    ]
    np.testing.assert_allclose(pca.components_, expected, rtol=1e-13)


@pytest.mark.parametrize("kind", ["pca", "zca"])
@pytest.mark.parametrize("ddof", [0, 1])
def test_W14_whitened_covariance_is_the_identity(kind: str, ddof: int) -> None:
    white = Whiten(kind, ddof=ddof).fit_transform(W14_MIN_MAX)
    np.testing.assert_allclose(np.cov(white.T, ddof=ddof), np.eye(2), atol=1e-14)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-15)


# --- equations and the common contract ---


@every_kind
def test_inverse_leads_back(step: Center) -> None:
    x = normal(20, 4)
    np.testing.assert_allclose(step.inverse(step.fit_transform(x)), x, rtol=1e-12)


@on_images
def test_inverse_leads_back_on_images(step: Center) -> None:
    x = normal(40, 2, 3, 3)
    y = step.fit_transform(x)
    np.testing.assert_allclose(step.inverse(y), x, rtol=1e-11)


@every_kind
def test_fit_uses_the_training_data_alone_and_leaves_its_input_as_it_was(step: Center) -> None:
    train, other = normal(20, 3), normal(5, 3, seed=1)
    kept = train.copy(), other.copy()
    together = step.fit(train).transform(np.concatenate([train, other]))
    np.testing.assert_allclose(step.transform(other), together[20:], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(train, kept[0])
    np.testing.assert_array_equal(other, kept[1])


@every_kind
def test_result_is_float64_for_every_input_type(step: Center) -> None:
    whole = np.random.default_rng(0).integers(0, 255, (20, 3))
    expected = step.fit_transform(whole.astype(np.float64))
    for dtype in (np.uint8, np.float32, np.int64):
        y = step.fit_transform(whole.astype(dtype))
        assert y.dtype == np.float64
        np.testing.assert_array_equal(y, expected)


def test_standardize_divides_by_the_chosen_divisor() -> None:
    x = normal(10, 3)
    for ddof in (0, 1):
        y = Standardize(ddof=ddof).fit_transform(x)
        np.testing.assert_allclose(y, (x - x.mean(0)) / x.std(0, ddof=ddof), rtol=1e-12)


def test_per_channel_uses_all_pixels_of_a_channel() -> None:
    x = normal(6, 3, 4, 5)
    y = Standardize(per="channel").fit_transform(x)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-13)
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), 1, rtol=1e-13)
    assert not np.allclose(y.mean(axis=0), 0)


def test_min_max_reaches_its_limits_and_goes_beyond_them_on_other_data() -> None:
    scale = MinMaxScale(-1, 3).fit([[0.0], [10.0]])
    np.testing.assert_allclose(scale.transform([[0.0], [5.0], [10.0], [20.0]]), [[-1], [1], [3], [7]])


def test_images_and_flat_features_give_the_same_numbers() -> None:
    x = normal(30, 2, 3, 2)
    for step in (Standardize(), Whiten("zca"), Whiten("pca"), PCA(5)):
        flat = step.fit_transform(x.reshape(30, -1))
        np.testing.assert_allclose(step.fit_transform(x).reshape(30, -1), flat, rtol=1e-12)


def test_pca_keeps_the_asked_components_and_shares() -> None:
    x = normal(50, 4) * [10, 5, 1, 0.1]
    full = PCA().fit(x)
    assert full.variance_shares_.sum() == pytest.approx(1)
    np.testing.assert_allclose(full.components_ @ full.components_.T, np.eye(4), atol=1e-14)
    assert PCA(2).fit_transform(x).shape == (50, 2)
    share = float(full.variance_shares_[:2].sum())
    assert len(PCA(share - 1e-9).fit(x).components_) == 2
    assert len(PCA(share + 1e-9).fit(x).components_) == 3


def test_pca_drops_the_least_variance() -> None:
    x = normal(50, 4)
    pca = PCA(2).fit(x)
    error = np.square(pca.inverse(pca.transform(x)) - x).sum() / len(x)
    assert error == pytest.approx(PCA().fit(x).variances_[2:].sum())


def test_fewer_samples_than_features_gives_the_same_directions_as_the_covariance() -> None:
    x = normal(5, 9)
    values, vectors = np.linalg.eigh(np.cov(x.T, ddof=0))
    pca = PCA().fit(x)
    assert pca.components_.shape == (5, 9)
    np.testing.assert_allclose(pca.variances_[:4], values[::-1][:4], rtol=1e-12)
    assert pca.variances_[4] == 0
    np.testing.assert_allclose(np.abs(pca.components_[:4] @ vectors[:, ::-1][:, :4]), np.eye(4), atol=1e-12)


def test_sign_of_an_eigenvector_does_not_depend_on_the_order_of_samples() -> None:
    x = normal(30, 6)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(30)
        np.testing.assert_allclose(PCA().fit(x[order]).components_, PCA().fit(x).components_, atol=1e-12)
    tied = PCA().fit([[1.0, -1.0], [-1.0, 1.0]])  # both entries of the first direction are equally large
    assert tied.components_[0] == pytest.approx([np.sqrt(0.5), -np.sqrt(0.5)])


def test_zca_stays_closest_to_the_data_and_epsilon_damps() -> None:
    x = normal(200, 3)
    pca, zca = (Whiten(kind).fit_transform(x) for kind in ("pca", "zca"))
    centred = x - x.mean(axis=0)
    assert np.square(zca - centred).sum() <= np.square(pca - centred).sum()
    damped = Whiten("pca", epsilon=0.5).fit(x)
    expected = damped.variances_ / (damped.variances_ + 0.5)
    np.testing.assert_allclose(damped.transform(x).var(axis=0), expected, rtol=1e-12)


def test_compose_applies_its_steps_in_order() -> None:
    x = normal(12, 3)
    both = Compose([MinMaxScale(), Center()])
    np.testing.assert_array_equal(both.fit_transform(x), Center().fit_transform(MinMaxScale().fit_transform(x)))
    assert Compose([Standardize(), PCA(2)]).fit_transform(normal(9, 2, 2, 2)).shape == (9, 2)


def test_fit_again_forgets_the_first_fit() -> None:
    step = Standardize().fit(normal(5, 3))
    y = step.fit_transform(normal(6, 2, seed=2))
    np.testing.assert_array_equal(y, Standardize().fit_transform(normal(6, 2, seed=2)))


# --- what does not vary ---


@every_kind
@pytest.mark.parametrize("rows", [2, 7])
def test_constant_features_give_finite_results_and_come_back(step: Center, rows: int) -> None:
    x = np.full((rows, 3), 0.1)  # the mean of seven times 0.1 is not 0.1 in floating point
    y = step.fit_transform(x)
    assert np.isfinite(y).all()
    np.testing.assert_allclose(step.inverse(y), x, rtol=1e-15)
    assert len(np.unique(y)) == 1


def test_ER3_17_range_zero_variance_zero_and_eigenvalue_zero() -> None:
    x = np.column_stack([normal(8, 1), np.full(8, 0.3)])
    np.testing.assert_array_equal(MinMaxScale(2, 3).fit_transform(x)[:, 1], 2)
    np.testing.assert_array_equal(Standardize().fit_transform(x)[:, 1], 0)
    np.testing.assert_array_equal(Center().fit_transform(x)[:, 1], 0)
    assert PCA().fit(x).variances_[1] == 0
    np.testing.assert_array_equal(Whiten("pca").fit_transform(x)[:, 1], 0)


def test_whitening_leaves_out_directions_that_never_vary_on_other_data_too() -> None:
    doubled = np.repeat(normal(20, 1), 2, axis=1)
    white = Whiten("zca").fit(doubled)
    moved = doubled + np.array([1.0, -1.0])  # along the direction with eigenvalue 0
    np.testing.assert_allclose(white.transform(moved), white.transform(doubled), atol=1e-12)


def test_a_single_sample_is_all_mean() -> None:
    for step in (Center(), Standardize(), PCA(), Whiten("zca")):
        np.testing.assert_array_equal(step.fit_transform([[0.1, 5.0]]), np.zeros_like(step.transform([[0.1, 5.0]])))


def test_values_too_large_to_compute_with_are_refused() -> None:
    for step in (Center(), MinMaxScale(), Standardize(), PCA(), Whiten("zca")):
        with pytest.raises(NonFiniteError, match="too large"):
            step.fit_transform([[1.7e308], [-1.7e308], [1.7e308]])
    for step in (Standardize(), PCA(), Whiten("zca")):
        with pytest.raises(NonFiniteError, match="too large"):
            step.fit([[1e200], [-1e200]])


def test_values_too_small_to_divide_by_count_as_constant() -> None:
    for step in (MinMaxScale(), Standardize()):
        assert np.isfinite(step.fit_transform([[0.0], [5e-324]])).all()


# --- input that cannot be used ---


@every_kind
def test_unusable_data_are_refused(step: Center) -> None:
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(DataError, match=r"\[1, 0\]"):
            step.fit([[1.0, 2.0], [bad, 3.0]])
    for shape in ((0, 3), (3, 0)):
        with pytest.raises(DataError, match="empty"):
            step.fit(np.zeros(shape))
    for shape in ((), (3,), (2, 2, 2), (1, 1, 1, 1, 1)):
        with pytest.raises(ShapeError, match="features"):
            step.fit(np.zeros(shape))
    for kind in (np.array([["a"]]), np.array([[1j]]), np.array([[None]])):
        with pytest.raises(DtypeError):
            step.fit(kind)


@on_images
def test_transform_and_inverse_check_what_fit_saw(step: Center) -> None:
    step.fit(normal(40, 2, 3, 3))
    for x in (normal(4, 2, 3, 4), normal(4, 18), normal(2, 3, 3)):
        with pytest.raises(ShapeError, match="fitted for x"):
            step.transform(x)
    with pytest.raises(ShapeError, match="fitted for y"):
        step.inverse(normal(4, 17))
    with pytest.raises(DataError):
        step.transform(np.full((1, 2, 3, 3), np.nan))
    with pytest.raises(DataError):
        step.transform(np.zeros((0, 2, 3, 3)))


@pytest.mark.parametrize("step", [Center(), MinMaxScale(), Standardize(), PCA(), Whiten(), Compose([PCA()])], ids=repr)
def test_transform_before_fit_says_what_to_do(step: Center) -> None:
    for call in (step.transform, step.inverse):
        with pytest.raises(DataError, match=r"call fit\(x\)"):
            call([[1.0]])
    with pytest.raises(DataError):
        step.fit([[np.nan]])
    with pytest.raises(DataError, match=r"call fit\(x\)"):
        step.transform([[1.0]])


@pytest.mark.parametrize(
    "make",
    [
        lambda: Center(per="pixel"),  # type: ignore[arg-type]
        lambda: MinMaxScale(1, 1),
        lambda: MinMaxScale(0, np.inf),
        lambda: MinMaxScale("0", 1),  # type: ignore[arg-type]
        lambda: Standardize(ddof=2),
        lambda: PCA(0),
        lambda: PCA(-1),
        lambda: PCA(1.0),
        lambda: PCA(1.5),
        lambda: PCA(True),
        lambda: PCA("2"),  # type: ignore[arg-type]
        lambda: PCA(4).fit(np.eye(3)),
        lambda: Whiten("cholesky"),  # type: ignore[arg-type]
        lambda: Whiten(epsilon=-1e-9),
        lambda: Whiten(epsilon=np.nan),
        lambda: Compose([]),
        lambda: Compose([Center]),  # type: ignore[list-item]
        lambda: Compose([(step := Center()), step]),
    ],
)
def test_options_out_of_range_are_refused(make: object) -> None:
    with pytest.raises(ArgumentError):
        make()  # type: ignore[operator]


def test_per_channel_needs_images_and_ddof_needs_samples() -> None:
    with pytest.raises(ShapeError, match="channel"):
        Standardize(per="channel").fit(np.eye(3))
    for step in (Standardize(ddof=1), PCA(ddof=1), Whiten(ddof=1)):
        with pytest.raises(DataError, match="ddof"):
            step.fit([[1.0, 2.0]])


finite = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=finite))
def test_any_finite_data_give_finite_results(x: np.ndarray) -> None:
    for step in (Center(), MinMaxScale(), Standardize(), PCA(), Whiten("zca", epsilon=1e-3)):
        y = step.fit_transform(x)
        assert np.isfinite(y).all()
        assert np.isfinite(step.inverse(y)).all()


@given(st.lists(st.lists(st.floats() | st.none() | st.text(max_size=1), max_size=3), max_size=3))
def test_nothing_but_a_chainrule_error_escapes(rows: list[list[object]]) -> None:
    for step in (MinMaxScale(), Whiten("zca")):
        with contextlib.suppress(ChainruleError):
            assert np.isfinite(step.fit_transform(rows)).all()  # type: ignore[arg-type]
