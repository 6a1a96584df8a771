"""The questions `examples` and `example`: networks that are ready to be looked at."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

import numpy as np

from chainrule.data import Dataset, load_digits
from chainrule.explain.examples import STORIES, listing, story
from chainrule.explain.messages import LANGUAGES
from chainrule.explorer.questions.asking import Question, quoted
from chainrule.explorer.questions.refusals import QuestionError
from chainrule.explorer.views import Subject
from chainrule.losses import CrossEntropyLoss, HalfSquaredErrorLoss
from chainrule.network import Network
from chainrule.optimizers import SGD
from chainrule.zoo.cifar import resnet_like, vgg_like
from chainrule.zoo.lenet5 import lenet5
from chainrule.zoo.perceptrons import mlp, two_two_two

if TYPE_CHECKING:
    from chainrule.explorer.exploration import Exploration

SHOWN = 100
"""Digits of the test part that an example has as samples."""
DIGITS = (1, 28, 28)
SMALL = (4, 8, 16)
Titles = tuple[str, str]
CITED = re.compile(r" ?[(（]S\d[)）]$")
"""The text that a story retells, which the story itself explains."""


class Recipe(NamedTuple):
    """A network that learns the bundled digits: how it is built, how long and how fast it learns, what it is."""

    build: Callable[[], Network]
    epochs: int
    learning_rate: float
    titles: Titles


NETWORKS: dict[str, Recipe] = {
    "lenet5-digits": Recipe(lenet5, 3, 0.05, ("LeNet-5 as it is built today", "今天写法的 LeNet-5")),
    "lenet5-1998": Recipe(
        lambda: lenet5("1998"),
        1,
        0.01,
        (
            "LeNet-5 of 1998: scaled tanh, pools with weights, distances from drawn digits",
            "1998 年的 LeNet-5：缩放的 tanh、可训练池化、到手绘数字的距离",
        ),
    ),
    "mlp-digits": Recipe(
        lambda: mlp(DIGITS, (32, 16)), 3, 0.05, ("Dense layers 784-32-16-10", "全连接网络 784-32-16-10")
    ),
    "vgg-digits": Recipe(
        lambda: vgg_like(DIGITS, widths=SMALL),
        1,
        0.02,
        ("3×3 convolutions in pairs, as in VGG", "成对的 3×3 卷积，仿 VGG"),
    ),
    "resnet-digits": Recipe(
        lambda: resnet_like(DIGITS, widths=SMALL, blocks=1),
        1,
        0.02,
        ("Residual blocks with batch normalisation, as in ResNet", "带批归一化的残差块，仿 ResNet"),
    ),
}
"""Every network of the zoo that learns digits, small where it would be large."""
TRAINED: Titles = (
    "{title}; trained for {epochs} on the {count} bundled digits",
    "{title}；在自带的 {count} 张数字上训练了 {epochs}",
)
TWO = "2-2-2"
TWO_TITLES: Titles = (
    "Two inputs, two hidden and two output units, untrained",
    "两个输入、两个隐藏单元、两个输出单元，未训练",
)


class ExampleEntry(TypedDict):
    """A "story" is a worked example with a goal, a "network" one of the zoo."""

    name: str
    title: str
    kind: Literal["story", "network"]


def examples(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "examples", "lang"?} -> {"examples": [ExampleEntry]}."""
    which = LANGUAGES.index(asked.lang)
    found = [ExampleEntry(name=name, title=titles_of(name)[which], kind=kind) for name, kind in KINDS.items()]
    return {"examples": found}


def example(exploration: Exploration, asked: Question) -> dict[str, Any]:
    """{"ask": "example", "name", "lang"?} -> {"sample", "title"}: from now on that network at its samples is explored;
    its goals are where tours end."""
    name, which = asked.text("name"), LANGUAGES.index(asked.lang)
    if name not in KINDS:
        raise QuestionError("example", name=quoted(name), known=", ".join(KINDS))
    exploration.start(subject_of(name))
    return {"sample": exploration.current, "title": exploration.subject.titles[which]}


def subject_of(name: str) -> Subject:
    """What an example explores."""
    if name in STORIES:
        return _story(name)
    if name == TWO:
        x, targets = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
        return Subject(two_two_two(), x, targets, HalfSquaredErrorLoss(), titles=TWO_TITLES)
    net, digits = trained(name), _digits()
    images, labels = digits.test_images[:SHOWN], digits.test_labels[:SHOWN]
    return Subject(
        net,
        images,
        labels,
        net.loss or CrossEntropyLoss(),
        learned_from=(digits.train_images, digits.train_labels),
        class_names=net.class_names,
        titles=titles_of(name),
        first=int((net.classify(images).labels != labels).argmax()),  # what is right already has gradients near 0
    )


def titles_of(name: str) -> Titles:
    """What an example is, in English and Chinese."""
    if name in STORIES:
        english, chinese = (CITED.sub("", dict(listing(lang))[name]) for lang in LANGUAGES)
        return english[:1].upper() + english[1:], chinese
    if name == TWO:
        return TWO_TITLES
    recipe, count = NETWORKS[name], f"{len(_digits().train_images):,}"
    epochs = (f"{recipe.epochs} epoch{'s' * (recipe.epochs > 1)}", f"{recipe.epochs} 轮")
    english, chinese = (
        text.format(title=title, epochs=how_long, count=count)
        for text, title, how_long in zip(TRAINED, recipe.titles, epochs, strict=True)
    )
    return english, chinese


@lru_cache(maxsize=1)
def _digits() -> Dataset:
    return load_digits()


@lru_cache(maxsize=len(NETWORKS))
def trained(name: str) -> Network:
    """A network that has learned the bundled digits a little; always the same. It is shared: nobody may change it."""
    recipe = NETWORKS[name]
    net = recipe.build()
    net.fit(
        _digits(),
        loss=net.loss or CrossEntropyLoss(),
        optimizer=SGD(recipe.learning_rate, momentum=0.9),
        epochs=recipe.epochs,
        batch_size=32,
        progress=False,
    )
    return net


def _story(name: str) -> Subject:
    """The network of a story's first derivation, with the goals of all derivations of that network."""
    derivations = story(name).derivations
    setting = derivations[0].setting
    assert setting is not None
    told = [one for one in derivations if one.setting is not None and one.setting.net is setting.net]
    return Subject(
        setting.net,
        np.asarray(setting.x),
        np.asarray(setting.targets),
        setting.loss,
        setting.training,
        together=len(np.asarray(setting.x)) > 1,
        goals=tuple(one.of for one in told if one.place.quantity != "value"),
        titles=titles_of(name),
    )


KINDS: dict[str, Literal["story", "network"]] = {
    **dict.fromkeys(STORIES, "story"),
    **dict.fromkeys((*NETWORKS, TWO), "network"),
}
"""Every example by name."""
