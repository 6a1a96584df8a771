"""Make docs/equations, errata, coverage and torch, in English and Chinese, from docs/tables.

python scripts/build_docs.py           write the pages
python scripts/build_docs.py --check   say which pages are not up to date
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LANGUAGES = ("en", "zh")
ENDINGS = {"en": ".md", "zh": ".zh-CN.md"}
SOURCES = {
    "0": ("S0: a numeric example, and convolution forward", "S0：数值例子，以及前向用卷积的网络"),
    "1": ("S1: convolution and max pooling on 4x4", "S1：4x4 上的卷积与最大池化"),
    "2": ("S2: from vision to the digit recogniser", "S2：从视觉到手写数字识别"),
    "3": ("S3: layers, preprocessing and structure", "S3：层、预处理与结构"),
    "4": ("S4: backpropagation in matrix form", "S4：矩阵形式的反向传播"),
    "X": ("Between the sources", "各来源之间"),
}
KINDS = {"W": ("wrong", "错误"), "I": ("inconsistent", "不一致"), "A": ("open", "含糊"), "T": ("typographic", "笔误")}
WORDS = {
    "computed": ("Computed by", "实现"),
    "proved": ("proved by", "验证"),
    "by reading": ("by reading", "据文义"),
    "outside": ("Outside knowledge", "外部知识"),
}


def table(name: str) -> dict[str, Any]:
    """One of the tables, by name."""
    return tomllib.loads((DOCS / "tables" / f"{name}.toml").read_text(encoding="utf-8"))


def expand(name: str) -> list[str]:
    """ "S0-N03..N05" as its three IDs."""
    found = re.fullmatch(r"(S\d-[A-Z])(\d\d)\.\.[A-Z](\d\d)", name)
    if found is None:
        return [name]
    return [f"{found[1]}{number:02d}" for number in range(int(found[2]), int(found[3]) + 1)]


def cited_ids(text: str) -> set[str]:
    """All IDs that a docstring cites, with ranges (S2-E16..E24) and lists (S2-E03, E04) written out."""
    ids: set[str] = set()
    for prefix, kind, first, rest in re.findall(
        r"\b(S\d-|ER[0-9X]-)([A-Z]?)(\d\d)((?:(?:\.\.| to |, )[A-Z]?\d\d(?![\d-]))*)", " ".join(text.split())
    ):
        last = int(first)
        ids.add(f"{prefix}{kind}{first}")
        for sign, letter, number in re.findall(r"(\.\.| to |, )([A-Z]?)(\d\d)", rest):
            start = int(number) if sign == ", " else last
            ids |= {f"{prefix}{letter or kind}{i:02d}" for i in range(start, int(number) + 1)}
            last = int(number)
    return ids


def word(key: str, language: str) -> str:
    """A heading in a language."""
    return WORDS[key][LANGUAGES.index(language)]


def links(tests: list[str]) -> str:
    """Tests as links to their files."""
    return ", ".join(f"[`{name}`](../{path})" for path, _, name in (test.partition("::") for test in tests))


def begin(page: str, language: str) -> list[str]:
    """Title, the other language, introduction."""
    number, other = LANGUAGES.index(language), "zh" if language == "en" else "en"
    texts = table("pages")[page]
    label = "中文" if other == "zh" else "English"
    return [
        f"<!-- made by scripts/build_docs.py from docs/tables/{page}.toml -->",
        f"# {texts['title'][number]}",
        f"[{label}]({page}{ENDINGS[other]})",
        texts["intro"][number],
    ]


def grouped(names: list[str]) -> dict[str, list[str]]:
    """IDs by source: the character behind S or ER."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name[2] if name.startswith("ER") else name[1], []).append(name)
    return groups


def equations(language: str) -> list[str]:
    """The page of formulas: a heading, the formula and its references for each."""
    rows = table("equations")
    parts = begin("equations", language)
    for source, names in grouped(list(rows)).items():
        parts.append(f"## {SOURCES[source][LANGUAGES.index(language)]}")
        for name in names:
            row = rows[name]
            where = ", ".join(f"`{place}`" for place in row["where"])
            tex = row["tex"].replace(" * ", r" \ast ").replace("*_", r"\ast_")
            parts += [f"### {name} {row[language]}", f"$$\n{tex}\n$$"]
            said = word("computed", language), word("proved", language)
            comma, stop = ("; ", ".") if language == "en" else ("；", "。")
            colon = " " if language == "en" else "："
            parts.append(f"{said[0]}{colon}{where}{comma}{said[1]}{colon}{links(row['tests'])}{stop}")
    return parts


