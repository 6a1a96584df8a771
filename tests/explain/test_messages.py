"""Both languages are complete: the same keys, the same placeholders, and every key is used."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from chainrule.explain import api
from chainrule.explain.bibliography import MARKS
from chainrule.explain.examples import STORIES
from chainrule.explain.messages import LANGUAGES, MESSAGES, Message, say
from chainrule.explain.terms import SIGNS

SOURCES = "\n".join(path.read_text("utf-8") for path in Path(api.__file__).parent.rglob("*.py"))


def placeholders(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def citations(text: str) -> list[str]:
    """The sources in double brackets."""
    return [mark for group in re.findall("⟦([^⟧]*)⟧", text) for mark in re.split("[,、] ?", group)]


@pytest.mark.parametrize("key", MESSAGES)
def test_a_message_has_both_languages_with_the_same_placeholders(key: str) -> None:
    texts = MESSAGES[key]
    assert len(texts) == len(LANGUAGES)
    assert all(text.strip() for text in texts)
    assert placeholders(texts[0]) == placeholders(texts[1])
    assert citations(texts[0]) == citations(texts[1])
    if not re.fullmatch(r"[\W\d]*(\{\w+\}[\W\d]*)+|ID", texts[0]):
        assert re.search(r"[\u4e00-\u9fff]", texts[1]), "the Chinese text has no Chinese"
    assert not re.search(r"[\u4e00-\u9fff]", texts[0]), "the English text has Chinese"


def test_every_message_is_used() -> None:
    generated = {f"{name}_title" for name in STORIES}
    generated |= {f"mark_{kind}" for kind in SIGNS} | {f"source_{mark}" for mark in MARKS}
    unused = [key for key in MESSAGES if SOURCES.count(f'"{key}"') < 2 and key not in generated]
    assert unused == []


def test_a_key_that_does_not_exist_is_found_where_it_is_written() -> None:
    with pytest.raises(KeyError):
        say("no_such_key")


def test_a_message_is_cut_at_its_placeholders() -> None:
    assert say("title_value", node="relu1", index="[3]").pieces("en") == ["Value of ", "relu1", "[3]"]
    assert isinstance(say("formula"), Message)
