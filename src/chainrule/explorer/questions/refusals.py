"""What is said when a question cannot be answered: key -> (English, Chinese), with the same placeholders."""

from __future__ import annotations

import re
from typing import Any

REFUSALS: dict[str, tuple[str, str]] = {
    "malformed": (
        "This question cannot be read: {what} must be {expected}.",
        "无法读懂这个问题：{what_zh}应为{expected_zh}。",
    ),
    "unknown": (
        "There is no question “{name}”; the explorer answers {known}.",
        "没有“{name}”这个问题；可以提的问题有：{known}。",
    ),
    "large_network": (
        "This network has {count} parameters; the explorer shows networks of at most {most}. “chainrule explain” "
        "explains single numbers of larger ones.",
        "这个网络有 {count} 个参数；演示页面最多支持 {most} 个。更大的网络可用“chainrule explain”说明其中的单个数。",
    ),
    "large_maps": (
        "The layers of this network hold {count} numbers for each sample; the explorer shows at most {most}. Choose a "
        "network for smaller inputs.",
        "这个网络的各层对每个样本共有 {count} 个数；演示页面最多支持 {most} 个。请改用输入较小的网络。",
    ),
    "non_finite": (
        "This network cannot be explored, since it computes NaN or infinity: {detail}.",
        "无法演示这个网络，因为它算出了 NaN 或无穷大：{detail_zh}。",
    ),
    "sample": (
        "There is no sample {sample}: samples are numbered from 0 to {last}.",
        "没有样本 {sample}：样本编号为 0 到 {last}。",
    ),
    "name": (
        "The network has no node or parameter “{name}”.",
        "网络中没有名为“{name}”的节点或参数。",
    ),
    "quantity": (
        "{name} has no {quantity}: nodes have a value and a gradient, parameters belong to “parameter”.",
        "{name} 没有 {quantity} 这种量：节点有值（value）和梯度（gradient），参数用“parameter”。",
    ),
    "of": (
        "There is no gradient “{of}” in this network; write it as conv1.weight[0,0,1,2], with an index within the "
        "shape, or as a bare name.",
        "这个网络中没有“{of}”的梯度；请写成 conv1.weight[0,0,1,2] 这样的形式，下标不超出形状，或只写名称。",
    ),
    "index": (
        "{name} has no number at [{index}]: its shape is {shape}.",
        "{name} 在 [{index}] 处没有数：它的形状是 {shape}。",
    ),
    "range": (
        "{name} holds {size} maps; {count} from number {first} on are not among them.",
        "{name} 共有 {size} 张图；从第 {first} 张起取不出 {count} 张。",
    ),
    "page": (
        "{count} numbers are more than the {most} that one answer holds; ask for fewer maps or a part of each.",
        "{count} 个数超过一次回答的上限 {most} 个；请少取几张图，或只取其中一部分。",
    ),
    "given": (
        "{name} is computed from other numbers; what can be changed are the pixels of a sample and the weights.",
        "{name} 由其他数算出，不能直接修改；可以修改的是样本的像素和权重。",
    ),
    "off_the_scale": (
        "With this change the loss is no longer a finite number; take a smaller one.",
        "这样修改之后损失不再是有限的数；请改小一些。",
    ),
    "blank": (
        "There is nothing on this picture: every pixel is the same.",
        "这张图片是空白的：所有像素都相同。",
    ),
    "faint": (
        "Nothing stands out on this picture: draw with more ink.",
        "这张图片上没有明显的笔画：请画得浓一些。",
    ),
    "no_nudge": (
        "The loss is what a nudge moves; choose a weight, a bias, a pixel or a number of a layer.",
        "微调看的正是损失怎样变化；请选择一个权重、偏置、像素或某层中的数。",
    ),
    "no_picture": (
        "This network takes no pictures: its input has shape {shape}.",
        "这个网络的输入不是图片：输入形状为 {shape}。",
    ),
    "no_training": (
        "There is nothing to train: every parameter of this network is frozen, or it has none.",
        "没有可训练的参数：这个网络没有参数，或参数已全部冻结。",
    ),
    "diverged": (
        "Training ran away at this learning rate, so the weights are again what they were before.",
        "在这个学习率下训练发散，权重已恢复到训练之前。",
    ),
    "example": (
        "There is no example “{name}”; there are {known}.",
        "没有名为“{name}”的例子；现有：{known}。",
    ),
    "no_mistakes": (
        "No mistakes are known for {node}: it is no layer with a table of them.",
        "{node} 没有可供演示的错误。",
    ),
    "mistake": (
        "The mistake “{key}” cannot be made in {node} here; there are {known}.",
        "在 {node} 中不会出现“{key}”这种错误；现有：{known}。",
    ),
    "error": ("{detail}.", "无法完成（{detail}）。"),
    "internal": (
        "Computing the answer failed in the network's own code: {detail}.",
        "计算回答时网络自身的代码出错：{detail}。",
    ),
}


class QuestionError(Exception):
    """A question without an answer: the key of a sentence in `REFUSALS`, and what stands in its placeholders."""

    def __init__(self, key: str, /, **values: Any) -> None:
        super().__init__(key)
        self.key, self.values = key, values

    def to_dict(self) -> dict[str, Any]:
        """{"kind": key, "text": {"en": ..., "zh": ...}}."""
        english, chinese = (text.format_map(self.values) for text in REFUSALS[self.key])
        return {"kind": self.key, "text": {"en": english, "zh": chinese}}


CALLED = {
    "a question": "问题",
    "an index": "下标",
    "a shape": "形状",
    "an array": "数组",
    "a change": "每一项修改",
}
"""What may be malformed, in Chinese; a part of a question keeps its name."""
_NON_FINITE = re.compile(r"(?:the (output|gradient) of )?(.+?) holds (\S+)(?: at index (\[.*\]))?")
_PARTS = {"output": " 的输出", "gradient": " 的梯度", None: " "}


def non_finite(error: Exception) -> QuestionError:
    """The refusal of a network that `explain` refuses, since it holds or computes NaN."""
    detail = str(error).removeprefix("nothing can be explained: ").rstrip(".")
    found, detail_zh = _NON_FINITE.fullmatch(detail), detail
    if found is not None:
        part, name, value, index = found.groups()
        detail_zh = f"{name}{_PARTS[part]}{f'在 {index} 处' if index else ''}是 {value}"
    return QuestionError("non_finite", detail=detail, detail_zh=detail_zh)


def refused_form(what: str, expected: str, expected_zh: str) -> QuestionError:
    """A question whose form is wrong."""
    what_zh = CALLED.get(what, what + " ")
    return QuestionError("malformed", what=what, what_zh=what_zh, expected=expected, expected_zh=expected_zh)
