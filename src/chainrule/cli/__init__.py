"""The command line: `chainrule train | evaluate | predict | summary | check | explain | examples`."""

from __future__ import annotations

from chainrule.cli.app import app, main

__all__ = ["app", "main"]
