"""The identities that S4's derivations rest on, each as a function that returns its two sides.

Equal sides, whatever conforming matrices go in: `IDENTITIES` lists them for the tests, and for readers with
numbers of their own. G stands for dJ/dZ, (n_l, m); the other shapes are those of `matrix_calculus`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from chainrule.arrays import Array
from chainrule.equations.derivations.matrix_calculus import vec

Sides: TypeAlias = tuple[Any, Any]


def total_differential(G: Array, dZ: Array) -> Sides:
    """dJ = sum_ij G_ij dZ_ij = tr(Gᵀ dZ) (S4-E05; the sums run to n_l and m, ER4-28)."""
    return (G * dZ).sum(), np.trace(G.T @ dZ)


def differential_of_input(G: Array, W: Array, dA: Array) -> Sides:
    """<G, W dA> = tr(Gᵀ W dA), with W and b held fixed (S4-E06)."""
    return (G * (W @ dA)).sum(), np.trace(G.T @ W @ dA)


def differential_of_weight(G: Array, dW: Array, A: Array) -> Sides:
    """tr(Gᵀ dW A) = tr((G Aᵀ)ᵀ dW) (S4-E19)."""
    return np.trace(G.T @ dW @ A), np.trace((G @ A.T).T @ dW)


def differential_of_bias(G: Array, db: Array) -> Sides:
    """tr(Gᵀ db 1) = tr((G 1)ᵀ db), with 1 a row on the left and a column on the right (S4-E21, S4-E22, S4-E23)."""
    ones = np.ones((1, G.shape[1]))
    return np.trace(G.T @ (db @ ones)), np.trace((G @ ones.T).T @ db)


def transposed_product(A: Array, B: Array) -> Sides:
    """(A B)ᵀ = Bᵀ Aᵀ (S4-E39)."""
    return (A @ B).T, B.T @ A.T


def vec_of_product(A: Array, B: Array, C: Array) -> Sides:
    """vec(A B C) = (Cᵀ ⊗ A) vec(B) (S4-E39)."""
    return vec(A @ B @ C), np.kron(C.T, A) @ vec(B)


def vec_of_weight_differential(dW: Array, A: Array) -> Sides:
    """vec(dW A) = (Aᵀ ⊗ I) vec(dW) (S4-E12, ER4-06)."""
    return vec(dW @ A), np.kron(A.T, np.eye(dW.shape[0])) @ vec(dW)


def transposed_kronecker(A: Array, B: Array) -> Sides:
    """(A ⊗ B)ᵀ = Aᵀ ⊗ Bᵀ (S4-E39)."""
    return np.kron(A, B).T, np.kron(A.T, B.T)


def cyclic_trace(A: Array, B: Array, C: Array) -> Sides:
    """tr(A B C) = tr(C A B) (S4-E39)."""
    return np.trace(A @ B @ C), np.trace(C @ A @ B)


IDENTITIES: dict[str, tuple[Callable[..., Sides], tuple[str, ...]]] = {
    "total_differential": (total_differential, ("nm", "nm")),
    "differential_of_input": (differential_of_input, ("nm", "nk", "km")),
    "differential_of_weight": (differential_of_weight, ("nm", "nk", "km")),
    "differential_of_bias": (differential_of_bias, ("nm", "n1")),
    "transposed_product": (transposed_product, ("nk", "km")),
    "vec_of_product": (vec_of_product, ("nk", "km", "mn")),
    "vec_of_weight_differential": (vec_of_weight_differential, ("nk", "km")),
    "transposed_kronecker": (transposed_kronecker, ("nk", "mn")),
    "cyclic_trace": (cyclic_trace, ("nk", "km", "mn")),
}
"""Every identity with the shapes of its arguments: n outputs, k inputs, m samples."""
