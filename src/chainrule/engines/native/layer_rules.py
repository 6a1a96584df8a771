"""What each layer becomes in a native program."""

from __future__ import annotations

from typing import Any

from chainrule.engines.native.convolution_rules import CONVOLUTION, axes
from chainrule.engines.native.lowering import NOWHERE, Lowering, Rules, relu_after_pool
from chainrule.engines.native.program import Slot
from chainrule.graph import Step
from chainrule.layers import (
    RBF,
    AdaptiveAvgPool2d,
    Add,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dropout,
    GaussianPool2d,
    Layer,
    LeakyReLU,
    Linear,
    LocallyConnected2d,
    LocalResponseNorm,
    LPPool2d,
    MaxPool2d,
    ReLU,
    ScaledTanh,
    Sigmoid,
    Softmax,
    Tanh,
    TrainablePool2d,
)
from chainrule.shapes import product

# --- locally connected -------------------------------------------------------------------------------------------


def _local(low: Lowering, step: Step, name: str, label: str, **places: Any) -> None:
    layer = step.layer
    assert isinstance(layer, LocallyConnected2d)
    (rows, columns), _ = axes(layer.window, (step.input_shapes[0][1], step.input_shapes[0][2]))
    fields = {"x": NOWHERE, "y": NOWHERE, "dx": NOWHERE, "dy": NOWHERE, "raw_weight": None, "raw_bias": None} | places
    fields |= {"weight": low.parameter(step, "weight"), "bias": low.parameter(step, "bias")}
    fields |= {"in": layer.in_channels, "out": layer.out_channels, "rows": rows, "columns": columns}
    low.program.emit(name, label, **fields)


def _local_forward(low: Lowering, step: Step) -> None:
    _local(low, step, "local_forward", step.name, x=low.x(step), y=low.new_value(step))


def _local_backward(low: Lowering, step: Step) -> None:
    dy = low.gradient(step).slot
    raw = {
        f"raw_{name}": low.raw_gradient(step, name, product(shape) * low.program.lanes, layout=0, rows=shape[0],
                                        columns=product(shape[1:]))
        for name, shape in step.layer.parameter_shapes(*step.input_shapes).items()
        if low.trains(step, name)
    }  # fmt: skip
    if raw:
        _local(low, step, "local_backward_parameters", f"d {step.layer_name}", x=low.x(step), dy=dy, **raw)
    if low.needs(step.inputs[0]):
        _local(low, step, "local_backward_input", f"d input of {step.name}", dy=dy, dx=low.new_gradient(step))


# --- pooling -----------------------------------------------------------------------------------------------------


def _pool(low: Lowering, step: Step, name: str, label: str, **fields: Any) -> None:
    layer: Any = step.layer
    channels, rows, columns = step.input_shapes[0]
    defaults = {"x": NOWHERE, "y": NOWHERE, "dx": NOWHERE, "dy": NOWHERE, "norm": 0.0, "weights": [0.0]}
    defaults |= {"weight": None, "bias": None, "raw_weight": None, "raw_bias": None}
    size = {
        "channels": channels,
        "rows": rows,
        "columns": columns,
        "out_rows": step.shape[1],
        "out_columns": step.shape[2],
    }
    window = {"kernel_rows": layer.kernel_size[0], "kernel_columns": layer.kernel_size[1]}
    window |= {"stride_rows": layer.stride[0], "stride_columns": layer.stride[1]}
    window |= {"top": layer.padding[0], "left": layer.padding[2]}
    low.program.emit(name, label, **{**defaults, **size, **window, **fields})


def _max_pool_forward(low: Lowering, step: Step) -> None:
    x = low.x(step)
    if ("pooled", step.index) in low.memory:
        low.alias_value(step)
    else:
        x.locked = True
        _pool(low, step, "max_pool_forward", step.name, x=x, y=low.new_value(step, locked=True))
    y = low.y(step)
    if ("late relu", step.index) in low.memory:
        name = low.memory["late relu", step.index]
        low.program.emit("relu_forward", name, **_elementwise(y.elements, x=y, y=y))


