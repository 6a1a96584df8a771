"""Networks in files: safetensors with the architecture in its metadata. Nothing in a file is ever executed.

tensors        parameters and buffers by name: "conv1.weight", "batchnorm1.running_mean"; float32 where that
               holds every value exactly, else float64
format         "chainrule"
version        "1"
architecture   JSON: {"input_shape": [1, 28, 28],
                      "layers": [{"name": "conv1", "class": "Conv2d", "arguments": {"in_channels": 1, ...}}, ...],
                      "nodes": [{"layer": 0, "inputs": [0]}, ...]}
               Node 0 is the input, node i stands at nodes[i - 1]; the last is the output. A shared layer is listed
               once and used by several nodes. A layer of the user's own has "own": true. Tuples are
               {"tuple": [...]}, arrays {"array": [...], "dtype": "bool"}.
frozen         JSON: names of the parameters that training leaves alone
loss           JSON: {"class": "CrossEntropyLoss", "arguments": {"reduction": "mean"}} or null
seed           JSON: the seed of the network
preparation    JSON: how pictures become samples, {"steps": ["light-on-dark", "fit"], "black": 0.0, "white": 1.0};
               absent where that is not known
class_names    JSON: a name for each class, ["cat", "dog"]; absent where classes have numbers alone
likeness       JSON: what the pictures that it learned from have in common (ranges, and the classes as bytes in
               base64), so that one of another kind can be told; absent where nobody described them
"""

from chainrule.files.store import Stored, read, restore, save

__all__ = ["Stored", "read", "restore", "save"]
