"""What onnx_train.py and onnx_train.mjs train with: LeNet-5's training step, its first weights, and the bundled digits.

Four files are written to a folder (default: onnx-lenet5). From then on nobody needs chainrule: the step is one function
(x, targets, learning_rate, parameters, velocities) -> (loss, new parameters, new velocities) in standard operators.
"""

import sys
from pathlib import Path

from safetensors.numpy import save_file

import chainrule as cr
from chainrule import data, zoo

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "onnx-lenet5")
folder.mkdir(parents=True, exist_ok=True)
net, digits = zoo.lenet5(seed=0), data.load("digits")
sgd = cr.SGD(0.05, momentum=0.9, weight_decay=2e-3)

loss = cr.CrossEntropyLoss(label_smoothing=0.1)
net.to_onnx(folder / "step.onnx", what="train_step", loss=loss, optimizer=sgd, weights="beside", uint8=True)
net.to_onnx(folder / "predict.onnx", weights="inputs", uint8=True)
save_file(
    {
        "train_images": digits.train_images,
        "train_labels": digits.train_labels.astype("int64"),
        "test_images": digits.test_images,
        "test_labels": digits.test_labels.astype("int64"),
    },
    folder / "digits.safetensors",
)
for path in sorted(folder.iterdir()):
    print(f"{path}  {path.stat().st_size:,} bytes")