def _max_pool_backward(low: Lowering, step: Step) -> None:
    flowing = low.gradient(step)
    y, dy, exclusive = low.y(step), flowing.slot, flowing.exclusive
    if ("late relu", step.index) in low.memory:
        name = low.memory["late relu", step.index]
        masked = dy if exclusive else low.program.slot(f"d {name}", y.elements)
        low.program.emit("relu_backward", f"d input of {name}", **_elementwise(y.elements, y=y, dy=dy, dx=masked))
        dy, exclusive = masked, True
    if not low.needs(step.inputs[0]):
        return
    if ("pooled", step.index) in low.memory:
        low.contribute(step, 0, dy, exclusive)
    else:
        _pool(low, step, "max_pool_backward", f"d input of {step.name}", x=low.x(step), y=y, dy=dy,
              dx=low.new_gradient(step))  # fmt: skip


def _weights(layer: Layer) -> list[float]:
    assert isinstance(layer, AvgPool2d | GaussianPool2d)
    return [float(weight) for weight in layer.weights().reshape(-1)]


def _weighted_pool_forward(low: Lowering, step: Step) -> None:
    _pool(
        low,
        step,
        "weighted_pool_forward",
        step.name,
        x=low.x(step),
        y=low.new_value(step),
        weights=_weights(step.layer),
    )


def _weighted_pool_backward(low: Lowering, step: Step) -> None:
    dy = low.gradient(step).slot
    if low.needs(step.inputs[0]):
        _pool(low, step, "weighted_pool_backward", f"d input of {step.name}", dy=dy, dx=low.new_gradient(step),
              weights=_weights(step.layer))  # fmt: skip


def _lp_pool_forward(low: Lowering, step: Step) -> None:
    assert isinstance(step.layer, LPPool2d)
    x = low.x(step)
    x.locked = True
    y = low.new_value(step, locked=True)
    _pool(low, step, "lp_pool_forward", step.name, x=x, y=y, norm=step.layer.norm_type)


def _lp_pool_backward(low: Lowering, step: Step) -> None:
    assert isinstance(step.layer, LPPool2d)
    dy = low.gradient(step).slot
    if low.needs(step.inputs[0]):
        _pool(low, step, "lp_pool_backward", f"d input of {step.name}", x=low.x(step), y=low.y(step), dy=dy,
              dx=low.new_gradient(step), norm=step.layer.norm_type)  # fmt: skip


def _trainable_pool_forward(low: Lowering, step: Step) -> None:
    _pool(low, step, "trainable_pool_forward", step.name, x=low.x(step), y=low.new_value(step),
          weight=low.parameter(step, "weight"), bias=low.parameter(step, "bias"))  # fmt: skip


def _trainable_pool_backward(low: Lowering, step: Step) -> None:
    dy = low.gradient(step).slot
    lanes, channels = low.program.lanes, step.shape[0]
    raw = {
        f"raw_{name}": low.raw_gradient(step, name, channels * lanes, layout=0, rows=1, columns=channels)
        for name in ("weight", "bias")
        if low.trains(step, name)
    }
    if raw:
        _pool(low, step, "trainable_pool_backward_parameters", f"d {step.layer_name}", x=low.x(step), dy=dy, **raw)
    if low.needs(step.inputs[0]):
        _pool(low, step, "trainable_pool_backward_input", f"d input of {step.name}", dy=dy, dx=low.new_gradient(step),
              weight=low.parameter(step, "weight"))  # fmt: skip


def _adaptive(step: Step, **places: Any) -> dict[str, Any]:
    channels, rows, columns = step.input_shapes[0]
    size = {
        "channels": channels,
        "rows": rows,
        "columns": columns,
        "out_rows": step.shape[1],
        "out_columns": step.shape[2],
    }
    return {"x": NOWHERE, "y": NOWHERE, "dx": NOWHERE, "dy": NOWHERE, **size, **places}


