"""Help texts and complaints about usage in the language of the command line, laid out by the columns of letters."""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from typer.core import TyperCommand, TyperGroup

from chainrule.cli import language
from chainrule.cli.console import complain_of_usage
from chainrule.cli.language import spoken
from chainrule.explain.wrapping import wrap

_EXTRA = re.compile(r"^(?P<text>.*?)(?:\s*\[(?P<extra>default: [^\]]*|[^\]]*required|x>=?[^\]]*)\])?$", re.DOTALL)
LANG_HELP = "en or zh (default: as LANG says)."
WIDEST_FIRST = 30
"""Columns of names of options; what is wider stands on a line of its own."""

_Formatter: Any = TyperGroup.context_class.formatter_class


class Formatter(_Formatter):  # type: ignore[misc]
    """Lays out help; in English as ever."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The first line."""
        if language.current() == "en":
            super().write_usage(prog, args, prefix)
        else:
            self.write(f"{'':>{self.current_indent}}{spoken('Usage:')}{prog} {args}".rstrip() + "\n")

    def write_heading(self, heading: str) -> None:
        """Above a list."""
        if language.current() == "en":
            super().write_heading(heading)
        else:
            self.write(f"{'':>{self.current_indent}}{spoken(heading)}：\n")

    def write_text(self, text: str) -> None:
        """Paragraphs."""
        if language.current() == "en":
            super().write_text(text)
            return
        room, indent = max(self.width - self.current_indent, 10), " " * self.current_indent
        told = [wrap(spoken(" ".join(part.split())), room) for part in inspect.cleandoc(text).split("\n\n")]
        self.write("\n\n".join("\n".join(f"{indent}{line}" for line in lines) for lines in told) + "\n")

    def write_dl(self, rows: Any, *args: Any, **more: Any) -> None:
        """Options, arguments or commands, each with its text."""
        if language.current() == "en":
            super().write_dl(rows, *args, **more)
            return
        rows = list(rows)
        first = min(max(cell_len(name) for name, _ in rows) + 2, WIDEST_FIRST)
        indent = " " * self.current_indent
        room = max(self.width - self.current_indent - first, 10)
        for name, text in rows:
            lines = wrap(_described(text), room)
            if cell_len(name) > first - 2:
                self.write(f"{indent}{name}\n")
                name = ""
            gap = " " * (first - cell_len(name))
            self.write(f"{indent}{name}{gap}{lines[0]}\n")
            for line in lines[1:]:
                self.write(f"{indent}{' ' * first}{line}\n")


def _described(text: str) -> str:
    """The text of an option, with what it is if not given."""
    found = _EXTRA.match(" ".join(text.split()))
    assert found is not None
    told = spoken(found["text"])
    extra = found["extra"]
    if extra is None:
        return told
    shown = extra.replace("default: ", "默认：").replace("required", "必填").replace("; ", "，")
    return f"{told}［{shown}］"


_Base: Any = TyperGroup.context_class


class _Context(_Base):  # type: ignore[misc]
    formatter_class = Formatter


def _lang_option() -> Any:
    """--lang for a command whose function need not know of it."""
    probe = typer.Typer(add_completion=False)

    @probe.command()
    def speak(lang: Annotated[str | None, typer.Option("--lang", help=LANG_HELP)] = None) -> None: ...

    option = next(param for param in typer.main.get_command(probe).params if param.name == "lang")
    option.expose_value = False
    return option


class _Speaking:
    """A command that has --lang and says its help in that language."""

    context_class = _Context
    params: list[Any]
    help: str | None
    short_help: str | None

    def make_context(self, info_name: Any, args: list[str], parent: Any = None, **extra: Any) -> Any:
        if parent is None:
            language.choose(args)
        else:
            language.check_asked(args)
        own = next((param for param in self.params if param.name == "lang"), None)
        if own is None:
            self.params.append(_lang_option())
        elif own.expose_value:
            own.default = language.current()
        return super().make_context(info_name, args, parent, **extra)  # type: ignore[misc]

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first sentence, for the list of commands."""
        if language.current() == "en":
            return str(super().get_short_help_str(limit))  # type: ignore[misc]
        return spoken(" ".join(inspect.cleandoc(self.help or "").split("\n\n")[0].split()))


class Command(_Speaking, TyperCommand):  # type: ignore[misc]
    """One command."""


class Section(_Speaking, TyperGroup):  # type: ignore[misc]
    """Several commands under one name."""


def show_usage_error(error: Any, file: Any = None) -> None:
    """As click shows it, in the language of the command line."""
    context = error.ctx
    if context is not None:
        complain_of_usage(context.get_usage(), spoken(f"Try '{context.command_path} -h' for help."), "")
    complain_of_usage(f"{spoken('Error:')}{spoken(error.format_message())}")
