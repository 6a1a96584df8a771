"""Networks and weights of PyTorch: exported both ways, taken over from modules, loaded and given back."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, FileFormatError
from tests.helpers import Array

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
from torch import nn  # noqa: E402

from chainrule.interchange.onnx.importing import network_of  # noqa: E402
from chainrule.interchange.onnx.reading import model_of, parse  # noqa: E402


class Residual(nn.Module):
    """A shape that is computed, a mean over places, a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.last = nn.Linear(6, 5)

    def forward(self, x: Any) -> Any:
        y = torch.relu(self.norm(self.conv(x)) + x)
        y = torch.cat([y, torch.sigmoid(x)], dim=1).mean((2, 3))
        return self.last(y.view(y.size(0), -1))


class Normalised(nn.Module):
    """Pictures standardised in the module itself, clipped to 6, pooled to a size."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1))
        self.features = nn.Sequential(
            nn.ZeroPad2d((1, 2, 0, 1)), nn.Conv2d(3, 6, 3, stride=2, groups=3, dilation=2), nn.ReLU6(),
            nn.AdaptiveAvgPool2d((1, 1)),
        )  # fmt: skip
        self.last = nn.Linear(6, 4, bias=False)

    def forward(self, x: Any) -> Any:
        return nn.functional.softmax(self.last(torch.flatten(self.features((x - self.mean) / 0.25), 1)), dim=1)


MODULES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "lenet": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Dropout(), nn.Linear(120, 10), nn.Softmax(1),
        ),
        (1, 28, 28),
    ),
    "residual": (Residual, (3, 8, 8)),
    "normalised": (Normalised, (3, 9, 10)),
    "one axis": (
        lambda: nn.Sequential(
            nn.Conv1d(2, 4, 3, padding=1, stride=2), nn.BatchNorm1d(4), nn.LeakyReLU(0.1), nn.MaxPool1d(2),
            nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 3),
        ),
        (2, 16),
    ),
    "pools": (
        lambda: nn.Sequential(
            nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), nn.AvgPool2d(3, 2, padding=1), nn.Hardtanh(), nn.Flatten(),
        ),
        (4, 15, 13),
    ),
    "perceptron": (lambda: nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2)), (6,)),
}  # fmt: skip


def made(name: str) -> tuple[Any, Any, Array]:
    """A module whose statistics are no ones and zeros, a batch, and what it answers in float64."""
    torch.manual_seed(0)
    build, shape = MODULES[name]
    module = build()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            for values in (part.weight, part.bias, part.running_mean, part.running_var):
                nn.init.uniform_(values, 0.5, 1.5)
    module.eval()
    x = torch.randn(3, *shape)
    answer = module.double()(x.double()).detach().numpy()
    return module.float(), x, answer


def check(net: cr.Network, x: Any, answer: Array) -> None:
    y = net(x.double().numpy().reshape(len(x), *net.input_shape))
    np.testing.assert_allclose(y.reshape(answer.shape), answer, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
def test_both_exporters(name: str, dynamo: bool) -> None:
    if dynamo:
        pytest.importorskip("onnxscript")
    module, x, answer = made(name)
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dynamo:
            program = torch.onnx.export(module, (x,), dynamo=True, verbose=False)
            stream.write(program.model_proto.SerializeToString())
        else:
            torch.onnx.export(module, (x,), stream, dynamo=False)
    check(network_of(model_of(parse(stream.getvalue(), "the file"), Path())).net, x, answer)


@pytest.mark.parametrize("name", MODULES)
def test_from_torch(name: str) -> None:
    module, x, answer = made(name)
    module.train()
    net = cr.from_torch(module, x)
    assert module.training
    check(net, x, answer)
    kept = [layer for layer in net.layers if layer.startswith("batchnorm")]
    there = [part for part in module.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert len(kept) == len(there)


def test_from_torch_refuses_what_is_no_module_or_has_no_layer() -> None:
    with pytest.raises(ArgumentError, match=r"takes an nn\.Module, not builtin"):
        cr.from_torch(torch.relu, np.ones((1, 3)))
    with pytest.raises(
        FileFormatError, match=r"cannot be taken over: node .* \(Elu\): no layer computes this operator"
    ):
        cr.from_torch(nn.ELU(), np.ones((1, 3), np.float32))
    with pytest.raises(ArgumentError, match="PyTorch cannot export the module"):
        cr.from_torch(nn.Linear(3, 2), np.ones((1, 4), np.float32))


@pytest.mark.parametrize("name", ["lenet", "perceptron"])
def test_weights_come_in_and_go_back(name: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    module, x, answer = made(name)
    text = {
        "lenet": "1x28x28 -> conv 6@5x5 pad 2 -> relu -> maxpool 2 -> conv 16@5x5 -> tanh -> avgpool 2 -> fc 120 -> "
        "sigmoid -> dropout 0.5 -> fc 10 -> softmax",
        "perceptron": "6 -> fc 5 -> batchnorm -> relu -> fc 2",
    }[name]
    net = cr.parse(text, seed=5)
    cr.load_torch(net, module.state_dict())
    check(net, x, answer)
    save_file(module.state_dict(), tmp_path / "weights.safetensors")
    other = cr.parse(text, seed=6)
    cr.load_torch(other, tmp_path / "weights.safetensors")
    check(other, x, answer)
    fresh = MODULES[name][0]()
    fresh.load_state_dict(net.to_torch_state())
    assert np.allclose(fresh.eval().double()(x.double()).detach().numpy(), answer, atol=1e-6)
    wrapped = nn.ModuleDict({"inner": MODULES[name][0]()})
    wrapped.load_state_dict(net.to_torch_state(like=wrapped.state_dict()))
    assert np.allclose(wrapped["inner"].eval().double()(x.double()).detach().numpy(), answer, atol=1e-6)