def _adaptive_forward(low: Lowering, step: Step) -> None:
    low.program.emit("adaptive_pool_forward", step.name, **_adaptive(step, x=low.x(step), y=low.new_value(step)))


def _adaptive_backward(low: Lowering, step: Step) -> None:
    dy = low.gradient(step).slot
    if low.needs(step.inputs[0]):
        fields = _adaptive(step, dy=dy, dx=low.new_gradient(step))
        low.program.emit("adaptive_pool_backward", f"d input of {step.name}", **fields)


# --- elementwise -------------------------------------------------------------------------------------------------


def _elementwise(elements: int, **fields: Any) -> dict[str, Any]:
    return {"x": NOWHERE, "y": NOWHERE, "dx": NOWHERE, "dy": NOWHERE, "elements": elements, "slope": 0.0, **fields}


def _activation(name: str, *, reads_input: bool = False) -> Rules:
    """Rules of an activation; in place where nobody else reads the input."""

    def forward(low: Lowering, step: Step) -> None:
        x = low.x(step)
        pool = relu_after_pool(low, step)
        if pool is not None:
            low.memory["late relu", pool.index] = step.name
            low.memory["deferred", step.index] = True
            low.alias_value(step)
            return
        if reads_input:
            x.locked = True
            y = low.new_value(step)
        elif low.in_place(step):
            y = x
            y.locked = True
            low.values.append(y)
        else:
            y = low.new_value(step, locked=True)
        low.program.emit(f"{name}_forward", step.name, **_elementwise(x.elements, x=x, y=y, slope=_slope(step)))

    def backward(low: Lowering, step: Step) -> None:
        flowing = low.gradient(step)
        if ("deferred", step.index) in low.memory:
            low.contribute(step, 0, flowing.slot, flowing.exclusive)
            return
        if not low.needs(step.inputs[0]):
            return
        if flowing.exclusive and low.optimizing:
            low.contribute(step, 0, flowing.slot, True)
            dx = flowing.slot
        else:
            dx = low.new_gradient(step)
        places = {
            "dy": flowing.slot,
            "dx": dx,
            "x" if reads_input else "y": low.x(step) if reads_input else low.y(step),
        }
        fields = _elementwise(dx.elements, slope=_slope(step), **places)
        low.program.emit(f"{name}_backward", f"d input of {step.name}", **fields)

    return Rules(forward, backward)


def _slope(step: Step) -> float:
    return step.layer.negative_slope if isinstance(step.layer, LeakyReLU) else 0.0


def _softmax_fields(step: Step, **places: Any) -> dict[str, Any]:
    size = {"classes": step.shape[0], "places": product(step.shape[1:])}
    return {"x": NOWHERE, "y": NOWHERE, "dx": NOWHERE, "dy": NOWHERE, **size, **places}


def _softmax_forward(low: Lowering, step: Step) -> None:
    low.program.emit(
        "softmax_forward", step.name, **_softmax_fields(step, x=low.x(step), y=low.new_value(step, locked=True))
    )


def _softmax_backward(low: Lowering, step: Step) -> None:
    dy = low.gradient(step).slot
    if low.needs(step.inputs[0]):
        fields = _softmax_fields(step, y=low.y(step), dy=dy, dx=low.new_gradient(step))
        low.program.emit("softmax_backward", f"d input of {step.name}", **fields)


def _dropout(step: Step, mask: Slot, **places: Any) -> dict[str, Any]:
    assert isinstance(step.layer, Dropout)
    fields = {"x": NOWHERE, "y": NOWHERE, "dx": NOWHERE, "dy": NOWHERE, "mask": mask, **places}
    return {**fields, "elements": product(step.shape), "p": step.layer.p, "node": step.index}


def _dropout_forward(low: Lowering, step: Step) -> None:
    mask = low.program.slot(f"{step.name} mask", step.shape)
    low.memory["mask", step.index] = mask
    low.program.emit("dropout_forward", step.name, **_dropout(step, mask, x=low.x(step), y=low.new_value(step)))


