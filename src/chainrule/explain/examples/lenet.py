"""One C1 weight, one C3 delta and one input pixel of LeNet-5 at a real digit."""

from __future__ import annotations

import numpy as np

from chainrule.data import load_digits
from chainrule.explain.api import derive
from chainrule.explain.blocks import Block, Text
from chainrule.explain.derivation import Derivation
from chainrule.explain.messages import say
from chainrule.losses import CrossEntropyLoss
from chainrule.zoo.lenet5 import lenet5


def parts() -> list[Block | Derivation]:
    """The story."""
    digits = load_digits()
    x, targets, loss = digits.test_images[:1], digits.test_labels[:1], CrossEntropyLoss()
    net = lenet5()
    trace = net.trace(x, targets, loss=loss, dtype="float64", engine="reference")
    asked = ["conv1.weight[0,0,1,2]"]
    for node in ("conv2", "input"):
        slope = trace[node].gradient[0]
        most = np.unravel_index(int(np.abs(slope).argmax()), slope.shape)
        asked.append(f"{node}[{','.join(str(int(i)) for i in most)}]")
    derivations = [derive(net, x, targets, loss, of, breadth=1) for of in asked]
    return [Text(say("lenet5_intro", label=str(int(targets[0])))), *derivations]
