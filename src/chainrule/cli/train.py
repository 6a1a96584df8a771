"""`chainrule train`: from nothing to a trained, tested, saved and drawn network."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from chainrule import __version__, data
from chainrule.arrays import Array, compute_dtype
from chainrule.atomic import write_atomically
from chainrule.cli.common import (
    MODEL_FILE,
    MOST_CONFUSED,
    STEPS,
    DataOption,
    DtypeOption,
    EngineOption,
    NetOption,
    SeedOption,
    build,
    loss_of,
    make_folder,
)
from chainrule.cli.console import say
from chainrule.cli.folders import ColourOption, Pictures, SizeOption, SkipBrokenOption, SplitSeedOption, size_of
from chainrule.cli.pictures import draw_plots
from chainrule.cli.recipes import Settings
from chainrule.data import Dataset, Preparation
from chainrule.data.likeness import Likeness
from chainrule.data.shifts import with_shifted_copies
from chainrule.engines import engine_named
from chainrule.errors import ArgumentError
from chainrule.history import History
from chainrule.metrics import Evaluation, filled_class_names
from chainrule.network import Network
from chainrule.shapes import shape_text

VALIDATION_SHARE, VALIDATION_MOST = 0.1, 5000
RUNS = Path("chainrule-runs")
INTERRUPTED = 130
SHIFT = 2
"""Pixels by which copies of training images are moved at most."""


def train(
    data: DataOption = "digits",
    net: NetOption = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes through the data (default: 15, or 5 where it is large).")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Images per step.")] = 32,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Default: 0.03, adam 0.002, adamw 0.003, rmsprop 0.001; for lenet5-1998 0.003, others 0.006."
        ),
    ] = None,
    optimizer: Annotated[str, typer.Option(help="sgd, adam, adamw or rmsprop.")] = "sgd",
    momentum: Annotated[float, typer.Option(help="Of sgd.")] = 0.9,
    weight_decay: Annotated[float | None, typer.Option(help="Default: 5e-4, adam and rmsprop 0, adamw 0.05.")] = None,
    schedule: Annotated[str, typer.Option(help="one-cycle, cosine, step or constant.")] = "one-cycle",
    shifts: Annotated[
        int | None,
        typer.Option(help="Moved copies of each training image (default: 9 for the bundled digits, else 0)."),
    ] = None,
    prepare: Annotated[
        str | None,
        typer.Option("--prepare", metavar="STEPS", help=f"{STEPS}the images of the data set are made."),
    ] = None,
    size: SizeOption = None,
    colour: ColourOption = None,
    split_seed: SplitSeedOption = 0,
    skip_broken: SkipBrokenOption = False,
    seed: SeedOption = 0,
    engine: EngineOption = None,
    dtype: DtypeOption = None,
    output: Annotated[Path | None, typer.Option(help="Folder for model, plots and report.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better validation loss.")
    ] = None,
    keep_best: Annotated[
        bool, typer.Option("--keep-best", help="End with the epoch of the best validation loss.")
    ] = False,
    plots: Annotated[bool, typer.Option("--plots/--no-plots", help="Draw what was learned.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result alone.")] = False,
) -> None:
    """Train a network and test it.

    LeNet-5 on the bundled digits, unless told otherwise."""
    settings = Settings(epochs, batch_size, optimizer, learning_rate, momentum, weight_decay, schedule, shifts)
    pictures = Pictures(size_of(size), colour, split_seed, skip_broken)
    job = Job(
        data,
        pictures,
        net or "lenet5",
        settings,
        prepare,
        seed,
        engine,
        dtype,
        output,
        patience,
        keep_best,
        plots,
        quiet,
    )
    raise typer.Exit(run(job))


@dataclass(frozen=True)
class Job:
    """Everything `train` was asked for."""

    data: str
    pictures: Pictures
    net: str
    settings: Settings
    prepare: str | None
    seed: int
    engine: Any
    dtype: Any
    output: Path | None
    patience: int | None
    keep_best: bool
    plots: bool
    quiet: bool


def run(job: Job) -> int:
    """Do the job; the exit code."""
    tell: Callable[..., None] = (lambda *lines: None) if job.quiet else say
    if job.seed < 0:
        raise ArgumentError(f"--seed must be 0 or larger, not {job.seed}")
    dataset = job.pictures.load(job.data, job.prepare)
    net = build(job.net, dataset, job.seed)
    net.preparation = _preparation(dataset, job.prepare)
    net.class_names = filled_class_names(dataset.class_names, net.output_shape)
    chosen = engine_named(job.engine).name
    folder = make_folder(job.output or _next_folder(dataset, job.net))
    kept, held = split(dataset, job.seed)
    settings = job.settings.resolved(loss_of(net), dataset.name, len(kept))
    precision = compute_dtype(dataset.train_images, job.dtype).name
    job = replace(job, engine=chosen, dtype=precision, settings=settings)
    tell(f"{_title(job.net)}, {net.parameter_count:,} parameters, engine {chosen}")
    counts = f"{len(kept):,} to train on, {len(held):,} to validate, {len(dataset.test_images):,} to test"
    tell(f"{dataset.name}, images: {counts}")
    if data.holds_pictures(job.data):
        notes = f"; {dataset.notes}" if dataset.notes else ""
        tell(f"{len(dataset.class_names)} classes, pictures as {shape_text(dataset.input_shape)}{notes}")
    if dataset.preparation != net.preparation:
        tell(f"pictures will be prepared for it by: {net.preparation} (--prepare says otherwise)")
    if settings.shifts:
        tell(f"each training image also {settings.shifts} times, moved by up to {SHIFT} pixels")
    history = fit(net, dataset, job, kept, held)
    images = dataset.train_images
    net.likeness = Likeness.of(images[kept], dataset.train_labels[kept], images[held])
    net.save(folder / MODEL_FILE)
    if history.stopped == "interrupted":
        say(f"interrupted after {len(history.rows)} epochs; the network as it was is in {folder / MODEL_FILE}")
        return INTERRUPTED
    result = net.evaluate(
        dataset.test_images, dataset.test_labels, loss=loss_of(net), engine=job.engine, dtype=job.dtype
    )
    _write_report(folder, job, net, history, result, {"training": len(kept), "validation": len(held)})
    drawn = "not drawn"
    if job.plots:
        drawn = draw_plots(folder, net, dataset.test_images, dataset.test_labels, history=history, engine=job.engine)
    _farewell(job, folder, result, history, drawn, tell)
    return 0


def _preparation(dataset: Dataset, given: str | None) -> Preparation:
    """How pictures become samples: as --prepare says, else as the data set's were made or seem to have been made."""
    own = dataset.picture_preparation()
    return own if given is None else Preparation(Preparation.parse(given).steps, own.black, own.white)