def _dropout_backward(low: Lowering, step: Step) -> None:
    dy = low.gradient(step).slot
    if low.needs(step.inputs[0]):
        fields = _dropout(step, low.memory["mask", step.index], dy=dy, dx=low.new_gradient(step))
        low.program.emit("dropout_backward", f"d input of {step.name}", **fields)


# --- normalisation -----------------------------------------------------------------------------------------------


def _response(low: Lowering, step: Step, **places: Any) -> dict[str, Any]:
    layer = step.layer
    assert isinstance(layer, LocalResponseNorm)
    fields = {
        "x": NOWHERE,
        "y": NOWHERE,
        "dx": NOWHERE,
        "dy": NOWHERE,
        "scale": low.memory["scale", step.index],
        **places,
    }
    size = {"channels": step.shape[0], "places": product(step.shape[1:]), "size": layer.size}
    return {**fields, **size, "alpha": layer.alpha, "beta": layer.beta, "k": layer.k}


def _response_forward(low: Lowering, step: Step) -> None:
    x = low.x(step)
    x.locked = True
    low.memory["scale", step.index] = low.program.slot(f"{step.name} scale", step.shape)
    low.program.emit("response_norm_forward", step.name, **_response(low, step, x=x, y=low.new_value(step)))


def _response_backward(low: Lowering, step: Step) -> None:
    dy = low.gradient(step).slot
    if low.needs(step.inputs[0]):
        fields = _response(low, step, x=low.x(step), dy=dy, dx=low.new_gradient(step))
        low.program.emit("response_norm_backward", f"d input of {step.name}", **fields)


def _batch_norm(low: Lowering, step: Step, **fields: Any) -> dict[str, Any]:
    layer: Any = step.layer
    if ("statistics", step.index) not in low.memory:
        low.memory["statistics", step.index] = [low.program.take("statistics", 2 * step.shape[0]) for _ in range(2)]
    forward, backward = low.memory["statistics", step.index]
    places = {"x": NOWHERE, "y": NOWHERE, "dx": NOWHERE, "dy": NOWHERE, **fields}
    size = {"channels": step.shape[0], "places": product(step.shape[1:])}
    values = {name: low.parameter(step, name) for name in ("weight", "bias", "running_mean", "running_var")}
    sums = {
        "forward_statistics": forward,
        "backward_statistics": backward,
        "eps": layer.eps,
        "momentum": layer.momentum,
    }
    return {"raw_weight": None, "raw_bias": None, **places, **size, **values, **sums, "training": low.training}


def _batch_norm_forward(low: Lowering, step: Step) -> None:
    x = low.x(step)
    x.locked = True
    if low.training:
        low.program.emit("batch_norm_statistics", f"statistics of {step.name}", **_batch_norm(low, step, x=x))
        low.program.cut(False, _batch_norm(low, step))
    low.program.emit("batch_norm_forward", step.name, **_batch_norm(low, step, x=x, y=low.new_value(step)))


def _batch_norm_backward(low: Lowering, step: Step) -> None:
    layer: Any = step.layer
    x, dy, channels = low.x(step), low.gradient(step).slot, step.shape[0]
    raw = {
        f"raw_{name}": low.raw_gradient(step, name, channels, layout=2, rows=1, columns=channels)
        for name in ("weight", "bias")
        if layer.affine and low.trains(step, name)
    }
    if raw or low.training:
        low.program.emit(
            "batch_norm_backward_sums", f"d {step.layer_name}", **_batch_norm(low, step, x=x, dy=dy, **raw)
        )
        low.program.cut(True, _batch_norm(low, step, **raw))
    if low.needs(step.inputs[0]):
        fields = _batch_norm(low, step, x=x, dy=dy, dx=low.new_gradient(step))
        low.program.emit("batch_norm_backward_input", f"d input of {step.name}", **fields)


# --- joins and RBF -----------------------------------------------------------------------------------------------


