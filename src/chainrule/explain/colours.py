"""The colours of pages and drawings, light and dark: CSS variables, so that a page that holds them may set its own.

Orange stands for positive, blue for negative, which colour-blind readers tell apart, too.
"""

from __future__ import annotations

LIGHT = {
    "paper": "#ffffff", "ink": "#1d2330", "quiet": "#566072", "line": "#c9cfda", "faint": "#eef0f5", "box": "#f6f7fa",
    "positive": "#e0812b", "negative": "#3b82c4", "lit": "#0b6e4f", "here": "#b45309", "winner": "#1d5fa8",
    "good": "#06623b", "wash-window": "#dff3e4", "wash-here": "#fff3c4", "wash-winner": "#cfe8ff",
}  # fmt: skip
DARK = {
    "paper": "#14171e", "ink": "#e7eaf0", "quiet": "#a9b2c3", "line": "#465064", "faint": "#222733", "box": "#1c212b",
    "positive": "#f09a4a", "negative": "#5aa2e0", "lit": "#4fd1a1", "here": "#fbbf60", "winner": "#7db8f5",
    "good": "#6fdcae", "wash-window": "#1d3d2b", "wash-here": "#4a3b10", "wash-winner": "#1c3f63",
}  # fmt: skip

DARK_PAGES = ('[data-theme="dark"]', '[data-jp-theme-light="false"]', ".vscode-dark")
LIGHT_PAGES = ('[data-theme="light"]', '[data-jp-theme-light="true"]', ".vscode-light")
"""How pages say that they are dark or light, whatever the system prefers: sites, Jupyter, VS Code."""


def _rule(selectors: str, colours: dict[str, str]) -> str:
    kind = "light" if colours is LIGHT else "dark"
    variables = "".join(f"--chainrule-{name}:{value};" for name, value in colours.items())
    return f"{selectors}{{color-scheme:{kind};{variables}}}"


def scheme(selector: str) -> str:
    """The variables for `selector`: light, dark where the system or the page prefers it."""
    dark, light = (",".join(f"{page} {selector}" for page in pages) for pages in (DARK_PAGES, LIGHT_PAGES))
    preferred = f"@media (prefers-color-scheme:dark){{{_rule(selector, DARK)}}}"
    return "\n".join([_rule(selector, LIGHT), preferred, _rule(light, LIGHT), _rule(dark, DARK)])


def colour(name: str) -> str:
    """A colour as CSS writes it."""
    return f"var(--chainrule-{name})"
