"""The sentences of the grader, English and Chinese side by side; tasks and mistakes have theirs in `tasks`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from chainrule.errors import ArgumentError
from chainrule.exercises.verdict import Note
from chainrule.explain.messages import LANGUAGES, Language

SENTENCES: dict[str, tuple[str, str]] = {
    "chapter": ("chapter {chapter}", "第 {chapter} 章"),
    "kind_write": ("write", "推导"),
    "kind_bug": ("bug", "找错"),
    "kind_predict": ("predict", "预测"),
    "kind_count": ("count", "计数"),
    "kind_matrix": ("matrix", "矩阵"),
    "kind_check": ("check", "检验"),
    "status_right": ("right", "正确"),
    "status_wrong": ("WRONG", "有错"),
    "status_failed": ("FAILED", "未能运行"),
    "status_unwritten": ("not written yet", "尚未完成"),
    "status_missing": ("missing", "缺少"),
    "status_borrowed": ("BORROWED", "借用"),
    "all_cases": ("right in all {cases} cases", "{cases} 组输入全部正确"),
    "wrong_cases": ("wrong in {wrong} of {cases} cases", "{cases} 组输入中有 {wrong} 组错误"),
    "first_wrong": ("First in case {case}: {inputs}.", "最先出现在第 {case} 组：{inputs}。"),
    "first_wrong_alone": ("First in case {case}.", "最先出现在第 {case} 组。"),
    "shape": ("Its shape is {given}, not {expected}.", "形状是 {given}，应为 {expected}。"),
    "off": (
        "{wrong} of {size} numbers are off, most at {index}{axes}.",
        "{size} 个数中有 {wrong} 个不对，差得最多的在 {index}{axes}。",
    ),
    "off_alone": ("The number is off.", "这个数不对。"),
    "only": ("Wrong only in {regions}.", "只在{regions}出错。"),
    "region": ("{axis} {hit} of 0..{last}", "{axis} {hit}（范围 0..{last}）"),
    "not_finite": (
        "{wrong} of {size} numbers are NaN or infinite, the first at {index}{axes}: a division by 0, or exp of "
        "too much?",
        "{size} 个数中有 {wrong} 个是 NaN 或无穷，第一个在 {index}{axes}：是除以了 0，还是 exp 溢出？",
    ),
    "mistake": ("Likely mistake: {what}", "可能的错误：{what}"),
    "in_addition": ("In addition: {what}", "此外：{what}"),
    "more_mistakes": (
        "Each of these alone gives your numbers in every case looked at.",
        "以上任何一条都能解释看过的每一组结果。",
    ),
    "near": (
        "No single mistake explains it; nearest: {what} But something else is wrong, too.",
        "没有哪一个错误能单独解释它；最接近的是：{what}但还有别的错误。",
    ),
    "unknown": (
        "No mistake that the grader knows gives these numbers. Try the smallest case by hand.",
        "评分程序认识的错误都得不出这些数。请用最小的例子手算一遍。",
    ),
    "summary": ("{right} of {count} exercises right.", "{count} 道练习中 {right} 道正确。"),
    "bug_still_there": (
        "These are the numbers of the program as it was handed out: the bug is still in it. Compare the places named "
        "below with a small case that you compute by hand.",
        "这些数与发下来的程序完全相同：错误还在里面。请对照下面指出的位置，用一个小例子手算。",
    ),
    "unwritten": (
        "The function still raises NotImplementedError: it is yours to write.",
        "函数仍在抛出 NotImplementedError：等你来写。",
    ),
    "missing": (
        "The file defines no function {function}; its name must stay as in the stub.",
        "文件里没有函数 {function}；函数名须与练习文件中的相同。",
    ),
    "borrowed": (
        "{at}The solution uses {message}, which knows the derivative already. The exercise asks for it in your own "
        'words; checks of your own may stand under if __name__ == "__main__":.',
        "{at}答案借用了 {message}，它早就知道导数。练习要你自己推导；"
        '自己的验证可以放在 if __name__ == "__main__": 之下。',
    ),
    "raised": ("{at}{type}: {message}", "{at}{type}：{message}"),
    "raised_loading": (
        "{at}{type}: {message} This happened while the file was loaded, before the function was called.",
        "{at}{type}：{message}。这发生在载入文件时，函数还没有被调用。",
    ),
    "exit": (
        "{at}The function calls sys.exit; it should return its result.",
        "{at}函数调用了 sys.exit；它应当返回结果。",
    ),
    "exit_loading": (
        "{at}The file calls sys.exit while it is loaded; the function is never reached.",
        "{at}文件在载入时就调用了 sys.exit，根本到不了函数。",
    ),
    "memory": (
        "{at}It needs more memory than the grader allows: a far too large array?",
        "{at}所用内存超出限制：是不是有一个过大的数组？",
    ),
    "time": (
        "{at}It did not end in time and was stopped there: an endless loop?",
        "{at}未能在限定时间内结束，运行到这里被停止：是不是死循环？",
    ),
    "time_loading": (
        "{at}The file did not end loading in time and was stopped there.",
        "{at}载入文件未能在限定时间内结束，运行到这里被停止。",
    ),
    "died": (
        "The process ended without a word (code {code}): a crash in compiled code, os._exit, or far too much memory.",
        "进程不声不响地结束了（代码 {code}）：编译代码崩溃、os._exit 或内存远超限制。",
    ),
    "at_line": ("Line {line} ({text}): ", "第 {line} 行（{text}）："),
    "at_cell": ("{label}, line {line} ({text}): ", "{label}，第 {line} 行（{text}）："),
    "in_case": ("That was case {case}: {inputs}.", "那是第 {case} 组：{inputs}。"),
    "returns_nothing": (
        "The function returns None; expected: {expected}. Is a `return` missing?",
        "函数返回 None，应返回 {expected}。是不是漏了 return？",
    ),
    "returns_one": (
        "The function returns one value; expected are {count}: {expected}.",
        "函数只返回一个值，应返回 {count} 个：{expected}。",
    ),
    "returns_count": (
        "The function returns {given} values; expected are {count}: {expected}.",
        "函数返回 {given} 个值，应返回 {count} 个：{expected}。",
    ),
    "part_is_nothing": ("{name} is None; expected is an array or a number.", "{name} 是 None，应为数组或数。"),
    "kind": ("{name} is of the kind {given}; expected are numbers.", "{name} 的类型是 {given}，应由实数组成。"),
    "ragged": (
        "{name} is a list whose rows have different lengths; expected is an array.",
        "{name} 是一个各行长短不一的列表，应为数组。",
    ),
    "changed": (
        "The function changes its arguments in place: {names}. Whoever called it still needs them; work on a copy.",
        "函数就地改动了参数 {names}。调用者还要用到它们；请在副本上计算。",
    ),
    "remembers": (
        "The same call gives another result the second time: something is kept between calls.",
        "同样的调用第二次得到不同的结果：两次调用之间留下了什么。",
    ),
    "other_order": (
        "The results are right, but in another order: {names} stands where another is expected. Expected: {expected}.",
        "结果是对的，但顺序不同：{names} 不在自己的位置上。应为：{expected}。",
    ),
    "printed": ("The code prints ({count} characters); that was ignored.", "程序有输出（{count} 个字符），已忽略。"),
    "cell_left_out": ("A cell was left out: {why}", "有一个单元格没有执行：{why}"),
}
"""key -> (English, Chinese)."""

AXES = {
    "sample": "样本", "channel": "通道", "row": "行", "column": "列", "feature": "特征", "output": "输出",
    "input": "输入", "out channel": "卷积核", "in channel": "通道",
    "kernel row": "核的行", "kernel column": "核的列", "pixel": "像素", "class": "类别",
    "place": "位置", "tap": "权重", "entry of vec Z": "vec Z 的元素", "entry of vec W": "vec W 的元素",
    "entry of b": "b 的元素",
}  # fmt: skip
"""Names of axes in Chinese."""


def language(lang: str) -> Language:
    """The language of a name; ArgumentError for others."""
    for known in LANGUAGES:
        if lang == known:
            return known
    raise ArgumentError(f"lang must be one of {', '.join(LANGUAGES)}, not {lang!r}")


@cache
def _file(name: str) -> dict[str, Any]:
    text = files("chainrule.exercises").joinpath("tasks", name).read_text(encoding="utf-8")
    return tomllib.loads(text)


def task(name: str, lang: Language) -> dict[str, str]:
    """title, task and shapes of an exercise."""
    found: dict[str, str] = _file(f"{lang}.toml")[name]
    return found


def hint(key: str, detail: str, lang: Language) -> str:
    """The sentence of a mistake; of two at once, both."""
    first, *more = key.split("+")
    zh = lang == "zh"
    table = _file("hints.toml")
    detail = table["counts"].get(detail, detail) if zh else detail
    sentence: str = table["hints"][first][zh].format(detail=detail)
    for other in more:
        sentence += ("" if zh else " ") + sentence_of(Note("in_addition", {"what": hint(other, detail, lang)}), lang)
    return sentence


def hinted() -> frozenset[str]:
    """The keys of all mistakes that have a sentence."""
    return frozenset(_file("hints.toml")["hints"])


def axis_name(axis: str, lang: Language) -> str:
    """An axis in the language."""
    return AXES.get(axis, axis.replace("axis ", "轴 ")) if lang == "zh" else axis


def sentence_of(note: Note, lang: Language) -> str:
    """A note in words."""
    words = {k: sentence_of(v, lang) if isinstance(v, Note) else v for k, v in note.arguments.items()}
    template = SENTENCES[note.key][lang == "zh"]
    return template.format_map(words | {"at": _at(note, lang)} if "{at}" in template else words)


def _at(note: Note, lang: Language) -> str:
    """The student's line, where one is known."""
    label, line = str(note.arguments.get("label", "")), note.arguments.get("line")
    if not line:
        return ""
    label = label.replace("cell", "单元格") if lang == "zh" else label.capitalize()
    return SENTENCES["at_cell" if label else "at_line"][lang == "zh"].format(
        label=label, line=line, text=note.arguments.get("text", "")
    )
