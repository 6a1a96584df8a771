"""The command line: `chainrule train | evaluate | predict | summary | check`, one file per command."""

from __future__ import annotations

from chainrule.cli.app import app, main

__all__ = ["app", "main"]