def fit(net: Network, dataset: Dataset, job: Job, kept: Array, held: Array) -> History:
    """Train as the settings say, with a bar unless quiet."""
    settings = job.settings
    images, labels = with_shifted_copies(
        dataset.train_images[kept],
        dataset.train_labels[kept],
        settings.shifts_for(dataset.name),
        pixels=SHIFT,
        seed=job.seed,
    )
    epochs = settings.epochs_for(len(images))
    return net.fit(
        images,
        labels,
        loss=loss_of(net),
        optimizer=settings.make_optimizer(loss_of(net)),
        schedule=settings.make_schedule(epochs),
        epochs=epochs,
        batch_size=settings.batch_size,
        validation=(dataset.train_images[held], dataset.train_labels[held]),
        seed=job.seed,
        patience=job.patience,
        keep_best=job.keep_best,
        engine=job.engine,
        dtype=job.dtype,
        progress=not job.quiet,
    )


def split(dataset: Dataset, seed: int) -> tuple[Array, Array]:
    """(places to train on, places to validate): a tenth of the training images, at most 5,000, chosen by the seed.

    Test images are never looked at before the end.
    """
    count = len(dataset.train_images)
    held = max(1, min(VALIDATION_MOST, int(VALIDATION_SHARE * count)))
    if held >= count:
        raise ArgumentError(f"{dataset.name} has {count} training image(s); at least 2 are needed")
    order = np.random.default_rng([seed, count]).permutation(count)
    return np.sort(order[held:]), np.sort(order[:held])


def _title(net: str) -> str:
    return net if len(net) <= 60 else net[:57] + "..."


def _next_folder(dataset: Dataset, net: str) -> Path:
    """chainrule-runs/digits-lenet5-1, -2, ...: the first that does not exist."""
    kind = "custom" if "->" in net else net.strip().lower()
    stem = re.sub(r"[^\w.-]+", "-", f"{Path(dataset.name).name}-{kind}")
    number = 1
    while (RUNS / f"{stem}-{number}").exists():
        number += 1
    return RUNS / f"{stem}-{number}"


def _write_report(
    folder: Path, job: Job, net: Network, history: History, result: Evaluation, images: dict[str, int]
) -> None:
    """run.json: what was used, defaults included, what happened, what came out."""
    assert net.preparation is not None
    confusion = result.confusion_of_few(MOST_CONFUSED)
    rows = None if confusion is None else confusion.tolist()
    report = {
        "chainrule": __version__,
        "data": job.data,
        "pictures": asdict(job.pictures),
        "images": {**images, "test": result.samples},
        "network": str(net),
        "seed": job.seed,
        "engine": job.engine,
        "dtype": job.dtype,
        "settings": job.settings.report(),
        "keep_best": job.keep_best,
        "patience": job.patience,
        "preparation": net.preparation.to_json(),
        "class_names": list(net.class_names or ()),
        "parameters": net.parameter_count,
        "history": [asdict(row) for row in history.rows],
        "stopped": history.stopped,
        "best_epoch": history.best_epoch,
        "test": {"loss": result.loss, "accuracy": result.accuracy, "confusion": rows},
    }
    write_atomically(folder / "run.json", json.dumps(report, indent=1).encode())


def _farewell(
    job: Job, folder: Path, result: Evaluation, history: History, drawn: str, tell: Callable[..., None]
) -> None:
    right = 100 * (result.accuracy or 0.0)
    say(f"test accuracy {right:.2f} %, loss {result.loss:.4f}, on {result.samples:,} images never trained on")
    if history.stopped == "early":
        tell(f"stopped early after {len(history.rows)} epochs; the best was epoch {history.best_epoch}")
    model = folder / MODEL_FILE
    tell(f"model   {model}", f"plots   {drawn}", f"report  {folder / 'run.json'}")
    other = "--data mnist" if job.data == "digits" else '--net "1x28x28 -> fc 10"'
    split = f" --split-seed {job.pictures.seed}" if job.pictures.seed else ""
    place, source = shlex.quote(str(folder)), "" if job.data == "digits" else f" --data {shlex.quote(job.data)}"
    tell(
        "", f"Next:   chainrule predict {place} your-picture.png", f"        chainrule evaluate {place}{source}{split}"
    )
    tell(f"        chainrule train {other}")
