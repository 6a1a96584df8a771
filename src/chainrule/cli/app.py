"""The program itself: its commands, its version, and how every error ends: in one sentence, without a traceback."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

import typer

from chainrule.cli.check import check
from chainrule.cli.console import LEFT, USER_ERROR, complain, finish, prepare_streams, say
from chainrule.cli.evaluate import evaluate
from chainrule.cli.exercises import exercises, grade
from chainrule.cli.explain import examples, explain
from chainrule.cli.explore import explore
from chainrule.cli.export import export
from chainrule.cli.helping import Command, Section, show_usage_error
from chainrule.cli.importing import import_network
from chainrule.cli.language import current, spoken
from chainrule.cli.predict import predict
from chainrule.cli.summary import summary
from chainrule.cli.train import train
from chainrule.cli.vectors import vectors
from chainrule.engines.native.threads import threads
from chainrule.errors import ChainruleError, shown
from chainrule.progress import EpochBar

INTERRUPTED = 130


class Commands(Section):
    """Runs a command, and turns what may go wrong into a sentence on stderr and an exit code."""

    def make_context(self, *args: Any, **more: Any) -> Any:
        with _usage_escaped():
            return super().make_context(*args, **more)

    def invoke(self, ctx: Any) -> Any:
        EpochBar.worded = spoken
        try:
            with _usage_escaped(), warnings.catch_warnings():
                warnings.showwarning = _say_warning
                return super().invoke(ctx)
        except ChainruleError as error:
            complain(error)
            raise typer.Exit(USER_ERROR) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except MemoryError:
            complain("not enough memory; a smaller --batch-size or network may fit")
            raise typer.Exit(USER_ERROR) from None
        finally:
            EpochBar.worded = str


def _say_warning(message: Warning | str, *place: Any, **more: Any) -> None:
    """What the library warns of, without the line of Python that led to it."""
    complain(str(message))


@contextmanager
def _usage_escaped() -> Iterator[None]:
    """Arguments that cannot be understood are quoted escaped; a file name may look like an option."""
    try:
        yield
    except Exception as error:
        if hasattr(error, "format_message"):  # the exceptions of click, which some versions of typer carry inside
            error.message = shown(error.message)  # type: ignore[attr-defined]
        if hasattr(error, "format_message") and current() != "en":
            error.show = partial(show_usage_error, error)  # type: ignore[attr-defined]
        raise


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

for command in (train, evaluate, predict, export, summary, check, explain, explore, examples, grade, vectors):
    app.command(cls=Command)(command)
app.command("import", cls=Command)(import_network)
for registered in exercises.registered_commands:
    registered.cls = Command
app.add_typer(exercises, name="exercises", cls=Section)


def _show_version(asked: bool) -> None:
    if asked:
        from chainrule import __version__

        say(f"chainrule {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Networks whose every backward pass is written by hand from the chain rule.

    Begin with: chainrule train
    """
    threads()  # a mistake in CHAINRULE_THREADS shows at once, whatever the command


def main() -> None:
    """What the `chainrule` program and `python -m chainrule` run."""
    prepare_streams()
    try:
        app(prog_name="chainrule")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:
        code = LEFT
    except OSError as error:  # what is printed before a command begins, such as help
        complain(f"cannot write to the standard output: {error.strerror or error}")
        code = USER_ERROR
    raise SystemExit(finish(code))
