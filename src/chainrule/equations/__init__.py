"""The equations: every formula of the library as a pure NumPy function, one file per family.

This is the truth that the layers are built from and the engines are compared with: arrays in, arrays out,
nothing kept. Each docstring is the equation, the shapes and the ID of its source (S0 to S4; ER: an erratum).

    convolution         both sliding operations; the convolution layer and its three gradients
    dense, rbf, local   the other layers with weights
    activations, losses, pooling, normalization, dropout
    layout, counts, connection_tables   axis orders; what a layer costs; which maps LeNet-5's C3 sees

`derivations` holds the other forms in which the sources write the same: sums over indices, matrices, vec and trace.
"""

from __future__ import annotations

from chainrule.equations import activations
from chainrule.equations.activations import *  # noqa: F403  what its __all__ lists
from chainrule.equations.connection_tables import LENET5_C3_TABLE, connection_table
from chainrule.equations.convolution import (
    Convention,
    conv2d_backward_bias,
    conv2d_backward_input,
    conv2d_backward_weight,
    conv2d_forward,
    convolve,
    crop,
    cross_correlate,
    pad,
    rot180,
    scatter_windows,
    window_of,
    windows_of,
    zero_restore,
)
from chainrule.equations.counts import (
    convolution_connections,
    convolution_parameters,
    dense_parameters,
    local_parameters,
    participation_map,
    placements,
    pool_connections,
    ring_width,
    table_parameters,
)
from chainrule.equations.dense import (
    linear_backward_bias,
    linear_backward_input,
    linear_backward_shared_bias,
    linear_backward_weight,
    linear_forward,
)
from chainrule.equations.layout import LAYOUTS, convert_layout, flat_order, flatten_maps
from chainrule.equations.local import local_backward_bias, local_backward_weight, local_backward_windows, local_forward
from chainrule.equations.losses import (
    binary_cross_entropy,
    binary_cross_entropy_gradient,
    cross_entropy,
    cross_entropy_gradient,
    half_squared_error,
    half_squared_error_gradient,
    log_softmax,
    maximum_a_posteriori,
    maximum_a_posteriori_gradient,
    squared_error,
    squared_error_gradient,
)
from chainrule.equations.normalization import (
    batch_statistics,
    channel_window_sum,
    local_response_norm,
    local_response_norm_backward,
    local_response_scale,
    normalize,
    normalize_backward_batch,
    normalize_backward_running,
    scale_and_shift,
    scale_and_shift_backward,
)
from chainrule.equations.pooling import (
    adaptive_mean_matrix,
    adaptive_mean_pool,
    adaptive_mean_pool_backward,
    gaussian_weights,
    lp_pool,
    lp_pool_backward,
    max_pool,
    max_pool_backward,
    mean_weights,
    trainable_pool,
    trainable_pool_backward,
    weighted_pool,
    weighted_pool_backward,
)
from chainrule.equations.rbf import rbf_backward_input, rbf_backward_weight, rbf_forward

__all__ = [
    "LAYOUTS",
    "LENET5_C3_TABLE",
    "Convention",
    "adaptive_mean_matrix",
    "adaptive_mean_pool",
    "adaptive_mean_pool_backward",
    "batch_statistics",
    "binary_cross_entropy",
    "binary_cross_entropy_gradient",
    "channel_window_sum",
    "connection_table",
    "conv2d_backward_bias",
    "conv2d_backward_input",
    "conv2d_backward_weight",
    "conv2d_forward",
    "convert_layout",
    "convolution_connections",
    "convolution_parameters",
    "convolve",
    "crop",
    "cross_correlate",
    "cross_entropy",
    "cross_entropy_gradient",
    "dense_parameters",
    "flat_order",
    "flatten_maps",
    "gaussian_weights",
    "half_squared_error",
    "half_squared_error_gradient",
    "linear_backward_bias",
    "linear_backward_input",
    "linear_backward_shared_bias",
    "linear_backward_weight",
    "linear_forward",
    "local_backward_bias",
    "local_backward_weight",
    "local_backward_windows",
    "local_forward",
    "local_parameters",
    "local_response_norm",
    "local_response_norm_backward",
    "local_response_scale",
    "log_softmax",
    "lp_pool",
    "lp_pool_backward",
    "max_pool",
    "max_pool_backward",
    "maximum_a_posteriori",
    "maximum_a_posteriori_gradient",
    "mean_weights",
    "normalize",
    "normalize_backward_batch",
    "normalize_backward_running",
    "pad",
    "participation_map",
    "placements",
    "pool_connections",
    "rbf_backward_input",
    "rbf_backward_weight",
    "rbf_forward",
    "ring_width",
    "rot180",
    "scale_and_shift",
    "scale_and_shift_backward",
    "scatter_windows",
    "squared_error",
    "squared_error_gradient",
    "table_parameters",
    "trainable_pool",
    "trainable_pool_backward",
    "weighted_pool",
    "weighted_pool_backward",
    "window_of",
    "windows_of",
    "zero_restore",
]
__all__ += activations.__all__
