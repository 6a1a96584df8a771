"""LeNet-5 learns the digits inside ONNX Runtime alone: this program imports NumPy and onnxruntime, and nothing else.

It reads what onnx_export.py wrote. The number of epochs may be given: python onnx_train.py [FOLDER [EPOCHS]]
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "onnx-lenet5")
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 30
TYPES = {"F32": np.float32, "I64": np.int64, "U8": np.uint8}


def arrays_of(path):
    """The arrays of a safetensors file: the length of a header, the header, and all numbers."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    found = {}
    for name, entry in json.loads(content[8:start]).items():
        first, last = entry["data_offsets"]
        numbers = np.frombuffer(content[start + first : start + last], TYPES[entry["dtype"]])
        found[name] = numbers.reshape(entry["shape"])
    return found


step = onnxruntime.InferenceSession(folder / "step.onnx")
predict = onnxruntime.InferenceSession(folder / "predict.onnx")
digits, parameters = arrays_of(folder / "digits.safetensors"), arrays_of(folder / "step.safetensors")
velocities = {place.name: np.zeros(place.shape, np.float32) for place in step.get_inputs() if "velocity" in place.name}
state = parameters | velocities
outputs = [place.name for place in step.get_outputs()]

x, labels = digits["train_images"], digits["train_labels"]
rng, done, steps = np.random.default_rng(0), 0, epochs * -(-len(x) // 32)
for epoch in range(epochs):
    order, losses = rng.permutation(len(x)), []
    for start in range(0, len(x), 32):
        batch = order[start : start + 32]
        shifted = np.stack([np.roll(image, rng.integers(-2, 3, 2), axis=(1, 2)) for image in x[batch]])
        rate = np.array(0.05 * min(4 * done / steps, 1 - done / steps), np.float32)
        after = step.run(None, {"x": shifted, "targets": labels[batch], "learning_rate": rate, **state})
        losses.append(float(after[0]))
        state = {name.removeprefix("new."): array for name, array in zip(outputs[1:], after[1:], strict=True)}
        done += 1
    print(f"epoch {epoch + 1}/{epochs}  loss {np.mean(losses):.4f}")

weights = {name: state[name] for name in parameters}
guesses = predict.run(None, {"x": digits["test_images"], **weights})[0].argmax(axis=1)
print(f"accuracy {(guesses == digits['test_labels']).mean():.2%} of {len(guesses):,} test images")
