"""Writes the corpus anew: python -m tests.fuzz.make_corpus. Small inputs of every kind that a reader knows."""

from __future__ import annotations

import gzip
import io
import json
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
    net, engine = cr.parse(TEXT), engine_named("native")
    net.fit(np.ones((3, 1, 6, 6)), [0, 1, 2], loss=cr.CrossEntropyLoss(), optimizer=cr.SGD(0.1), progress=False)
    known: Any = engine._of(net)  # type: ignore[attr-defined]
    (compiled,) = known.plans.values()
    description = vars(compiled.description) | {"isa": "baseline"}
    write("plan", "small.json", json.dumps(description, default=list).encode())


def main() -> None:
    for target in ("model", "architecture"):
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
    models()
    arrays()
    pictures()
    plans()
    for number, text in enumerate(TEXTS):
        write("grammar", f"text{number}", text.encode())


if __name__ == "__main__":
    main()
