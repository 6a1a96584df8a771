"""Backward passes as people write them, in plain loops, each with one ordinary slip: the slip is named."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, DataError, NameLookupError, ShapeError
from tests.helpers import Array

RNG = np.random.default_rng(5)
X, W = RNG.normal(size=(3, 2, 7, 8)), RNG.normal(size=(4, 2, 3, 3))
STRIDE, PAD = 2, 1
DY = RNG.normal(size=(3, 4, 4, 4))


def backward(slip: str = "") -> dict[str, Array]:
    """A convolution layer's backward pass, stride 2, padding 1, with one slip."""
    stride = 1 if slip == "forgot the stride" else STRIDE
    padded = (
        np.pad(X, ((0, 0), (0, 0), (PAD, PAD), (PAD, PAD)))
        if slip != "forgot to pad"
        else np.pad(X, ((0, 0), (0, 0), (0, 2), (0, 2)))
    )
    dx, dw, db = np.zeros_like(padded), np.zeros_like(W), np.zeros(4)
    for n in range(3):
        if slip == "zeroed per sample":
            dw[:], db[:] = 0, 0
        for o in range(4):
            for p in range(4):
                for q in range(4):
                    for i in range(3):
                        for j in range(3):
                            r, c = p * stride + i, q * stride + j
                            k = (2 - i, 2 - j) if slip == "kernel not rotated" else (i, j)
                            m = (j, i) if slip == "rows and columns of dw" else k
                            dx[n, :, r, c] += DY[n, o, p, q] * W[o, :, k[0], k[1]]
                            dw[o, :, m[0], m[1]] += DY[n, o, p, q] * padded[n, :, r, c]
                    db[o] += DY[n, o, p, q]
    if slip == "mean over the batch":
        dx, dw, db = dx / 3, dw / 3, db / 3
    if slip == "mean of the bias":
        db = db / (3 * 16)
    if slip == "two passes":
        dx, dw, db = 2 * dx, 2 * dw, 2 * db
    if slip == "minus":
        dx, dw, db = -dx, -dw, -db
    rows = slice(0, 7) if slip == "cropped on one side" else slice(1, 8)
    columns = slice(0, 8) if slip == "cropped on one side" else slice(1, 9)
    whole = slice(None)
    return {
        "dx": dx[:, :, whole, whole] if slip == "not cropped" else dx[:, :, rows, columns],
        "dweight": dw,
        "dbias": db,
    }


PLANTED = {
    "kernel not rotated": {"dx": "kernel_not_rotated", "dweight": "operands_exchanged"},
    "rows and columns of dw": {"dweight": "axes_exchanged"},
    "forgot to pad": {"dweight": "padding_forgotten"},
    "forgot the stride": {"dx": "stride_zeros_not_restored", "dweight": "stride_ignored"},
    "zeroed per sample": {"dweight": "one_sample_only", "dbias": "one_sample_only"},
    "mean over the batch": {"dx": "extra_mean", "dweight": "extra_mean", "dbias": "extra_mean"},
    "mean of the bias": {"dbias": "extra_mean"},
    "two passes": {"dx": "accumulated_twice", "dweight": "accumulated_twice", "dbias": "accumulated_twice"},
    "minus": {"dx": "sign_flipped", "dweight": "sign_flipped", "dbias": "sign_flipped"},
    "cropped on one side": {"dx": "padding_not_removed"},
    "not cropped": {"dx": "padding_not_removed"},
}


def judge(**given: Array) -> cr.Diagnosis:
    return cr.diagnose_conv2d(X, W, DY, **given, stride=STRIDE, padding=PAD)  # type: ignore[arg-type]


def test_the_loops_without_a_slip_are_right() -> None:
    report = judge(**backward())
    assert report.ok
    assert report.mistakes == {}
    assert str(report).count("is right") == 3


@pytest.mark.parametrize("slip", PLANTED)
def test_a_slip_in_the_loops_is_named(slip: str) -> None:
    report = judge(**backward(slip))
    assert report.mistakes == {n: (k,) for n, k in PLANTED[slip].items()}


def test_two_mistakes_at_once_are_both_named() -> None:
    given = backward("kernel not rotated")
    report = judge(dx=given["dx"] / 3, dweight=-given["dweight"])
    assert report.mistakes == {
        "dx": ("kernel_not_rotated+extra_mean",),
        "dweight": ("operands_exchanged+sign_flipped",),
    }


