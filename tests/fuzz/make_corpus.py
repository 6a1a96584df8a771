"""Writes the corpus anew: python -m tests.fuzz.make_corpus. Small inputs of every kind that a reader knows."""

from __future__ import annotations

import gzip
import io
import json
import os
from typing import Any

import numpy as np
from PIL import Image

import chainrule as cr
from chainrule.data.idx import encode_idx
from chainrule.engines import engine_named
from chainrule.files.architecture import graph_to_json
from tests.fuzz.targets import CORPUS

TEXT = "1x6x6 -> conv 2@3x3 pad 1 -> batchnorm -> relu -> maxpool 2 -> dropout 0.5 -> fc 3"
TEXTS = (
    TEXT, "8 -> fc 4 nobias?",
    "1x28x28 -> [[conv 6@5x5 pad 2 -> relu]*1 -> maxpool 2]*1 -> [fc 120 -> relu]*N -> fc 10",
    "3x9x7 → local 2@3x3 stride 2 pad 0,1,0,1 dilation 2 → lrn 5 alpha 1e-4 beta 0.75 k 2 → rbf 3",
    "input 2x8x8 -> avgpool 2 -> lppool 2 norm 2 -> gaussianpool 2 sigma 1 -> adaptiveavgpool 1 -> softmax",
    "1x8x8 -> conv 4@3x3 groups 1 nobias flipped pad same -> trainablepool 2 -> leakyrelu .1 -> fc 2 sharedbias",
)  # fmt: skip


def write(target: str, name: str, content: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def models() -> None:
    net = cr.parse(TEXT)
    net.save(CORPUS / "model" / "small.safetensors")
    write("architecture", "small.json", json.dumps(graph_to_json(net)).encode())
    x = cr.Input((2, 4, 4))
    y = cr.Conv2d(2, 2, 3, padding=1, connections=np.eye(2, dtype=bool))(x)
    joined = cr.Network(x, cr.RBF(64, 2)(cr.Flatten()(cr.Concat()(cr.Add()(y, x), y))))
    joined.save(CORPUS / "model" / "joined.safetensors")
    write("architecture", "joined.json", json.dumps(graph_to_json(joined)).encode())


def arrays() -> None:
    for kind in ("u1", "i1", "i2", "i4", "f4", "f8"):
        write("idx", kind, encode_idx(np.arange(8, dtype=kind).reshape(2, 2, 2)))
    write("idx", "packed", gzip.compress(encode_idx(np.zeros((3, 2, 2), np.uint8)), mtime=0))
    images, labels = np.zeros((4, 3, 3), np.uint8), np.arange(4) % 2
    for name, save in (("plain", np.savez), ("packed", np.savez_compressed)):
        stream = io.BytesIO()
        save(stream, x_train=images, y_train=labels, x_test=images, y_test=labels)
        write("npz", name, stream.getvalue())


def pictures() -> None:
    grey = np.zeros((6, 5), np.uint8)
    grey[1:5, 2] = 255
    for name, mode, kind in (
        ("grey", "L", "PNG"), ("colour", "RGB", "PNG"), ("clear", "RGBA", "PNG"), ("palette", "P", "PNG"),
        ("deep", "I;16", "PNG"), ("photo", "RGB", "JPEG"), ("moving", "P", "GIF"),
        ("plain", "L", "PPM"), ("bits", "1", "BMP"),
    ):  # fmt: skip
        stream = io.BytesIO()
        image = Image.fromarray(grey)
        (image if mode == "I;16" else image.convert(mode)).save(stream, kind)
        write("picture", name, stream.getvalue())


def plans() -> None:
    os.environ["CHAINRULE_ISA"] = "baseline"  # every processor has it
    net, engine = cr.parse(TEXT), engine_named("native")
    net.fit(np.ones((3, 1, 6, 6)), [0, 1, 2], loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.1), progress=False)
    known: Any = engine._of(net)  # type: ignore[attr-defined]
    (compiled,) = known.plans.values()
    write("plan", "small.json", json.dumps(vars(compiled.description), default=list).encode())


def foreign() -> None:
    """Files of other programs: an ONNX graph of many operators and attributes, weights of Keras and PyTorch."""
    import h5py
    from onnx import TensorProto, helper, numpy_helper
    from safetensors.numpy import save

    w, shape = np.ones((2, 2, 3, 3), np.float32), np.array([0, -1])
    nodes = [
        helper.make_node("Pad", ["x", "p"], ["a"]),
        helper.make_node("Conv", ["a", "w"], ["b"], pads=[1, 0, 0, 1], strides=[1, 2], auto_pad="NOTSET"),
        helper.make_node("Add", ["b", "c"], ["d"]),
        helper.make_node("MaxPool", ["d"], ["e"], kernel_shape=[2, 2], ceil_mode=1),
        helper.make_node("Concat", ["e", "e"], ["f"], axis=1),
        helper.make_node("Transpose", ["f"], ["g"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["g", "s"], ["h"]),
        helper.make_node("Clip", ["h", "l", "u"], ["i"]),
        helper.make_node("Softmax", ["i"], ["y"]),
    ]
    constants = {"p": np.array([0, 0, 1, 0, 0, 0, 0, 1]), "w": w, "c": np.ones((2, 1, 1), np.float32), "s": shape,
                 "l": np.float32(0), "u": np.float32(1)}  # fmt: skip
    graph = helper.make_graph(
        nodes, "net", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )  # fmt: skip
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    write("onnx", "many", proto.SerializeToString())
    write("graph", "edits", b"edits")
    stream = io.BytesIO()
    arrays = {"conv2d": [(3, 3, 1, 2), (2,)], "batch_normalization": [(2,)] * 4, "dense": [(32, 3), (3,)]}
    with h5py.File(stream, "w", libver="latest") as file:
        for layer, shapes in arrays.items():
            for number, extents in enumerate(shapes):
                file[f"layers/{layer}/vars/{number}"] = np.ones(extents, np.float16)
    write("keras", "small", stream.getvalue())
    own = {"weight": (2,), "bias": (2,), "running_mean": (2,), "running_var": (2,)}
    named = {"0.weight": (2, 1, 3, 3), "0.bias": (2,), **{f"1.{n}": s for n, s in own.items()}, "3.weight": (3, 32),
             "3.bias": (3,)}  # fmt: skip
    write("torch", "small", save({name: np.ones(extents, np.float16) for name, extents in named.items()}))


def main() -> None:
    for target in ("model", "architecture"):
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
    models()
    arrays()
    pictures()
    plans()
    foreign()
    for number, text in enumerate(TEXTS):
        write("grammar", f"text{number}", text.encode())


if __name__ == "__main__":
    main()