def errata(language: str) -> list[str]:
    """The page of errata: a table for each source."""
    number = LANGUAGES.index(language)
    rows = table("errata")
    heads = (
        ("ID", "kind", "printed", "true", "counterexample", "tests"),
        ("编号", "类别", "印文", "正确", "反例", "测试"),
    )
    parts = begin("errata", language)
    for source, names in grouped(list(rows)).items():
        lines = [line(heads[number]), line(["---"] * 6)]
        for name in names:
            row = rows[name]
            check = row["check"][number] if row["check"] else word("by reading", language)
            kind = KINDS[row["kind"]][number]
            lines.append(
                line([name, kind, row["says"][number], row["true"][number], check, links(row["tests"]) or "-"])
            )
        parts += [f"## {SOURCES[source][number]}", "\n".join(lines)]
    return parts


def coverage(language: str) -> list[str]:
    """The page of all other IDs, and what the sources leave to outside knowledge."""
    number = LANGUAGES.index(language)
    rows = table("coverage")
    heads = ("ID", "what", "in chainrule"), ("编号", "内容", "chainrule 中")
    parts = begin("coverage", language)
    for source, names in grouped(list(rows)).items():
        lines = [line(heads[number]), line(["---"] * 3)]
        lines += [line([name, rows[name][language], reference(rows[name]["refs"], language)]) for name in names]
        parts += [f"## {SOURCES[source][number]}", "\n".join(lines)]
    return [*parts, *background(language)]


def background(language: str) -> list[str]:
    """What the sources name by a title only."""
    number = LANGUAGES.index(language)
    rows = table("background")
    parts = [f"## {word('outside', language)}"]
    for row in rows["section"]:
        parts += [f"### {row['title'][number]} ({row['ids']})", row["text"][number]]
    both = rows["comparison"]
    lines = [line(both["head"][number]), line(["---"] * 3), *(line(row[number]) for row in both["rows"])]
    return [*parts, f"### {both['title'][number]} ({both['ids']})", "\n".join(lines)]


def reference(refs: list[str], language: str) -> str:
    """Modules, tests and pages."""
    shown = []
    for ref in refs:
        if ref.startswith("tests/"):
            shown.append(links([ref]))
        elif ref.startswith("docs/"):
            page = Path(ref).stem
            shown.append(f"[{table('pages')[page]['title'][LANGUAGES.index(language)]}]({page}{ENDINGS[language]})")
        else:
            shown.append(f"`{ref}`")
    return ", ".join(shown)


def line(cells: list[str] | tuple[str, ...]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


TORCH_PARTS = {
    "data": ("Data", "数据"),
    "network": ("Networks", "网络"),
    "layers": ("Layers", "层"),
    "training": ("Training", "训练"),
    "after": ("Afterwards", "训练之后"),
}


def torch(language: str) -> list[str]:
    """The page for those who come from PyTorch: a table for each part."""
    number = LANGUAGES.index(language)
    rows = table("torch")
    parts = begin("torch", language)
    for name, title in TORCH_PARTS.items():
        lines = [line(("PyTorch", "chainrule")), line(["---"] * 2)]
        lines += [line([row["torch"][number], row["here"][number]]) for row in rows[name]]
        parts += [f"## {title[number]}", "\n".join(lines)]
    return parts


PAGES = {"equations": equations, "errata": errata, "coverage": coverage, "torch": torch}


def pages() -> dict[Path, str]:
    """Every page with its text."""
    return {
        DOCS / f"{name}{ENDINGS[language]}": "\n\n".join(make(language)) + "\n"
        for name, make in PAGES.items()
        for language in LANGUAGES
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them."""
    old = [p for p, text in pages().items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        for path in old:
            print(f"{path.relative_to(ROOT)} is not up to date; run python scripts/build_docs.py", file=sys.stderr)
        return 1 if old else 0
    for path in old:
        path.write_text(pages()[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