def test_the_report_says_what_where_why_and_the_right_formula() -> None:
    given = backward()["dweight"].copy()
    given[1, 0, 2, 2] += 5
    text = str(judge(dweight=given))
    assert (
        "1 of 72 numbers, the worst at [1,0,2,2] (out channel 1, in channel 0, kernel row 2, kernel column 2)" in text
    )
    assert (
        "Wrong only in out channel 1 of 0..3; in channel 0 of 0..1; kernel row 2 of 0..2; kernel column 2 of 0..2."
        in text
    )
    assert "No known mistake gives these numbers." in text
    assert "dw[o,d,i,j] = sum_{n,p,q} dy[n,o,p,q] x[n,d,pS+iD-P,qS+jD-P]" in text
    assert "S4-E28" in text
    turned = str(judge(dweight=backward()["dweight"][..., ::-1, ::-1]))
    assert "Likely mistake: The result is rotated by 180°" in turned
    assert "ER4-14" in turned


def test_a_mistake_that_several_slips_explain_names_all() -> None:
    """A batch of two: twice as much may be a missing 1/2 or a buffer that was not zeroed."""
    x, w, dy = X[:2], W, DY[:2]
    right = np.einsum("nopq->o", dy)
    report = cr.diagnose_conv2d(x, w, dy, dbias=2 * right, stride=2, padding=1)
    assert report["dbias"].mistakes == ("accumulated_twice", "missing_mean")
    assert "Each of these alone gives your numbers" in str(report)


def test_a_symmetric_kernel_hides_the_rotation_and_nobody_is_accused() -> None:
    symmetric = W + W[..., ::-1, ::-1]
    kernel = symmetric[..., ::-1, ::-1]
    dx = np.zeros((3, 2, 9, 10))
    for o in range(4):
        for p in range(4):
            for q in range(4):
                dx[:, :, 2 * p : 2 * p + 3, 2 * q : 2 * q + 3] += DY[:, o, p, q, None, None, None] * kernel[o]
    assert cr.diagnose_conv2d(X, symmetric, DY, dx=dx[:, :, 1:8, 1:9], stride=2, padding=1).ok


def test_er0_14_weights_updated_too_early_show_the_learning_rate() -> None:
    x, w, dy = RNG.normal(size=(4, 5)), RNG.normal(size=(3, 5)), RNG.normal(size=(4, 3))
    report = cr.diagnose_linear(x, w, dy, dx=dy @ (w - 0.5 * dy.T @ x))
    assert report.mistakes == {"dx": ("updated_weights",)}
    assert "learning rate of 0.5" in str(report)


def test_the_forgotten_slope_is_found_behind_a_layer() -> None:
    x, w, dy = RNG.normal(size=(4, 5)), RNG.normal(size=(3, 5)), RNG.normal(size=(4, 3))
    y = 1 / (1 + np.exp(-x @ w.T))
    z = x @ w.T
    for dz, key in (
        (dy, "slope_missing"),
        (dy * (y * (1 - y)) ** 2, "slope_twice"),
        (dy * z * (1 - z), "slope_from_z"),
    ):
        report = cr.diagnose_linear(x, w, dy, dx=dz @ w, dweight=dz.T @ x, dbias=dz.sum(0), activation="sigmoid")
        assert report.mistakes == dict.fromkeys(("dx", "dweight", "dbias"), (key,))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_the_precision_of_the_data_decides_what_is_wrong(dtype: Any) -> None:
    x, w, dy = (RNG.normal(size=s).astype(dtype) for s in ((4, 5), (3, 5), (4, 3)))
    dw = (dy.T.astype(np.float64) @ x).astype(dtype)
    assert cr.diagnose_linear(x, w, dy, dweight=dw).ok
    assert cr.diagnose_linear(x, w, dy, dweight=-dw).mistakes == {"dweight": ("sign_flipped",)}
    off = dw.astype(np.float64) * (1 + 1e-4)
    assert cr.diagnose_linear(x, w, dy, dweight=off).ok == (dtype is np.float16)
    assert cr.diagnose_linear(x, w, dy, dweight=off, tolerance=1e-3).ok


