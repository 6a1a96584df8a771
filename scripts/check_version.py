"""Compare what is said about the version: in the source (the one place), in CHANGELOG.md and by what is installed."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "src/chainrule/__init__.py"


def source_version(root: Path) -> str | None:
    """`__version__` of the source, without importing it."""
    found = re.findall(r'^__version__ = "([^"]+)"$', (root / SOURCE).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return found[0] if len(found) == 1 else None


def mistakes(root: Path, installed: str | None) -> list[str]:
    """What does not agree, a sentence each; `installed` is the version in the metadata, None where none is there."""
    version = source_version(root)
    if version is None:
        return [f'{SOURCE} must hold one line __version__ = "..."']
    found = []
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if "version" in project:
        found.append(f"pyproject.toml says {project['version']}; it must leave the version to {SOURCE}")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[(\d[^\]]*)\]", changelog, flags=re.MULTILINE)
    if releases[:1] != [version]:
        newest = releases[0] if releases else "no release"
        found.append(f"{SOURCE} says {version}, the newest entry of CHANGELOG.md is {newest}")
    if installed != version:
        found.append(f"{SOURCE} says {version}, installed is {installed or 'nothing'}; run make install")
    return found


def main() -> int:
    """Return 0 when all agree, otherwise print what does not and return 1."""
    try:
        installed = metadata.version("chainrule")
    except metadata.PackageNotFoundError:
        installed = None
    found = mistakes(ROOT, installed)
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not found:
        print(f"version {installed}: the source, CHANGELOG.md and what is installed agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
