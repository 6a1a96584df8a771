"""`chainrule exercises` and `chainrule grade`: what students are handed, and what is said about what they wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.cells import set_cell_size

from chainrule.atomic import write_together
from chainrule.cli.console import USER_ERROR, complain, say, say_block, say_document, width
from chainrule.cli.explain import LangOption
from chainrule.errors import ArgumentError, ChainruleError, StorageError

if TYPE_CHECKING:
    from chainrule.exercises import Exercise

WRONG = 1
ALL = "all"

exercises = typer.Typer(
    help="List the exercises of the book, and copy them.", invoke_without_command=True, rich_markup_mode=None
)


@exercises.callback()
def list_exercises(context: typer.Context, lang: LangOption = "en") -> None:
    """List the exercises of the book by chapter; `copy` hands them out, `chainrule grade` judges them."""
    from chainrule.exercises import EXERCISES
    from chainrule.exercises.messages import language, sentence_of, task
    from chainrule.exercises.verdict import Note

    if context.invoked_subcommand is not None:
        return
    chosen = language(lang)
    chapter = 0
    for each in EXERCISES.values():
        if each.chapter != chapter:
            chapter = each.chapter
            say(
                ""
                if chapter > 1
                else f"{len(EXERCISES)} exercises"
                if chosen == "en"
                else f"共 {len(EXERCISES)} 道练习"
            )
            say(sentence_of(Note("chapter", {"chapter": chapter}), chosen).capitalize())
        kind = sentence_of(Note(f"kind_{each.kind}"), chosen)
        say(f"  {set_cell_size(kind, 8)} {each.name:<19} {task(each.name, chosen)['title']}")
    told = ("chainrule exercises copy NAME hands one out, chainrule grade FILE judges it.",
            "chainrule exercises copy NAME 领取一道练习，chainrule grade FILE 为它评分。")  # fmt: skip
    say("", told[chosen == "zh"])


@exercises.command()
def copy(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help='Exercises, or "all".')],
    notebook: Annotated[
        bool, typer.Option("--notebook", help="Write notebooks (.ipynb) instead of .py files.")
    ] = False,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where to write them.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    lang: LangOption = "en",
) -> None:
    """Write the files of exercises: the task, the shapes, an example, and a function to be written."""
    from chainrule.exercises import EXERCISES, exercise, stubs
    from chainrule.exercises.messages import language

    chosen = language(lang)
    asked: list[Exercise] = list(EXERCISES.values()) if names == [ALL] else [exercise(name) for name in names]
    made = {
        to / stubs.file_name(e, notebook): (stubs.notebook if notebook else stubs.program)(e, chosen) for e in asked
    }
    there = [path for path in made if path.exists() and not force]
    if there:
        raise ArgumentError(f"{there[0]} is there already; --force replaces it, --to names another folder")
    try:
        to.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot write to the folder {to}: {error.strerror or error}") from None
    write_together({path: text.encode() for path, text in made.items()})
    for path in made:
        say(str(path))


def grade(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .py file or a notebook with solutions.")],
    names: Annotated[
        list[str] | None, typer.Option("--exercise", "-e", metavar="NAME", help="Grade this one; may be repeated.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, for the machines of a course.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="Processor time for each exercise.", min=0.1)] = 10.0,
    memory: Annotated[int, typer.Option(help="MiB of memory for each exercise.", min=64)] = 1024,
    seed: Annotated[int | None, typer.Option("--seed", help="Repeat the inputs of a report.")] = None,
    lang: LangOption = "en",
) -> None:
    """Say what is wrong in a solution of exercises, without giving the answer away.

    The exit code is 0 where all is right, 1 where something is wrong, 2 where the file cannot be graded."""
    from chainrule.exercises import grade_file

    try:
        report = grade_file(file, names or (), lang=lang, seed=seed, seconds=seconds, memory=memory * 2**20)
    except ChainruleError as error:
        if not as_json:
            raise
        say_document(
            json.dumps({"format": "chainrule-grade/1", "file": str(file), "ok": False, "error": str(error)}) + "\n"
        )
        complain(error)
        raise typer.Exit(USER_ERROR) from None
    if as_json:
        say_document(report.json())
    else:
        say_block(report.text(width=min(width(), 100)))
    if not report.ok:
        raise typer.Exit(WRONG)
