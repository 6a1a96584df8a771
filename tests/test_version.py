"""The version stands in one place, and what repeats it is compared with it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

import chainrule as cr

ROOT = Path(__file__).resolve().parent.parent
FILES = ("pyproject.toml", "CHANGELOG.md", "src/chainrule/__init__.py")


def script() -> ModuleType:
    """scripts/check_version.py as a module."""
    spec = importlib.util.spec_from_file_location("check_version", ROOT / "scripts" / "check_version.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the files that speak of the version."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def change(tree: Path, name: str, old: str, new: str) -> None:
    text = (tree / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tree / name).write_text(text.replace(old, new), encoding="utf-8")


def test_all_agree_now() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "check_version.py"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert cr.__version__ in done.stdout
    assert cr.__version__ == metadata.version("chainrule")


def test_another_version_in_the_source_is_noticed(tree: Path) -> None:
    change(tree, FILES[2], f'__version__ = "{cr.__version__}"', '__version__ = "9.9.9"')
    found = script().mistakes(tree, cr.__version__)
    assert [("CHANGELOG.md" in text, "installed" in text) for text in found] == [(True, False), (False, True)]
    assert all("9.9.9" in text and cr.__version__ in text for text in found)


def test_another_version_in_the_changelog_is_noticed(tree: Path) -> None:
    change(tree, FILES[1], f"## [{cr.__version__}]", f"## [9.9.9] - 2030-01-01\n\n## [{cr.__version__}]")
    (text,) = script().mistakes(tree, cr.__version__)
    assert "the newest entry of CHANGELOG.md is 9.9.9" in text


def test_a_second_place_is_noticed(tree: Path) -> None:
    change(tree, FILES[0], 'dynamic = ["version"]', f'version = "{cr.__version__}"')
    (text,) = script().mistakes(tree, cr.__version__)
    assert text.startswith("pyproject.toml says")


def test_a_source_without_a_version_is_noticed(tree: Path) -> None:
    change(tree, FILES[2], "__version__ =", "__edition__ =")
    assert script().mistakes(tree, cr.__version__) == [f'{FILES[2]} must hold one line __version__ = "..."']


@pytest.mark.parametrize("installed", [None, "0.0.1"])
def test_another_version_installed_is_noticed(tree: Path, installed: str | None) -> None:
    (text,) = script().mistakes(tree, installed)
    assert "make install" in text
