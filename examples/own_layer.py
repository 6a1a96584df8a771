"""A layer of one's own, y = x sigmoid(b x) with a learned b, and the proof that its backward pass is right."""

import numpy as np

import chainrule as cr


class Swish(cr.Layer):
    """y = x s, s = sigmoid(b x); dy/dx = s + b x s (1 - s), dy/db = x² s (1 - s)."""

    def output_shape(self, *shapes):
        return shapes[0]

    def parameter_shapes(self, *shapes):
        return {"scale": (1,)}

    def initialize(self, rng, *shapes):
        return {"scale": np.ones(1)}

    def forward(self, parameters, x, *, context):
        s = 1 / (1 + np.exp(-parameters["scale"] * x))
        return x * s, (x, s)

    def backward_input(self, parameters, dy, saved):
        x, s = saved
        return dy * (s + parameters["scale"] * x * s * (1 - s))

    def backward_parameters(self, parameters, dy, saved):
        x, s = saved
        return {"scale": (dy * x**2 * s * (1 - s)).sum(keepdims=True).reshape(1)}


class ForgetfulSwish(Swish):
    """The same with a mistake: the second term of dy/dx is missing."""

    def backward_input(self, parameters, dy, saved):
        _, s = saved
        return dy * s


rng = np.random.default_rng(0)
x, targets = rng.normal(size=(8, 5)), rng.integers(0, 3, 8)
for swish in (Swish(), ForgetfulSwish()):
    net = cr.Sequential(cr.Linear(5, 4), swish, cr.Linear(4, 3), seed=0)
    print(cr.check_gradients(net, x, targets, cr.CrossEntropyLoss(), engine="reference"), end="\n\n")
