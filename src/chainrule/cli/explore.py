"""`chainrule explore`: a page that steps forward and backward through a network, served to this machine or written."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chainrule.cli.common import DataOption, NetOption, SeedOption, check_fit, choose_network, loss_of
from chainrule.cli.console import say
from chainrule.cli.explain import Chosen, choose_sample
from chainrule.errors import ArgumentError, StorageError
from chainrule.network import Network

if TYPE_CHECKING:
    from chainrule.explorer.showing import Explorer

SAMPLES = 200
"""Test images that the page can choose from, unless --image asks for a later one."""
LEARNED_FROM = 2000
"""Training images that the page learns from."""


def explore(
    model: Annotated[Path | None, typer.Argument(metavar="[MODEL]", help="A file that train wrote.")] = None,
    net: NetOption = None,
    data: DataOption = "digits",
    index: Annotated[int | None, typer.Option("--image", help="Number of the test image that is shown first.")] = None,
    worst: Annotated[bool, typer.Option("--worst", help="Begin with the test image with the largest loss.")] = False,
    picture: Annotated[Path | None, typer.Option("--picture", help="A picture of your own, with --label.")] = None,
    label: Annotated[int | None, typer.Option("--label", help="The class that --picture shows.")] = None,
    static: Annotated[
        Path | None, typer.Option("--static", metavar="OUT.html", help="Write one file that needs no server, and end.")
    ] = None,
    port: Annotated[int, typer.Option("--port", help="Of 127.0.0.1; 0 takes any that is free.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="OUT", help="Let the page write the network that it changed here.")
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """See the forward and the backward pass of a network in the browser, step by step.

    chainrule explore begins with LeNet-5 and the first bundled test digit. Only this machine can open the page."""
    for path in (static, save):
        if path is not None and not path.parent.is_dir():
            raise StorageError(f"cannot write {path}: there is no folder {path.parent}")
    if static is not None and save is not None:
        raise ArgumentError("give either --static or --save: a file cannot change a network")
    network = choose_network(model, net, seed)
    explorer = _explorer(network, choose_sample(network, data, index, worst, picture, label))
    if static is not None:
        say("recording what the page may ask for; this can take a minute")
        say(f"written to {explorer.save(static)}")
        return
    serving = explorer.serve(port, browser=False, save=save)
    say(f"the explorer is at {serving.url}", "Ctrl+C ends it")
    if browser:
        webbrowser.open(serving.url)
    serving.wait()


def _explorer(network: Network, chosen: Chosen) -> Explorer:
    """The explorer of the sample among others of its data set, from whose training images the page can learn."""
    from chainrule.explorer.showing import Explorer

    loss, dataset = loss_of(network), chosen.dataset
    if dataset is None:
        return Explorer(network, chosen.x, chosen.targets, loss=loss)
    check_fit(network, dataset)
    most = max(SAMPLES, chosen.index + 1)
    return Explorer(
        network,
        dataset.test_images[:most],
        dataset.test_labels[:most],
        loss=loss,
        sample=chosen.index,
        learned_from=(dataset.train_images[:LEARNED_FROM], dataset.train_labels[:LEARNED_FROM]),
        class_names=dataset.class_names if len(dataset.class_names) == network.output_shape[0] else None,
    )