def test_what_rounding_hides_is_not_called_right() -> None:
    """In float16 a sum of 64 terms may be off by a few per cent: a mistake of 2 % cannot be told from rounding."""
    rng = np.random.default_rng(0)
    x, w, dy = (rng.normal(size=s).astype(np.float16) for s in ((64, 20), (10, 20), (64, 10)))
    wrong = dy.T.astype(np.float64) @ x.astype(np.float64) * 1.02
    report = cr.diagnose_linear(x, w, dy, dweight=wrong.astype(np.float16))
    assert report.ok
    assert "is right" not in str(report)
    assert "no mistake can be seen in it" in str(report)
    assert re.search(r"rounding alone may explain [\d.]+ % of the largest number", str(report))
    assert "float64" in str(report)
    assert report["dweight"].hidden > 0.02
    exact = cr.diagnose_linear(*(a.astype(np.float64) for a in (x, w, dy)), dweight=wrong / 1.02)
    assert "dweight is right: largest difference" in str(exact)
    assert exact["dweight"].hidden < 1e-10


def test_nan_and_wrong_shapes_are_said() -> None:
    x, w, dy = RNG.normal(size=(4, 5)), RNG.normal(size=(3, 5)), RNG.normal(size=(4, 3))
    dw = dy.T @ x
    dw[1, 2] = np.nan
    assert "it holds nan at [1,2] (output 1, input 2)" in str(cr.diagnose_linear(x, w, dy, dweight=dw))
    text = str(cr.diagnose_linear(x, w, dy, dweight=x.T @ dy))
    assert "its shape is 5x3, not 3x5" in text
    assert "The axes are in the wrong order: (input, output)" in text


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: cr.diagnose_conv2d(X, W, DY, stride=2, padding=1), ArgumentError, "at least one gradient"),
        (lambda: cr.diagnose_conv2d(X, W, DY, dx=X), ShapeError, r"dy must have shape \(3, 4, 5, 6\)"),
        (lambda: cr.diagnose_conv2d(X[0], W, DY, dx=X), ShapeError, "x must have 4 axes"),
        (lambda: cr.diagnose_conv2d(X, W, DY, dx=X, groups=2), ShapeError, "groups=2 does not fit"),
        (lambda: cr.diagnose_conv2d(X, W, DY, dx=X, mode="flip"), ArgumentError, "mode"),  # type: ignore[arg-type]
        (lambda: cr.diagnose_conv2d(X * np.nan, W, DY, dx=X), DataError, "x holds nan"),
        (lambda: cr.diagnose_activation(X, X, dx=X, activation="sigmoids"), NameLookupError, "did you mean 'sigmoid'"),
        (lambda: cr.diagnose_linear(X[0, 0], W[0, 0], X[0, 0], dx=X), ShapeError, "does not fit x"),
        (lambda: cr.diagnose_pool2d(X, DY, dx=X, kernel_size=2, kind="sum"), ArgumentError, "kind"),  # type: ignore[arg-type]
        (lambda: cr.diagnose_loss(X[0, 0], [0], doutputs=X, loss="mse"), ArgumentError, "loss must be"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_arrays_that_do_not_belong_together_are_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_the_report_becomes_json() -> None:
    import json

    plain = judge(**backward("minus")).to_dict()
    assert json.loads(json.dumps(plain))["tensors"][0]["findings"][0]["key"] == "sign_flipped"


def test_small_factors_are_told_apart_in_float32() -> None:
    """With thousands of terms 1/6400, 1/64² and 0 are all small; they are not the same mistake."""
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(64, 1, 11, 11)).astype(np.float32), rng.normal(size=(4, 1, 2, 2)).astype(np.float32)
    dy = rng.normal(size=(64, 4, 10, 10)).astype(np.float32)
    for given, said in (
        (dy.mean(axis=(0, 2, 3)), "batch size times places (6400)"),
        (dy.sum(axis=(0, 2, 3)) / 64**2, "the square of the batch size"),
        (np.zeros(4, np.float32), "never written"),
    ):
        report = cr.diagnose_conv2d(x, w, dy, dbias=given)
        assert len(report["dbias"].findings) == 1
        assert said in str(report)
    nonsense = rng.normal(size=4).astype(np.float32) * np.float32(1e-3)
    assert cr.diagnose_conv2d(x, w, dy, dbias=nonsense)["dbias"].mistakes == ()
