"""The check of the catalogues fails where a translation is missing, stale, left in English, or says other numbers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytest.importorskip("babel", reason="the site's tools are not installed: make docs installs them")

ROOT = Path(__file__).resolve().parents[2]


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", ROOT / "scripts" / "translations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["translations"] = module
    spec.loader.exec_module(module)
    return module


SCRIPT = _script()
ENGLISH = "The loss is {eval}`L:.3f`, and `dw` is $\\delta x$."
CHINESE = "损失为 {eval}`L:.3f`，`dw` 等于 $\\delta x$。"
PAGE = [SCRIPT.Message("title", "One neuron"), SCRIPT.Message("paragraph", ENGLISH)]


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(SCRIPT, "ROOT", tmp_path)
    monkeypatch.setattr(SCRIPT, "CATALOGUES", tmp_path / "locale")
    return tmp_path / "locale"


def translate(page: str, texts: dict[str, str]) -> None:
    catalog = SCRIPT.template([SCRIPT.Message("", text) for text in texts])
    for text, chinese in texts.items():
        catalog[text].string = chinese
    SCRIPT.write(SCRIPT.path_of(page), catalog)


def found(pages: dict[str, list[object]]) -> str:
    return "\n".join(SCRIPT.check(pages))


@pytest.mark.usefixtures("catalogues")
def test_a_translated_page_passes() -> None:
    translate("book/one", {"One neuron": "一个神经元", ENGLISH: CHINESE})
    assert found({"book/one": PAGE}) == ""


@pytest.mark.usefixtures("catalogues")
def test_a_page_without_catalogue_is_named() -> None:
    assert "book/one.po: missing: One neuron" in found({"book/one": PAGE})


@pytest.mark.parametrize(
    ("chinese", "said"),
    [
        ("", "missing"),
        (ENGLISH, "left in English"),
        ("Der Verlust ist {eval}`L:.3f`, `dw` ist $\\delta x$.", "left in English"),
        ("损失为 0.071，`dw` 等于 $\\delta x$。", "{eval}`L:.3f` of the English is missing"),
        ("损失为 {eval}`L:.3f`，即 {eval}`L:.3f`，`dw` 等于 $\\delta x$。", "stands 1 times in the English, 2 times"),
        ("损失为 {eval}`L:.3f`，`db` 等于 $\\delta x$。", "`db` is not in the English"),
        ("损失为 {eval}`L:.3f`，`dw` 等于 $\\delta w$。", "$\\delta x$ of the English is missing"),
    ],
)
@pytest.mark.usefixtures("catalogues")
def test_a_bad_paragraph_is_named(chinese: str, said: str) -> None:
    translate("book/one", {"One neuron": "一个神经元", ENGLISH: chinese})
    lines = found({"book/one": PAGE})
    assert said in lines
    assert "The loss is" in lines


@pytest.mark.usefixtures("catalogues")
def test_a_changed_paragraph_is_stale_until_somebody_looks_at_it() -> None:
    translate("book/one", {"One neuron": "一个神经元", ENGLISH: CHINESE})
    changed = [PAGE[0], SCRIPT.Message("paragraph", ENGLISH.replace("The loss", "Now the loss"))]
    assert "missing: Now the loss" in found({"book/one": changed})
    assert "no longer on the page: The loss" in found({"book/one": changed})
    SCRIPT.update({"book/one": changed})
    lines = found({"book/one": changed})
    assert "stale, the English changed: Now the loss" in lines
    assert "no longer" not in lines
    path = SCRIPT.path_of("book/one")
    assert str(SCRIPT.read(path).get(changed[1].text).string) == CHINESE, (
        "the old translation is the draft of the new one"
    )
    path.write_text(path.read_text(encoding="utf-8").replace("#, fuzzy\n", "").replace("#, fuzzy, ", "#, "), "utf-8")
    assert found({"book/one": changed}) == ""


@pytest.mark.usefixtures("catalogues")
def test_a_catalogue_without_page_is_named_and_removed() -> None:
    translate("book/gone", {"One neuron": "一个神经元"})
    assert "book/gone.po: there is no such page" in found({})
    SCRIPT.update({})
    assert found({}) == ""


@pytest.mark.usefixtures("catalogues")
def test_names_and_numbers_may_stay_as_they_are() -> None:
    texts = {"LeNet-5": "LeNet-5", "`dw`": "`dw`", "12": "12"}
    translate("book/one", texts)
    assert found({"book/one": [SCRIPT.Message("title", text) for text in texts]}) == ""


def test_every_catalogue_of_the_site_is_read() -> None:
    for path in (ROOT / "docs" / "locale").rglob("*.po"):
        catalog = SCRIPT.read(path)
        assert all(entry.string and not entry.fuzzy for entry in catalog if entry.id), path.name
