"""Networks that are known by name, ready to train: `zoo.lenet5()`, `zoo.mlp()`, `zoo.two_two_two()`, ...

`zoo.parameters_by_image_size()` and `zoo.ways_to_save()` answer, from real networks, why a convolutional network
needs fewer parameters than a fully connected one (S2-H01, S2-H02).
"""

from collections.abc import Callable

from chainrule.network import Network
from chainrule.zoo.cifar import resnet_like, vgg_like
from chainrule.zoo.digits import digit_centres
from chainrule.zoo.lenet5 import lenet5
from chainrule.zoo.perceptrons import mlp, two_two_two
from chainrule.zoo.savings import parameters_by_image_size, ways_to_save

NETWORKS: dict[str, Callable[..., Network]] = {
    network.__name__: network for network in (lenet5, mlp, two_two_two, vgg_like, resnet_like)
}
"""Every network of the zoo by name."""

__all__ = ["NETWORKS", "digit_centres", "parameters_by_image_size", "ways_to_save", *NETWORKS]
