"""The explorer as one file: the page's script and style, the recording, and for readers without scripts the text."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from chainrule.atomic import write_atomically
from chainrule.explorer.recorder import LANGUAGES, Ask, must, record

PAGE = Path(__file__).parent / "page"
BUDGET = 4 << 20
"""Bytes of recorded answers in a file, about."""

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<div id="chainrule-explorer"></div>
<noscript>
{text}
</noscript>
<script id="chainrule-recording" type="application/json">{recording}</script>
<script type="module">{script}</script>
</body>
</html>
"""


def write_file(ask: Ask, samples: Sequence[int], path: str | Path, budget: int) -> Path:
    """Write the page with recorded answers about samples, the first one first. Raises StorageError."""
    write_atomically(path, page_of(ask, samples, budget).encode())
    return Path(path)


def page_of(ask: Ask, samples: Sequence[int], budget: int) -> str:
    """The file's text."""
    script = _closed((PAGE / "app.js").read_text(encoding="utf-8"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    recording = record(ask, samples, budget).to_dict()
    return TEMPLATE.format(
        policy=(
            f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:; "
            "base-uri 'none'; form-action 'none'"
        ),
        title="chainrule",
        style=_closed((PAGE / "app.css").read_text(encoding="utf-8")),
        text="\n".join(_text(ask, samples[0], lang) for lang in LANGUAGES),
        recording=_closed(json.dumps(recording, ensure_ascii=False, separators=(",", ":"))),
        script=script,
    )


def _text(ask: Ask, sample: int, lang: str) -> str:
    html = must(ask, {"ask": "text", "lang": lang, "sample": sample})["html"]
    return f'<section lang="{"zh-Hans" if lang == "zh" else "en"}">\n{html}\n</section>'


def _closed(text: str) -> str:
    """A text that cannot end the element in which it stands, nor open a comment there; in JSON and JavaScript strings
    it says the same."""
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")
