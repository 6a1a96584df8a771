"""Finds the formulas in rendered derivations, for the parsers that must accept them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

HERE = Path(__file__).parent


def katex_found() -> bool:
    """Whether node and KaTeX are here: `npm install --prefix tests/explain`."""
    if shutil.which("node") is None:
        return False
    found = subprocess.run(["node", "-e", "require.resolve('katex')"], cwd=HERE, capture_output=True, check=False)
    return found.returncode == 0


def latex_of(markdown: str) -> list[tuple[str, bool]]:
    """(LaTeX, whether it is displayed) of every formula between dollar signs."""
    displayed = re.findall(r"\$\$(.+?)\$\$", markdown, flags=re.DOTALL)
    rest = re.sub(r"\$\$.+?\$\$", "", markdown, flags=re.DOTALL)
    rest = rest.replace("\\$", "")
    assert rest.count("$") % 2 == 0, "a dollar sign is left over"
    return [(tex, True) for tex in displayed] + [(tex, False) for tex in re.findall(r"\$(.+?)\$", rest)]


def refused_by_katex(formulas: set[tuple[str, bool]]) -> str:
    """What KaTeX in strict mode says against the formulas; empty if nothing."""
    asked = json.dumps([{"tex": tex, "display": display} for tex, display in sorted(formulas)])
    script = ["node", str(HERE / "katex_parse.js")]
    done = subprocess.run(script, input=asked, cwd=HERE, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def mathml_of(html: str) -> list[str]:
    """Every <math> element of a page; the whole page must be well-formed XML."""
    ET.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", html).replace('<meta charset="utf-8">', "").replace(
        '<meta name="viewport" content="width=device-width">', ""))  # fmt: skip
    return re.findall(r"<math.*?</math>", html, flags=re.DOTALL)


ARITIES = {"mfrac": 2, "msup": 2, "msub": 2, "msubsup": 3, "munder": 2, "mover": 2}


def check_mathml(text: str) -> None:
    """Fail unless scripts and fractions have the children that MathML wants."""
    for element in ET.fromstring(text).iter():
        tag = element.tag.rpartition("}")[2]
        if tag in ARITIES:
            assert len(element) == ARITIES[tag], f"<{tag}> with {len(element)} children in {text}"
        if tag in ("mi", "mo", "mn", "mtext"):
            assert len(element) == 0
            assert element.text, f"an empty <{tag}> in {text}"
