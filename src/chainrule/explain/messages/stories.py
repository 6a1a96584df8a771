"""Texts of the worked examples: key -> (English, Chinese)."""

STORIES: dict[str, tuple[str, str]] = {}
