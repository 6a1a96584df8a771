"""Sizes that come from a user or a file and that no machine can hold are refused before work: in one sentence, with the
number of bytes, and at once.

Every attack runs with each engine in a process that has 4 GiB of address space: what asks for memory first fails with
NumPy's MemoryError, and what begins to work runs into the limit of time.
"""

from __future__ import annotations

import sys

import pytest

from tests.attacks.children import Answers, answers

ATTACKS = {
    "padding of a convolution": "net(1, conv(stride=50000, padding=100000))",
    "padding of 2**31 - 1": "net(1, conv(stride=2**30, padding=2**31 - 1))",
    "dilation": "net(1, conv(2, stride=50000, dilation=100000, padding=100000))",
    "mean over 20,000": "net(1, cr.AvgPool2d(20000, padding=10000))",
    "mean over 50,000": "net(1, cr.AvgPool2d(50000, padding=25000))",
    "maximum over 20,000": "net(1, cr.MaxPool2d(20000, padding=10000))",
    "maximum over 2**31": "net(1, cr.MaxPool2d(2**31 - 1, padding=2**30 - 1))",
    "maximum over 2**30": "net(1, cr.MaxPool2d(2**30, padding=2**29), samples=1)",
    "neighbours of 2**31 channels": "net(4, cr.LocalResponseNorm(2**31 - 1))",
    "adaptive pooling to 30,000": "net(1, cr.AdaptiveAvgPool2d(30000))",
    "adaptive pooling to 2**31": "adaptive(2**31 - 1, 8)",
    "adaptive pooling of 2**28 columns": "adaptive((1, 2**19), 2**28)",
    "weights of 2**31 x 2**31": "cr.Sequential(cr.Linear(2**31 - 1, 2**31 - 1))",
    "weights of 20,000 x 20,000": "cr.Sequential(cr.Linear(20000, 20000))",
    "many large layers": "cr.Sequential(*[cr.Linear(10000, 10000) for _ in range(20)])",
    "weights of every place": "cr.Sequential(cr.LocallyConnected2d(3, 64, 7), input_shape=(3, 512, 512))",
    "samples of 2**93 numbers": "cr.Sequential(cr.ReLU(), input_shape=(2**31 - 1,) * 3)",
    "outputs of a batch": "cr.Sequential(cr.Linear(1, 2**20))(np.ones((2**16, 1)), engine=engine)",
    "outputs of all batches": "cr.Sequential(cr.Linear(1, 2**20)).predict(np.ones((2**16, 1)), engine=engine)",
    "a batch of maps": "net(1, cr.Conv2d(1, 64, 3, padding=1), samples=10**6)",
    "40,000 classes": "many_classes()",
    "2**31 epochs": "many_epochs()",
    "one of 40,000": "cr.one_hot(np.arange(9), 40000)",
    "directions of 100,000 features": "PCA().fit(np.broadcast_to(np.float32(0), (40000, 100000)))",
}

PROGRAM = """
import sys
import numpy as np
import chainrule as cr
from chainrule.preprocessing import PCA

engine = sys.argv[1]


def conv(kernel=3, **options):
    return cr.Conv2d(1, 1, kernel, **options)


def net(channels, layer, samples=2):
    made = cr.Sequential(layer, cr.Flatten(), input_shape=(channels, 8, 8))
    x = np.broadcast_to(np.float64(1), (samples, channels, 8, 8))
    y = made(x, engine=engine)
    loss = cr.MSELoss()
    made.gradients(x, np.zeros((samples, *made.output_shape)), loss=loss, engine=engine)
    made.fit(x, np.zeros(y.shape), loss=loss, optimizer=cr.SGD(0.1), progress=False, engine=engine)


def adaptive(size, columns):
    cr.Sequential(cr.AdaptiveAvgPool2d(size), input_shape=(1, 1, columns)).summary()


def many_classes():
    made = cr.Sequential(cr.Linear(4, 40000))
    result = made.evaluate(np.ones((3, 4)), [0, 1, 2], loss=cr.CrossEntropyLoss(), engine=engine)
    assert result.accuracy is not None and result.recall.shape == (40000,)
    result.confusion


def many_epochs():
    def stop(row):
        raise KeyboardInterrupt

    options = {"loss": cr.CrossEntropyLoss(), "optimizer": cr.SGD(0.1), "progress": False, "engine": engine}
    for schedule in (None, cr.Cosine(), cr.StepDecay(3)):
        made = cr.Sequential(cr.Linear(4, 4))
        history = made.fit(np.ones((2, 4)), [0, 1], epochs=2**31 - 1, on_epoch=stop, schedule=schedule, **options)
        assert history.stopped == "interrupted" and len(history.rows) == 1

"""

MAY_FINISH = {
    "native": {
        "padding of a convolution", "dilation", "mean over 20,000", "mean over 50,000", "maximum over 20,000",
        "maximum over 2**31", "maximum over 2**30", "neighbours of 2**31 channels",
        "adaptive pooling of 2**28 columns", "2**31 epochs", "one of 40,000",
    },
    "reference": {"neighbours of 2**31 channels", "adaptive pooling of 2**28 columns", "2**31 epochs", "one of 40,000"},
}  # fmt: skip
"""What an engine can do in spite of its looks: padding that no window has to read costs nothing."""


@pytest.fixture(scope="module", params=["native", "reference"])
def said(request: pytest.FixtureRequest) -> tuple[str, Answers]:
    return request.param, answers(ATTACKS, request.param, gibibytes=4, seconds=240, program=PROGRAM)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory as Linux has them")
@pytest.mark.parametrize("name", ATTACKS)
def test_sizes_that_no_machine_holds(name: str, said: tuple[str, Answers]) -> None:
    engine, told = said
    kind, message = told[name]
    if kind == "done":
        assert name in MAY_FINISH[engine]
        return
    assert kind in ("ShapeError", "EngineError"), message
    assert "\n" not in message
    if "can index" not in message:  # what 32 bits cannot index has its own sentence
        assert " bytes" in message
        assert "CHAINRULE_MEMORY" in message
