"""Markdown compiles to a handout: pandoc makes HTML and LaTeX of it and has nothing to complain about."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from chainrule.explain.derivation import Derivation
from chainrule.explain.examples import story
from chainrule.explain.messages import Language
from tests.explain.test_rendering import layer_derivations

needs_pandoc = pytest.mark.skipif(shutil.which("pandoc") is None, reason="needs pandoc")


def compiled(markdown: str, to: str) -> str:
    command = ["pandoc", "--from", "markdown", "--to", to, "--standalone", "--mathml", "--fail-if-warnings"]
    command += ["--metadata", "title=handout"]
    done = subprocess.run(command, input=markdown, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@needs_pandoc
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["rotate", "winner", "norm", "mazur"])
def test_a_story_is_a_handout(name: str, lang: Language) -> None:
    told = story(name)
    page, paper = (compiled(told.markdown(lang=lang), to) for to in ("html", "latex"))
    assert page.count("<table") >= len(told.listings)
    assert page.count("<math") > 10
    assert paper.count(r"\begin{longtable}") >= len(told.listings)
    assert "$$" not in page


@needs_pandoc
def test_every_layer_is_in_one_handout() -> None:
    found: list[Derivation] = layer_derivations()
    page = compiled("\n\n".join(derivation.markdown() for derivation in found), "html")
    assert page.count("<math") > 10 * len(found)


@needs_pandoc
def test_pandoc_would_say_so_if_a_formula_were_wrong() -> None:
    with pytest.raises(AssertionError, match="WARNING"):
        compiled(r"$$\frac{1$$", "html")
