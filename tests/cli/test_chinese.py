"""The command line in Chinese: every sentence has its twin, tables stay aligned, and --lang wins over the system."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import typer
from rich.cells import cell_len
from typer.testing import CliRunner

from chainrule.cli import language
from chainrule.cli.app import app
from chainrule.cli.chinese import CELLS, ERRORS, HELP, OUTPUT, SENTENCES
from chainrule.cli.language import choose, spoken
from chainrule.progress import EpochBar

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACEHOLDER = re.compile(r"\{(\w+)(?::t)?\}")
CLI = Path(language.__file__).parent


@pytest.fixture(autouse=True)
def english_afterwards():  # type: ignore[no-untyped-def]
    yield
    choose([], {})


def run(*arguments: str) -> tuple[int, str, str]:
    """(exit code, standard output, standard error)."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def in_chinese(text: str) -> str:
    choose(["--lang", "zh"])
    return spoken(text)


@pytest.mark.parametrize("english", SENTENCES)
def test_a_sentence_and_its_twin_hold_the_same(english: str) -> None:
    chinese = SENTENCES[english]
    assert set(PLACEHOLDER.findall(chinese)) == set(PLACEHOLDER.findall(english))
    assert not CHINESE.search(english)
    words = PLACEHOLDER.sub("", english)
    assert CHINESE.search(chinese) or not re.search("[a-z]{4}", words) or english.startswith("conv1.weight[")
    assert not re.search("[\u4e00-\u9fff][,:;?!]", chinese), "a half-width sign after Chinese"


def test_no_sentence_stands_in_two_catalogues() -> None:
    assert len(SENTENCES) == len(HELP) + len(OUTPUT) + len(ERRORS)


def helps(command: object, found: set[str]) -> set[str]:
    """Every help text of a command and of those within it."""
    whole = getattr(command, "help", None) or ""
    found |= {" ".join(part.split()) for part in whole.split("\n\n")}
    for param in getattr(command, "params", []):
        found.add(" ".join((getattr(param, "help", None) or "").split()))
    for inner in getattr(command, "commands", {}).values():
        helps(inner, found)
    return found - {""}


def test_every_help_text_is_said_in_chinese() -> None:
    missing = [text for text in helps(typer.main.get_command(app), set()) if not CHINESE.search(in_chinese(text))]
    assert [text for text in missing if not text.startswith(("conv1.weight", "text, markdown"))] == []


def test_every_line_that_commands_print_is_said_in_chinese() -> None:
    """All texts given to say, tell and complain, and raised by commands, with something in their placeholders."""
    untold = []
    for path in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = getattr(getattr(node, "func", None), "id", "")
            if isinstance(node, ast.Call) and (called in ("say", "tell", "complain") or called.endswith("Error")):
                texts = [_filled(argument) for argument in node.args]
                untold += [text for text in texts if re.search("[a-z]{3} [a-z]{3}", text) and in_chinese(text) == text]
    lines = [text for text in untold if not text.startswith((" ", "chainrule "))]
    assert [text for text in lines if text not in TOLD_ELSEWHERE] == []


TOLD_ELSEWHERE = {"interrupted after 7 epochs"}
"""Texts that have their Chinese beside them."""


def _filled(node: ast.AST) -> str:
    """A text, or an f-string with 7 for what is computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
    return ""


def test_lang_wins_over_the_system_and_the_system_over_nothing() -> None:
    assert choose([], {}) == "en"
    assert choose([], {"LANG": "zh_CN.UTF-8"}) == "zh"
    assert choose([], {"LANG": "de_DE", "LC_ALL": "zh_CN"}) == "zh"
    assert choose([], {"LANG": "zh_CN", "LC_ALL": "C"}) == "en"
    assert choose(["train", "--lang", "en"], {"LANG": "zh_CN"}) == "en"
    assert choose(["--lang=zh", "train"], {"LANG": "en_US"}) == "zh"
    assert choose(["predict", "m", "--", "--lang", "zh"], {}) == "en"
    assert choose([], {"LANG": "en_US", "CHAINRULE_LANG": "zh"}) == "zh"


@pytest.mark.parametrize("line", [
    "name      arguments   output  params  connections  mult-adds  field",
    "tensor                 checked  worst error             at   kinks",
    " class  samples  precision   recall       f1",
    "total                           5,874       67,978     63,360",
    "true \\ predicted    0   1   2",
])  # fmt: skip
def test_headings_keep_their_columns(line: str) -> None:
    chinese = in_chinese(line)
    assert CHINESE.search(chinese)
    assert cell_len(chinese) == cell_len(line)
    for word in re.findall(r"[a-z-]{3,}", line):
        assert word not in chinese
    for number in re.finditer(r"\S*\d\S*$", line):
        assert cell_len(chinese[: chinese.rindex(number[0])]) == number.start()


def test_what_is_foreign_stays_as_it_is() -> None:
    assert in_chinese("cannot read loss 3 on 4 samples: it is a folder") == (
        "无法读取 loss 3 on 4 samples：这是一个文件夹"
    )
    assert in_chinese("a sentence that nobody translated") == "a sentence that nobody translated"
    assert set(CELLS) >= {"class", "tensor", "name"}


def test_commands_speak_chinese(tmp_path: Path) -> None:
    folder = str(tmp_path / "m")
    options = ("--net", "1x28x28 -> fc 10", "--epochs", "1", "--shifts", "0", "--no-plots", "--output", folder)
    code, out, _ = run("train", *options, "--lang", "zh")
    assert code == 0
    assert "测试准确率" in out
    assert [line for line in out.splitlines() if line and not CHINESE.search(line) and "chainrule " not in line] == []
    assert EpochBar.worded("epoch 1/1") == "epoch 1/1", "a program that called the command speaks as before"
    _, out, _ = run("check", "--net", "3 -> fc 2", "--lang", "zh")
    assert "梯度正确" in out
    assert run("check", "--net", "3 -> fc 2")[1].startswith("tensor")


@pytest.mark.parametrize("arguments, words", [
    (("train", "--foo"), "错误：没有选项"),
    (("predict",), "缺少参数"),
    (("nothing",), "没有命令"),
    (("summary", "no-such-file"), "chainrule：无法读取 no-such-file"),
    (("train", "--net", "nonsense"), "没有名为 'nonsense' 的网络"),
    (("explain", "conv1.weight[0,0,9,9]"), "越界"),
])  # fmt: skip
def test_mistakes_are_told_in_chinese(arguments: tuple[str, ...], words: str) -> None:
    code, out, err = run(*arguments, "--lang", "zh")
    assert code == 2
    assert words in out + err
    assert not re.search("[a-z]{4} [a-z]{3} [a-z]{3}", err.split("known")[0])


def test_a_language_that_is_not_spoken_is_refused() -> None:
    code, _, err = run("train", "--lang", "fr")
    assert code == 2
    assert 'lang must be "en" or "zh", not \'fr\'' in err


def test_help_in_chinese_fits_the_width() -> None:
    for name in ("train", "explain", "export", "predict"):
        _, out, _ = run(name, "-h", "--lang", "zh")
        assert "用法：" in out
        assert max(map(cell_len, out.splitlines())) <= 80
