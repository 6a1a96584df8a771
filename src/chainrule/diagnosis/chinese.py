"""The sentences of a diagnosis in Chinese, and in English without the sources that they cite.

Sentences live beside the function that makes the mistake, in English; here stands each one's Chinese. A test goes
through all tables, so that none is missing.
"""

from __future__ import annotations

import re

import numpy as np

from chainrule.arrays import Array
from chainrule.diagnosis.chinese_sentences import PATTERNS, SENTENCES
from chainrule.diagnosis.report import TensorDiagnosis
from chainrule.diagnosis.truth import Truth
from chainrule.shapes import shape_text

_ID = r"(?:SOURCES )?(?:S\d|ER\w?\d?|ERX|W\d\d)[\w.-]*"
_CITED = re.compile(rf" \({_ID}(?:, {_ID})*\)|, {_ID}(?=\))")


def without_sources(sentence: str) -> str:
    """The sentence without "(S0-E31)"."""
    return _CITED.sub("", sentence)


def in_chinese(sentence: str) -> str:
    """A sentence of the tables in Chinese; KeyError for one that has none."""
    plain = without_sources(sentence)
    if plain in SENTENCES:
        return SENTENCES[plain]
    for pattern, chinese in PATTERNS.items():
        found = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(pattern)), plain)
        if found:
            return chinese.format(**{name: _carried(text) for name, text in found.groupdict().items()})
    raise KeyError(plain)


def _carried(text: str) -> str:
    """What stands in a sentence: another sentence, a list of axes, a name, a number."""
    if text.endswith("."):
        return in_chinese(text)
    return "、".join(SENTENCES.get(part, part) for part in text.split(", "))


def said(sentence: str, lang: str) -> str:
    """A sentence of the tables in a language, without its sources."""
    return in_chinese(sentence) if lang == "zh" else without_sources(sentence)


def report(result: TensorDiagnosis, given: Array, truth: Truth, lang: str) -> list[str]:
    """What a diagnosis says of one tensor, line by line, without sources."""
    if lang != "zh":
        return [re.sub(r"  \[[^]]*\]$", "", without_sources(line)).strip() for line in result.lines()]
    own = {"message": _wrong(result, given, truth), "formula": _formula(truth)}
    lines = []
    for key, parts in result.told():
        if "sentence" in parts:
            parts["sentence"] = in_chinese(parts["sentence"])
        lines.append(REPORT[key].format(**{**parts, **own}))
    return lines


REPORT = {
    "right": "{name} 是对的。",
    "unseen": "{name} 看不出错误，但在这种精度下，单是舍入就可能造成最大数的 {percent} % 的误差。",
    "smaller": "更小的错误看不出来；请用同样的数在 float64 下再诊断一次。",
    "wrong": "{message}",
    "likely": "可能的错误：{sentence}",
    "more": "还有 {count} 种错误会给出同样的数。",
    "each": "其中每一种单独都能给出这些数；换一组数据就能把它们分开。",
    "unknown": "没有已知的错误能给出这些数。",
    "nearest": "最接近的是：{sentence}",
    "rule": "正确的写法：{formula}",
}
"""The sentences of a report, by the same keys as the English ones."""


def _wrong(result: TensorDiagnosis, given: Array, truth: Truth) -> str:
    if given.shape != truth.value.shape:
        return f"{result.name} 有误：形状是 {shape_text(given.shape)}，应为 {shape_text(truth.value.shape)}。"
    if result.index is None:
        return f"{result.name} 有误。"
    off = np.abs(given - truth.value) > truth.rounding(float(np.finfo(np.float64).eps))
    place = f"[{','.join(map(str, result.index))}]"
    numbers = f"给出 {given[result.index]:.9g}，正确的是 {truth.value[result.index]:.9g}"
    return f"{result.name} 有误：{off.size} 个数中有 {int(off.sum())} 个不对，差得最多的在 {place}：{numbers}。"


def _formula(truth: Truth) -> str:
    """The right rule; the few words in it are put into Chinese."""
    return SENTENCES.get(truth.formula, truth.formula)


__all__ = ["in_chinese", "report", "said", "without_sources"]
