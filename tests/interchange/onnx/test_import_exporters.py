"""Files that TensorFlow and Keras wrote come in and answer as their programs did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import chainrule as cr

pytest.importorskip("onnx", reason="the extra onnx is not installed")
FIXTURES = Path(__file__).parents[1] / "fixtures"

NETWORKS = {
    "tf2onnx": "3x8x8 -> trainablepool 1 -> conv 4@3x3 stride 2 pad 0,1,0,1 -> relu -> trainablepool 1 -> maxpool 2 -> "
    "conv 4@2x2 groups 4 -> leakyrelu 0.2 -> fc 3 -> softmax",
    "tf2onnx_row": "2x1x16 -> conv 3@1x3 -> relu -> maxpool 1x2 -> conv 4@1x3 pad 0,0,2,0 -> adaptiveavgpool 1 -> fc 2",
    "keras": "2x6x6 -> conv 3@3x3 pad 1 -> relu -> trainablepool 1 -> maxpool 2 -> conv 3@3x3 pad 1 nobias -> fc 5 -> "
    "tanh -> fc 4",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_they_answer_as_their_programs_did(name: str) -> None:
    answers = np.load(FIXTURES / "answers.npz")
    with pytest.warns(UserWarning, match="channels first"):
        net = cr.from_onnx(FIXTURES / f"{name}.onnx")
    assert str(net) == NETWORKS[name]
    x = np.moveaxis(answers[f"{name}_x"], -1, 1).astype(np.float64)
    y = net(x.reshape(len(x), *net.input_shape))
    np.testing.assert_allclose(y, answers[f"{name}_y"], rtol=1e-6, atol=1e-6)


def test_the_warning_points_at_the_caller() -> None:
    with pytest.warns(UserWarning, match="channels first") as caught:
        cr.from_onnx(FIXTURES / "keras.onnx")
    assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name]
