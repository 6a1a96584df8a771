"""When a source of files is given up. Apart from `connection.py`, so that the modules of the web are imported late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Limits:
    """When a source is given up. Times in seconds, speed in bytes a second."""

    silence: float = 30.0
    """Without a byte."""
    window: float = 30.0
    """In any such time, `least_speed` must be reached on average."""
    least_speed: float = 16_384
    source: float = 900.0
    """For one file from one source."""
    overall: float = 3600.0
    """For all files from all sources."""


class SourceError(Exception):
    """A source did not deliver; the next one is tried. Never leaves the modules of downloading."""


LIMITS: Final = Limits()
