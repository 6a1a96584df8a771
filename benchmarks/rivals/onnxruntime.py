"""ONNX Runtime: inference of a model that is written here with the helpers of `onnx`."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from benchmarks.rivals import Contender, Job
from benchmarks.tasks import Array, Description, NetworkTask, Node

OPSET = 17
OPERATORS = {
    "conv2d": "Conv",
    "linear": "Gemm",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "max_pool2d": "MaxPool",
    "batch_norm2d": "BatchNormalization",
    "average": "GlobalAveragePool",
    "flatten": "Flatten",
    "add": "Add",
}


def attributes(node: Node) -> dict[str, Any]:
    """What ONNX writes beside the inputs."""
    if node.op in ("conv2d", "max_pool2d"):
        return {"kernel_shape": node.kernel, "strides": node.stride, "pads": node.padding * 2}
    return {"transB": 1} if node.op == "linear" else {}


def model_of(description: Description, batch: int) -> onnx.ModelProto:
    """The network as an ONNX model for one batch size."""
    names = ["x", *(f"node{place}" for place in range(1, len(description.nodes) + 1))]
    nodes = []
    for node, name in zip(description.nodes, names[1:], strict=True):
        own = [part for part in (node.weight, node.bias) if part]
        if node.op == "batch_norm2d":
            own += [f"{node.prefix}.running_mean", f"{node.prefix}.running_var"]
        sources = [names[place] for place in node.inputs]
        nodes.append(helper.make_node(OPERATORS[node.op], sources + own, [name], **attributes(node)))
    graph = helper.make_graph(
        nodes,
        description.name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (batch, *description.input_shape))],
        [helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, (batch, *description.shape(len(nodes))))],
        [numpy_helper.from_array(value, name) for name, value in description.parameters.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


class Inference:
    """A session, arrays in and out."""

    def __init__(self, task: NetworkTask, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        content = model_of(task.network, task.batch).SerializeToString()
        self.session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.batches = np.split(task.samples()[0], task.batches)
        self.around = cycle(self.batches)

    def run(self, steps: int) -> int:
        for _ in range(steps):
            self.session.run(None, {"x": next(self.around)})
        return steps

    def first(self) -> dict[str, Array]:
        return {"outputs": self.session.run(None, {"x": self.batches[0]})[0]}


class OnnxRuntime(Contender):
    """Inference alone."""

    def version(self) -> str:
        return str(ort.__version__)

    def network(self, task: NetworkTask) -> Job:
        if task.kind == "train":
            raise NotImplementedError("ONNX Runtime is compared in inference")
        return Inference(task, self.threads)


def make(threads: int) -> Contender:
    return OnnxRuntime(threads)
