"""One sentence about each layer: (English, Chinese)."""

from __future__ import annotations

from chainrule import layers
from chainrule.explain.messages import LANGUAGES, Language

INPUT = ("The sample, as the network gets it.", "网络得到的样本。")
OWN = ("A layer of your own, {name}.", "您自己的层 {name}。")
ABOUT: dict[type[layers.Layer], tuple[str, str]] = {
    layers.Linear: (
        "Every output is a weighted sum of all inputs plus a bias.",
        "每个输出都是全部输入的加权和再加偏置。",
    ),
    layers.RBF: (
        "Every output is the squared distance of the inputs from a centre of its own.",
        "每个输出都是输入到各自中心的距离的平方。",
    ),
    layers.Conv2d: (
        "A small kernel slides over the maps: at each place the weighted sum under the window, with the same weights "
        "everywhere.",
        "一个小卷积核在各张图上滑动：每处取窗口内的加权和，处处使用同一组权重。",
    ),
    layers.LocallyConnected2d: (
        "A window slides over the maps as in a convolution, but every place has weights of its own.",
        "窗口像卷积那样滑动，但每个位置有自己的权重。",
    ),
    layers.MaxPool2d: (
        "Of each window only the largest number goes on.",
        "每个窗口只保留最大的数。",
    ),
    layers.AvgPool2d: ("Each window is replaced by its mean.", "每个窗口用其平均值代替。"),
    layers.GaussianPool2d: (
        "Each window is replaced by a weighted mean that counts its middle most.",
        "每个窗口用加权平均代替，中间的权重最大。",
    ),
    layers.LPPool2d: (
        "Each window is replaced by its p-norm, between the mean and the maximum in kind.",
        "每个窗口用其 p 范数代替，性质介于平均与最大值之间。",
    ),
    layers.TrainablePool2d: (
        "The sum of each window times one weight for the map, plus a bias.",
        "每个窗口的和乘以该图的一个权重，再加偏置。",
    ),
    layers.AdaptiveAvgPool2d: (
        "Means over windows that are chosen so that the map gets the wanted size.",
        "按所需输出大小选取窗口，各取平均值。",
    ),
    layers.Identity: ("The numbers go on as they are.", "数值原样传下去。"),
    layers.ReLU: ("Negative numbers become 0, the others go on as they are.", "负数变为 0，其余不变。"),
    layers.LeakyReLU: (
        "Negative numbers are made small, the others go on as they are.",
        "负数缩小，其余不变。",
    ),
    layers.Sigmoid: (
        "Every number is squeezed between 0 and 1 by an S-shaped curve.",
        "用 S 形曲线把每个数压到 0 与 1 之间。",
    ),
    layers.Tanh: (
        "Every number is squeezed between −1 and 1 by an S-shaped curve.",
        "用 S 形曲线把每个数压到 −1 与 1 之间。",
    ),
    layers.ScaledTanh: (
        "Every number is squeezed by a scaled S-shaped curve, which is 1 at 1.",
        "用放缩过的 S 形曲线压缩每个数，它在 1 处取值 1。",
    ),
    layers.Softmax: (
        "The numbers become probabilities that add up to 1.",
        "把数值变成总和为 1 的概率。",
    ),
    layers.Dropout: (
        "In training some numbers are set to 0 at random and the others enlarged; otherwise nothing happens.",
        "训练时随机把一些数置 0 并放大其余的数；推理时不起作用。",
    ),
    layers.Flatten: (
        "The maps are written one after the other as one row of numbers.",
        "把各张图依次排成一行数。",
    ),
    layers.Add: ("The branches are added, number by number.", "把各分支逐个相加。"),
    layers.Concat: ("The maps of the branches are put side by side.", "把各分支的图并排放在一起。"),
    layers.BatchNorm1d: (
        "Every feature is shifted and scaled to mean 0 and variance 1, then scaled and shifted by what was learned.",
        "把每个特征平移缩放到均值 0、方差 1，再按学到的参数缩放平移。",
    ),
    layers.BatchNorm2d: (
        "Every channel is shifted and scaled to mean 0 and variance 1, then scaled and shifted by what was learned.",
        "把每个通道平移缩放到均值 0、方差 1，再按学到的参数缩放平移。",
    ),
    layers.LocalResponseNorm: (
        "Every number is divided by how strong its neighbours in the channels next to it are.",
        "每个数除以相邻通道同一位置的强度。",
    ),
}


def about(layer: layers.Layer | None, lang: Language) -> str:
    """What a layer (None: the input) does."""
    texts = INPUT if layer is None else ABOUT.get(type(layer), OWN)
    return texts[LANGUAGES.index(lang)].format(name=type(layer).__name__)