def _join_forward(name: str) -> Any:
    def forward(low: Lowering, step: Step) -> None:
        sources = [low.values[i] for i in step.inputs]
        low.program.emit(name, step.name, y=low.new_value(step), sources=sources,
                         elements=[slot.elements for slot in sources], count=len(sources))  # fmt: skip

    return forward


def _add_backward(low: Lowering, step: Step) -> None:
    dy = low.gradient(step).slot
    for which, source in enumerate(step.inputs):
        if low.needs(source):
            low.contribute(step, which, dy, False)


def _concat_backward(low: Lowering, step: Step) -> None:
    dy = low.gradient(step).slot
    parts = []
    for which, source in enumerate(step.inputs):
        if low.needs(source):
            parts.append(low.new_gradient(step, which))
        else:
            parts.append(low.program.slot("unused", product(low.graph.shapes[source])))
    low.program.emit("split", f"d input of {step.name}", y=dy, sources=parts,
                     elements=[slot.elements for slot in parts], count=len(parts))  # fmt: skip


def _rbf(low: Lowering, step: Step, **fields: Any) -> dict[str, Any]:
    layer = step.layer
    assert isinstance(layer, RBF)
    places = {"x": NOWHERE, "y": NOWHERE, "dx": NOWHERE, "dy": NOWHERE, "raw_weight": None, **fields}
    return {**places, "weight": low.parameter(step, "weight"), "in": layer.in_features, "out": layer.out_features}


def _rbf_forward(low: Lowering, step: Step) -> None:
    x = low.x(step)
    low.program.emit("rbf_forward", step.name, **_rbf(low, step, x=x, y=low.new_value(step)))


def _rbf_backward(low: Lowering, step: Step) -> None:
    assert isinstance(step.layer, RBF)
    x, dy = low.x(step), low.gradient(step).slot
    if low.trains(step, "weight"):
        rows, columns = step.layer.out_features, step.layer.in_features
        raw = low.raw_gradient(step, "weight", rows * columns * low.program.lanes, layout=0, rows=rows, columns=columns)
        low.program.emit("rbf_backward_weight", f"d {step.layer_name}", **_rbf(low, step, x=x, dy=dy, raw_weight=raw))
    if low.needs(step.inputs[0]):
        fields = _rbf(low, step, x=x, dy=dy, dx=low.new_gradient(step))
        low.program.emit("rbf_backward_input", f"d input of {step.name}", **fields)


_BATCH_NORM = Rules(_batch_norm_forward, _batch_norm_backward)
_WEIGHTED_POOL = Rules(_weighted_pool_forward, _weighted_pool_backward)

LAYER_RULES: dict[type[Layer], Rules] = {
    Linear: CONVOLUTION,
    Conv2d: CONVOLUTION,
    LocallyConnected2d: Rules(_local_forward, _local_backward),
    MaxPool2d: Rules(_max_pool_forward, _max_pool_backward),
    AvgPool2d: _WEIGHTED_POOL,
    GaussianPool2d: _WEIGHTED_POOL,
    LPPool2d: Rules(_lp_pool_forward, _lp_pool_backward),
    TrainablePool2d: Rules(_trainable_pool_forward, _trainable_pool_backward),
    AdaptiveAvgPool2d: Rules(_adaptive_forward, _adaptive_backward),
    ReLU: _activation("relu"),
    LeakyReLU: _activation("leaky_relu", reads_input=True),
    Sigmoid: _activation("sigmoid"),
    Tanh: _activation("tanh"),
    ScaledTanh: _activation("scaled_tanh"),
    Softmax: Rules(_softmax_forward, _softmax_backward),
    Dropout: Rules(_dropout_forward, _dropout_backward),
    LocalResponseNorm: Rules(_response_forward, _response_backward),
    BatchNorm1d: _BATCH_NORM,
    BatchNorm2d: _BATCH_NORM,
    Add: Rules(_join_forward("sum"), _add_backward),
    Concat: Rules(_join_forward("concat"), _concat_backward),
    RBF: Rules(_rbf_forward, _rbf_backward),
}
"""Every layer of the package that computes anything; Flatten, Identity and idle Dropout are aliases."""
