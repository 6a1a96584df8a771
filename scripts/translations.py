"""The Chinese catalogues of the site: made from its English pages, compared with them, filled from a Chinese page.

python scripts/translations.py check               say what is missing, stale, left in English or no longer needed
python scripts/translations.py update              bring the catalogues up to the English pages; what changed is fuzzy
python scripts/translations.py fill PAGE CHINESE   take the paragraphs of a Chinese Markdown file, which has the same
                                                   parts in the same order as docs/PAGE.md, into the page's catalogue;
                                                   also several pairs at once
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CATALOGUES = DOCS / "locale" / "zh_CN" / "LC_MESSAGES"
TWICE = ("reference/equations", "reference/errata", "reference/coverage", "reference/vectors", "reference/torch")
TWICE += ("reference/glossary", "guide/export")
"""Pages that have no catalogue: their Chinese is a file of its own."""
HAN = re.compile(r"[\u4e00-\u9fff]")
KEPT = re.compile(r"\{\w+\}`[^`]*`|`[^`]*`|\$[^$]*\$|\]\([^)]*\)|<[^>]*>|https?://\S+")
"""What a translation may leave as it is: roles, code, formulas, targets of links."""
NAMES = re.compile(
    r"\b(?:chainrule|PyTorch|ONNX|Keras|LeNet-5|API|NumPy|Python|MNIST|CIFAR-10|Winograd|"
    r"CNN Explainer|Playground|ConvNetJS|LLM Visualization|TensorSpace|Netron|CS231n)\b"
)
"""What is called the same in Chinese."""
SAME = re.compile(r"\{\w+\}`[^`]*`|(?<![}`])`[^`]+`|\$[^$]+\$|\]\([^)]*\)")
"""What must stand in the translation if it stands in the English: numbers (as often), code, formulas, links."""


@dataclass(frozen=True)
class Message:
    """A paragraph, heading, cell or caption of a page."""

    kind: str
    text: str


def extracted(docs: Path, build: Path, *strict: str) -> dict[str, list[Message]]:
    """The messages of every page that is translated by a catalogue, in order."""
    command = [sys.executable, "-m", "sphinx", "-q", *strict, "-b", "gettext", "-d", str(build / "doctrees")]
    if subprocess.run([*command, str(docs), str(build / "pot")], check=False).returncode:
        raise SystemExit("the pages cannot be read; Sphinx has said above what is wrong with them")
    pages = json.loads((build / "pot" / "messages.json").read_text(encoding="utf-8"))
    return {
        name: [Message(*pair) for pair in pairs] for name, pairs in sorted(pages.items()) if not name.startswith(TWICE)
    }


def path_of(page: str) -> Path:
    """Where the catalogue of a page lies."""
    return CATALOGUES / f"{page}.po"


def read(path: Path) -> Catalog:
    """A catalogue; an empty one where there is none."""
    if not path.exists():
        return Catalog(locale="zh_CN", project="chainrule", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale="zh_CN")


def write(path: Path, catalog: Catalog) -> None:
    """A catalogue without lines and dates, which would change with every edit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=0, no_location=True, omit_header=False, ignore_obsolete=True)
    text = path.read_text(encoding="utf-8")
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: zh_CN\\n"\n'
    path.write_text(header + "\n" + text.partition("\n\n")[2].lstrip("\n"), encoding="utf-8")


def problems(page: str, messages: list[Message], catalog: Catalog) -> list[str]:
    """What is wrong with the catalogue of one page."""
    found = []
    wanted = dict.fromkeys(message.text for message in messages)
    for text in wanted:
        entry = catalog.get(text)
        if entry is None or not entry.string:
            found.append(f"missing: {text}")
        elif entry.fuzzy:
            found.append(f"stale, the English changed: {text}")
        else:
            found += [f"{fault}: {text}" for fault in faults(text, str(entry.string))]
    found += [f"no longer on the page: {entry.id}" for entry in catalog if entry.id and entry.id not in wanted]
    return [f"{path_of(page).relative_to(ROOT)}: {line}" for line in found]


