"""The dense layer with one sample per column, and its gradients by matrix calculus (S4).

Shapes: W (n_l, n_{l-1}), b (n_l, 1), A (n_{l-1}, m), Z and dZ (n_l, m) for m samples. d<name> is dJ/d<name>.
If J is a mean over the samples, the 1/m is already in dZ (ER4-27). vec stacks columns, so that vec(ABC) = (Cᵀ
⊗ A) vec(B). Derivatives of a matrix by a matrix make sense in this vec form only (ER4-04).
"""

from __future__ import annotations

import numpy as np

from chainrule.arrays import Array
from chainrule.shapes import Pair


def columns_forward(W: Array, A: Array, b: Array) -> Array:
    """Z = W A + b 1, with 1 a row of m ones (S4-E38)."""
    return W @ A + b @ np.ones((1, A.shape[1]))


def columns_backward_input(W: Array, dZ: Array) -> Array:
    """dA = Wᵀ dZ (S4-E08; S4-E09 one layer on)."""
    return W.T @ dZ


def columns_backward_weight(dZ: Array, A: Array) -> Array:
    """dW = dZ Aᵀ, (n_l, n_{l-1}) (S4-E18, S4-E20)."""
    return dZ @ A.T


def columns_backward_bias(dZ: Array) -> Array:
    """db = dZ 1, with 1 a column of m ones (S4-E24). (n_l, 1)."""
    return dZ @ np.ones((dZ.shape[1], 1))


def columns_backward_bias_sum(dZ: Array) -> Array:
    """db = the sum of the columns of dZ, the way S4-E24 is programmed. (n_l, 1)."""
    db: Array = dZ.sum(axis=1, keepdims=True)
    return db


def hadamard_chain(dA: Array, slope: Array) -> Array:
    """dZ = dA ⊙ g'(Z) (S4-E04, S4-E10). `slope` is g'(Z)."""
    return dA * slope


def diagonal_jacobian(slope: Array) -> Array:
    """d vec(A) / d vec(Z) = diag(vec(g'(Z))): vec(dZ) = that times vec(dA), for any m (S4-E10 as ER4-05
    corrects it)."""
    return np.diag(vec(slope)[:, 0])


def columns_delta_before(W: Array, dZ: Array, slope: Array) -> Array:
    """dZ^[l] = (W^[l+1]ᵀ dZ^[l+1]) ⊙ g'(Z^[l]): the recursion from layer to layer (S4-E11)."""
    return hadamard_chain(columns_backward_input(W, dZ), slope)


def vec(M: Array) -> Array:
    """Stack the columns: (r, c) -> (r c, 1)."""
    return M.reshape(-1, 1, order="F")


def unvec(v: Array, shape: Pair) -> Array:
    """Undo `vec`."""
    return v.reshape(shape, order="F")


def weight_jacobian(A: Array, outputs: int) -> Array:
    """d vec(Z) / d vec(W) = Aᵀ ⊗ I, (n_l m) x (n_l n_{l-1}) (S4-E12, S4-E13; from dZ = dW A, ER4-06)."""
    return np.kron(A.T, np.eye(outputs))


def input_jacobian(W: Array, samples: int) -> Array:
    """d vec(Z) / d vec(A) = I ⊗ W, from dZ = W dA."""
    return np.kron(np.eye(samples), W)


def bias_jacobian(outputs: int, samples: int) -> Array:
    """d vec(Z) / d b = 1 ⊗ I with 1 a column of m ones, from dZ = db 1 (S4-E21, S4-X01)."""
    return np.kron(np.ones((samples, 1)), np.eye(outputs))


def through_vec_jacobian(jacobian: Array, dZ: Array) -> Array:
    """dJ / d vec(V) = (d vec(Z) / d vec(V))ᵀ vec(dZ) (S4-E03, S4-E14)."""
    return jacobian.T @ vec(dZ)


def vec_weight_gradient_transposed(dZ: Array, A: Array) -> Array:
    """vec(dW) = (Aᵀ ⊗ I)ᵀ vec(dZ) (S4-E15)."""
    return through_vec_jacobian(weight_jacobian(A, dZ.shape[0]), dZ)


def vec_weight_gradient(dZ: Array, A: Array) -> Array:
    """vec(dW) = (A ⊗ I) vec(dZ) (S4-E16)."""
    return np.kron(A, np.eye(dZ.shape[0])) @ vec(dZ)


def vec_weight_gradient_product(dZ: Array, A: Array) -> Array:
    """vec(dW) = vec(I dZ Aᵀ) (S4-E17 with the vec that ER4-08 adds)."""
    return vec(np.eye(dZ.shape[0]) @ dZ @ A.T)


def vec_bias_gradient(dZ: Array) -> Array:
    """db = (1 ⊗ I) vec(dZ) with 1 a row of m ones: the answer to S4's exercise (S4-X01)."""
    return np.kron(np.ones((1, dZ.shape[1])), np.eye(dZ.shape[0])) @ vec(dZ)


def vec_input_gradient(W: Array, dZ: Array) -> Array:
    """vec(dA) = (I ⊗ Wᵀ) vec(dZ): S4-E08 by the vec method."""
    return through_vec_jacobian(input_jacobian(W, dZ.shape[1]), dZ)


def input_gradient_from_trace(G: Array, W: Array) -> Array:
    """dJ = tr(Gᵀ W dA) names its gradient: dA-gradient = (Gᵀ W)ᵀ (S4-E06, S4-E07)."""
    return (G.T @ W).T
