"""`chainrule explain` and `chainrule examples`: the chain rule written out, for a network or for a worked example."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from chainrule.arrays import Array
from chainrule.cli.common import DataOption, NetOption, SeedOption, check_fit, choose_network, loss_of
from chainrule.cli.console import say, say_document
from chainrule.cli.folders import data_for
from chainrule.data import Dataset
from chainrule.errors import ArgumentError, DataError, StorageError
from chainrule.network import Network

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation
    from chainrule.explain.examples import Story


class Format(StrEnum):
    """How a derivation is written."""

    text = "text"
    markdown = "markdown"
    latex = "latex"
    html = "html"
    json = "json"


class Level(StrEnum):
    """How much is told."""

    short = "short"
    full = "full"


LangOption = Annotated[str, typer.Option("--lang", help="en or zh.")]


def explain(
    of: Annotated[
        str | None, typer.Argument(metavar="[OF]", help="conv1.weight[0,0,1,2], relu1[3,4,5], maxpool2")
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help="A file that train wrote.")] = None,
    net: NetOption = None,
    data: DataOption = "digits",
    index: Annotated[int | None, typer.Option("--image", help="Number of the test image to explain.")] = None,
    worst: Annotated[bool, typer.Option("--worst", help="Take the test image with the largest loss.")] = False,
    picture: Annotated[Path | None, typer.Option("--picture", help="A picture of your own, with --label.")] = None,
    label: Annotated[int | None, typer.Option("--label", help="The class that --picture shows.")] = None,
    example: Annotated[str | None, typer.Option("--example", help="Tell a worked example; see `examples`.")] = None,
    value: Annotated[bool, typer.Option("--value", help="Derive the value of a node instead of its gradient.")] = False,
    depth: Annotated[int | None, typer.Option(help="How many layers up the chain is opened.")] = None,
    terms: Annotated[
        int | None,
        typer.Option(help="How many terms of a sum are shown. [default: 6, or up to 12 that make up 90 %]"),
    ] = None,
    breadth: Annotated[int, typer.Option(help="How many numbers of one node are opened further.")] = 2,
    digits: Annotated[int, typer.Option(help="Significant digits.")] = 6,
    learning_rate: Annotated[float | None, typer.Option(help="Show the update of a parameter, too.")] = None,
    level: Annotated[Level, typer.Option("--level", help="One line for each number, or everything.")] = Level.full,
    sources: Annotated[bool, typer.Option("--sources", help="Cite the teaching texts behind each rule.")] = False,
    lang: LangOption = "en",
    form: Annotated[Format, typer.Option("--format", help="text, markdown, latex, html or json.")] = Format.text,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    seed: SeedOption = 0,
) -> None:
    """Write out the chain rule of one gradient, with all numbers.

    chainrule explain "conv1.weight[0,0,1,2]" explains LeNet-5 at the first bundled test digit."""
    if (of is None) == (example is None):
        raise ArgumentError('say what to explain, such as "conv1.weight[0,0,1,2]", or give --example (not both)')
    result: Derivation | Story
    if example is not None:
        from chainrule.explain.examples import story

        result = story(example, lang=lang, sources=sources or None)
    else:
        from chainrule.explain import explain as derive

        network = choose_network(model, net, seed)
        chosen = choose_sample(network, data, index, worst, picture, label)
        result = derive(
            network,
            chosen.x,
            chosen.targets,
            loss_of(network),
            str(of),
            quantity="value" if value else "gradient",
            depth=depth,
            terms=terms,
            breadth=breadth,
            lang=lang,
            digits=digits,
            learning_rate=learning_rate,
            training=False,
            sources=sources,
            level=level.value,
        )
    _write(result, form, output)


@dataclass(frozen=True)
class Chosen:
    """A sample as a batch of one, with its target; of a data set, also that and the number of the test image there."""

    x: Array
    targets: Array
    dataset: Dataset | None = None
    index: int = 0


def choose_sample(
    network: Network, data: str, index: int | None, worst: bool, picture: Path | None, label: int | None
) -> Chosen:
    """The sample that --image, --worst, or --picture with --label names."""
    if (index is not None) + worst + (picture is not None) > 1 or (picture is None) != (label is None):
        raise ArgumentError("choose the sample by one of --image, --worst, and --picture with --label")
    if picture is not None and label is not None:
        return Chosen(*_own_sample(network, picture, label))
    dataset = data_for(network, data)
    images, labels = dataset.test_images, dataset.test_labels
    if worst:
        check_fit(network, dataset)
        index = int(loss_of(network).each(network.predict(images), labels).argmax())
        say(
            f"the largest loss of {len(images)} test images: number {index}, class {dataset.class_names[labels[index]]}"
        )
    index = index or 0
    if not 0 <= index < len(images):
        raise DataError(f"--image must lie between 0 and {len(images) - 1}, not {index}")
    return Chosen(images[index : index + 1], labels[index : index + 1], dataset, index)


def _own_sample(network: Network, picture: Path, label: int) -> tuple[Array, Array]:
    """A picture prepared as those were that the network learned from, and the class that it shows."""
    from chainrule.data.images import read_picture
    from chainrule.data.preparation import assumed

    preparation = network.preparation or assumed(network.input_shape)
    return preparation.sample(read_picture(picture), network.input_shape)[None], np.array([label])


def _write(result: Any, form: Format, output: Path | None) -> None:
    if form is Format.text and output is None:
        result.show()
        return
    text = {
        Format.text: result.text,
        Format.markdown: result.markdown,
        Format.latex: result.latex,
        Format.html: result.html,
        Format.json: lambda: json.dumps(result.to_dict(), ensure_ascii=False, indent=1) + "\n",
    }[form]()
    if output is None:
        say_document(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"cannot write {output}: {error.strerror or error}") from None
    say(f"written to {output}")


def examples(lang: LangOption = "en") -> None:
    """List the worked examples that `explain --example` tells."""
    from chainrule.explain.examples import listing

    for name, title in listing(lang):
        say(f"{name:<10} {title}")
    say(
        "",
        "chainrule explain --example NAME tells one."
        if lang == "en"
        else "用 chainrule explain --example NAME 讲述其中一个。",
    )
