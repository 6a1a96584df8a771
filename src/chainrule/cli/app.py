"""The program itself: its commands, its version, and how every error ends: in one sentence, without a traceback."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from chainrule.cli.check import check
from chainrule.cli.evaluate import evaluate
from chainrule.cli.explain import examples, explain
from chainrule.cli.predict import predict
from chainrule.cli.summary import summary
from chainrule.cli.train import train
from chainrule.cli.vectors import vectors
from chainrule.errors import ChainruleError

USER_ERROR = 2
INTERRUPTED = 130


class Commands(TyperGroup):
    """Runs a command, and turns what may go wrong into a sentence on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ChainruleError as error:
            typer.echo(f"chainrule: {error}", err=True)
            raise typer.Exit(USER_ERROR) from None
        except KeyboardInterrupt:
            typer.echo("chainrule: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except MemoryError:
            typer.echo("chainrule: not enough memory; a smaller --batch-size or network may fit", err=True)
            raise typer.Exit(USER_ERROR) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

for command in (train, evaluate, predict, summary, check, explain, examples, vectors):
    app.command()(command)


def _show_version(asked: bool) -> None:
    if asked:
        from chainrule import __version__

        typer.echo(f"chainrule {__version__}")
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


def main() -> None:
    """What the `chainrule` program runs."""
    try:
        app()
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has left
        sys.stderr.close()
        raise SystemExit(1) from None
