"""The grader's report: a text in either language, and JSON for the machines of a course."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from chainrule.errors import shown
from chainrule.exercises.messages import axis_name, hint, language, sentence_of, task
from chainrule.exercises.verdict import Note, TensorVerdict, Verdict
from chainrule.explain.messages import Language
from chainrule.explain.wrapping import wrap

WIDTH = 80
SHOWN = 3
"""Mistakes that are named where several give the same numbers."""
FORMAT = "chainrule-grade/1"


@dataclass(frozen=True)
class Report:
    """Verdicts on the exercises of a file or of a function; print it, or see `ok`, `verdicts` and `to_dict()`."""

    verdicts: tuple[Verdict, ...]
    file: str | None = None
    lang: Language = "en"

    @property
    def ok(self) -> bool:
        """Whether every exercise is solved."""
        return all(verdict.ok for verdict in self.verdicts)

    def text(self, lang: str | None = None, width: int = WIDTH) -> str:
        """The report as lines of at most `width` columns."""
        chosen = self.lang if lang is None else language(lang)
        parts = ["\n".join(_lines(verdict, chosen, width)) for verdict in self.verdicts]
        if len(parts) > 1:
            right = sum(verdict.ok for verdict in self.verdicts)
            parts.append(sentence_of(Note("summary", {"right": right, "count": len(parts)}), chosen))
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, numbers and texts; no number of a solution is among them."""
        exercises = [_plain(verdict, self.lang) for verdict in self.verdicts]
        head = {"format": FORMAT, "file": self.file, "lang": self.lang, "ok": self.ok}
        return {**head, "right": sum(v.ok for v in self.verdicts), "count": len(self.verdicts), "exercises": exercises}

    def json(self) -> str:
        """`to_dict` as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n"

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


def in_language(report: Report, lang: str) -> Report:
    """The same report in a language."""
    return replace(report, lang=language(lang))


def _lines(verdict: Verdict, lang: Language, width: int) -> Iterator[str]:
    kind = sentence_of(Note(f"kind_{verdict.exercise.kind}"), lang)
    chapter = sentence_of(Note("chapter", {"chapter": verdict.exercise.chapter}), lang)
    status = sentence_of(Note(f"status_{verdict.status}"), lang)
    title = task(verdict.exercise.name, lang)["title"]
    colon = "：" if lang == "zh" else ": "
    yield from _wrapped(f"{verdict.exercise.name}{colon}{status}", "", width)
    yield from _wrapped(
        f"{title} ({chapter}, {kind})" if lang == "en" else f"{title}（{chapter}，{kind}）", "  ", width
    )
    for note in verdict.notes:
        yield from _wrapped(sentence_of(note, lang), "  ", width)
    for tensor in verdict.tensors:
        first, *more = _of_tensor(tensor, lang)
        yield from _wrapped(f"{tensor.name}{colon}{first}", "  ", width)
        for line in more:
            yield from _wrapped(line, "    ", width)


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return [indent + line for line in wrap(shown(text), max(width - len(indent), 20))]


def _of_tensor(tensor: TensorVerdict, lang: Language) -> Iterator[str]:
    """What is said about one result: right or wrong, where, and why."""

    def said(key: str, **arguments: Any) -> str:
        return sentence_of(Note(key, arguments), lang)

    if tensor.ok:
        yield said("all_cases", cases=tensor.cases)
        return
    yield said("wrong_cases", wrong=tensor.wrong, cases=tensor.cases)
    key = "first_wrong" if tensor.inputs else "first_wrong_alone"
    yield said(key, case=tensor.case, inputs=tensor.inputs)
    if tensor.shapes is not None:
        yield said("shape", given=tensor.shapes[0], expected=tensor.shapes[1])
    elif tensor.place is not None:
        yield from _placed(tensor, lang)
    if tensor.finite:
        yield from _reasons(tensor, lang)


def _placed(tensor: TensorVerdict, lang: Language) -> Iterator[str]:
    place = tensor.place
    assert place is not None
    zh = lang == "zh"
    index = f"[{','.join(map(str, place.index))}]"
    axes = ""
    if len(place.axes) == len(place.index) > 0:
        pairs = zip(place.axes, place.index, strict=True)
        named = ("，" if zh else ", ").join(f"{axis_name(axis, lang)} {i}" for axis, i in pairs)
        axes = f"（{named}）" if zh else f" ({named})"
    where = {"wrong": place.wrong, "size": place.size, "index": index, "axes": axes}
    if not tensor.finite:
        yield sentence_of(Note("not_finite", where), lang)
        return
    yield sentence_of(Note("off" if place.index else "off_alone", where), lang)
    if place.regions and place.axes:
        parts = [
            sentence_of(
                Note("region", {"axis": axis_name(axis, lang), "hit": ", ".join(map(str, hit)), "last": last}), lang
            )
            for axis, hit, last in place.regions
        ]
        yield sentence_of(Note("only", {"regions": ("；" if zh else "; ").join(parts)}), lang)


def _reasons(tensor: TensorVerdict, lang: Language) -> Iterator[str]:
    for key, detail in tensor.mistakes[:SHOWN]:
        yield sentence_of(Note("mistake", {"what": hint(key, detail, lang)}), lang)
    if len(tensor.mistakes) > 1:
        yield sentence_of(Note("more_mistakes"), lang)
    for key in tensor.near:
        yield sentence_of(Note("near", {"what": hint(key, "", lang)}), lang)
    if not (tensor.mistakes or tensor.near or tensor.silent or tensor.shapes):
        yield sentence_of(Note("unknown"), lang)


def _plain(verdict: Verdict, lang: Language) -> dict[str, Any]:
    return {
        "name": verdict.exercise.name,
        "chapter": verdict.exercise.chapter,
        "kind": verdict.exercise.kind,
        "function": verdict.exercise.function,
        "ok": verdict.ok,
        "status": verdict.status,
        "cases": verdict.cases,
        "seed": verdict.seed,
        "notes": [{"key": note.key, "text": sentence_of(note, lang)} for note in verdict.notes],
        "results": [_plain_tensor(tensor, lang) for tensor in verdict.tensors],
    }


def _plain_tensor(tensor: TensorVerdict, lang: Language) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "ok": tensor.ok,
        "wrong_cases": tensor.wrong,
        "cases": tensor.cases,
        "first_wrong_case": tensor.case or None,
        "index": None if tensor.place is None else list(tensor.place.index),
        "mistakes": [key for key, _ in tensor.mistakes],
        "text": list(_of_tensor(tensor, lang)),
    }