def faults(english: str, chinese: str) -> list[str]:
    """What is wrong with one translation."""
    found = []
    if re.search("[A-Za-z]{2}", NAMES.sub("", KEPT.sub("", english))) and not HAN.search(KEPT.sub("", chinese)):
        found.append("left in English")
    wanted, given = Counter(SAME.findall(english)), Counter(SAME.findall(chinese))
    found += [f"{part} of the English is missing" for part in wanted if part not in given]
    found += [f"{part} is not in the English" for part in given if part not in wanted]
    uneven = [part for part in wanted & given if part.startswith("{eval}") and wanted[part] != given[part]]
    return found + [f"{part} stands {wanted[part]} times in the English, {given[part]} times here" for part in uneven]


def check(pages: dict[str, list[Message]]) -> list[str]:
    """All problems of all catalogues."""
    found = [line for page, messages in pages.items() for line in problems(page, messages, read(path_of(page)))]
    known = {path_of(page) for page in pages} | {CATALOGUES / "sphinx.po"}
    strangers = (path for path in sorted(CATALOGUES.rglob("*.po")) if path not in known)
    return found + [f"{path.relative_to(ROOT)}: there is no such page" for path in strangers]


def template(messages: list[Message]) -> Catalog:
    """A catalogue of messages without translations."""
    catalog = Catalog(locale="zh_CN", fuzzy=False)
    for message in messages:
        catalog.add(message.text)
    return catalog


def update(pages: dict[str, list[Message]]) -> None:
    """Every catalogue gets the messages of its page; a translation of a changed one is kept and marked as fuzzy."""
    for page, messages in pages.items():
        catalog = read(path_of(page))
        catalog.update(template(messages), no_fuzzy_matching=False)
        write(path_of(page), catalog)
    known = {path_of(page) for page in pages} | {CATALOGUES / "sphinx.po"}
    for path in sorted(CATALOGUES.rglob("*.po")):
        if path not in known:
            path.unlink()


def fill(pages: dict[str, Path]) -> None:
    """Pair the paragraphs of English and Chinese pages in their order."""
    with tempfile.TemporaryDirectory() as folder:
        english = extracted(DOCS, ROOT / "build" / "docs" / ".gettext")
        copy = Path(folder) / "docs"
        shutil.copytree(DOCS, copy, ignore=shutil.ignore_patterns("locale", "node_modules", "__pycache__"))
        for page, chinese in pages.items():
            shutil.copy(chinese, copy / f"{page}.md")
        translated = extracted(copy, Path(folder) / "build")
    for page in pages:
        write(path_of(page), paired(page, english[page], translated[page]))


def paired(page: str, english: list[Message], translated: list[Message]) -> Catalog:
    """The catalogue of a page from its messages in both languages."""
    for number, (one, other) in enumerate(zip(english, translated, strict=False)):
        if one.kind != other.kind:
            raise SystemExit(
                f"{page}: part {number + 1} is a {one.kind} ({one.text}), not a {other.kind} ({other.text})"
            )
    if len(english) != len(translated):
        raise SystemExit(f"{page} has {len(english)} parts in English, {len(translated)} in Chinese")
    catalog = template(english)
    for one, other in zip(english, translated, strict=True):
        catalog[one.text].string = other.text
    return catalog


def main(arguments: list[str]) -> int:
    """One of the three commands."""
    match arguments:
        case ["check"]:
            found = check(extracted(DOCS, ROOT / "build" / "docs" / ".gettext", "-W"))
            print("\n".join(found), file=sys.stderr, end="\n" if found else "")
            return 1 if found else 0
        case ["update"]:
            update(extracted(DOCS, ROOT / "build" / "docs" / ".gettext", "-W"))
        case ["fill", *pairs] if pairs and len(pairs) % 2 == 0:
            names = (page.removeprefix("docs/").removesuffix(".md") for page in pairs[::2])
            fill(dict(zip(names, map(Path, pairs[1::2]), strict=True)))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
