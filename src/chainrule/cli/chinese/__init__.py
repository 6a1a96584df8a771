"""The command line in Chinese: English sentence -> Chinese sentence, with {placeholders} for what is filled in.

The English stands in the code where it is said; here stands its twin. {name:t} is put into Chinese itself."""

from __future__ import annotations

from chainrule.cli.chinese.errors import ERRORS
from chainrule.cli.chinese.help import HELP
from chainrule.cli.chinese.output import CELLS, OUTPUT

SENTENCES: dict[str, str] = {**HELP, **OUTPUT, **ERRORS}

__all__ = ["CELLS", "ERRORS", "HELP", "OUTPUT", "SENTENCES"]
