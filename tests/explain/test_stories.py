"""The worked examples: every printed number beside ours, with the erratum that explains the difference."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from chainrule.cli import app
from chainrule.errors import NameLookupError
from chainrule.explain.examples import STORIES, listing, mazur, story
from chainrule.explain.messages import Message

W01_VARIANTS = [
    (0.29102777369359933, 3.510187782978859e-05, 0.01591362044355068, 0.9840642735146238),
    (0.29102792390544197, 3.5084786296312774e-05, 0.0159121963260343, 0.9840657344856291),
    (0.2857508866992965, 4.355321066163729e-06, 0.012102159123466431, 0.9879283897200597),
    (0.28577447006940215, 4.367310582616621e-06, 0.012104739358410894, 0.9879252244944599),
    (0.28047144679143016, 2.4475622359322627e-06, 0.011587527390870093, 0.9884589350256716),
    (0.2804840766059972, 2.4373324124650675e-06, 0.01158382711768914, 0.9884617683899352),
]
DIFFERENT = {"S0-N17": "ER0-08", "S0-N22": "ER0-14", "S0-N23": "ER0-14", "S0-N24": "ER0-14"}


@pytest.fixture(scope="module")
def s0() -> mazur.Variants:
    return mazur.train_variants()


def test_W01_all_six_ways_to_train(s0: mazur.Variants) -> None:
    for number, (one, end, first, second) in enumerate(W01_VARIANTS):
        assert s0.after_one[number] == pytest.approx(one, rel=1e-12)
        assert s0.after_all[number] == pytest.approx(end, rel=1e-9)
        assert s0.outputs[number] == pytest.approx([first, second], rel=1e-9)


def rounds_to(ours: float, printed: str) -> bool:
    """Whether a number, rounded to the printed decimals, is the printed one."""
    decimals = len(printed.partition(".")[2])
    return f"{ours:.{decimals}f}" == printed


def test_S0_N01_to_N24_are_all_there_and_every_difference_has_its_erratum() -> None:
    table = story("mazur").listings[0]
    assert [row[0] for row in table.rows] == [f"S0-N{n:02d}" for n in (*range(1, 25), 24)]
    for name, _, printed, ours, remark in table.rows:
        assert isinstance(remark, Message)
        if not isinstance(ours, float):
            continue
        if name in DIFFERENT:
            assert not rounds_to(ours, printed)
            assert remark.key in ("ER0-15", DIFFERENT[name])
        else:
            assert rounds_to(ours, printed), (name, ours, printed)


def test_ER0_14_only_updated_weights_with_frozen_biases_round_to_the_print(s0: mazur.Variants) -> None:
    fits = [
        rounds_to(s0.after_one[k], "0.291027924")
        and rounds_to(s0.after_all[k], "0.000035085")
        and rounds_to(s0.outputs[k][0], "0.015912196")
        for k in range(6)
    ]
    assert fits == [False, True, False, False, False, False]
    assert rounds_to(s0.outputs[1][1], "0.984065734")


@pytest.mark.parametrize("name", [name for name in STORIES if name not in ("mazur", "lenet5")])
def test_by_hand_and_by_the_engine_are_the_same(name: str) -> None:
    table = story(name).listings[0]
    assert len(table.rows) >= 3
    for row in table.rows:
        assert row[2] == row[3], row


def test_W02_the_sums_of_the_matrix_form() -> None:
    values = [derivation.value for derivation in story("s4").derivations]
    assert values == [-2, 3, 14]


def test_W03_the_sums_of_the_convolution() -> None:
    first, weight, bias = story("s1").derivations
    assert [first.value, weight.value, bias.value] == [23, 303, 45]
    shown = [term.value for term in first.steps[-1].parts[0].terms]
    assert sorted(shown) == [4, 5, 6, 8]
    assert len(weight.steps[-1].parts[0].terms) == 9


def test_W08_the_channel_sums() -> None:
    value, _ = story("s3").derivations
    assert value.value == -3
    assert [part.total for part in value.steps[-1].parts] == [-4, 1]


def test_lenet5_explains_a_weight_a_delta_and_a_pixel_of_a_real_digit() -> None:
    told = story("lenet5")
    assert [d.place.name for d in told.derivations] == ["conv1.weight", "conv2", "input"]
    assert all(d.value != 0 for d in told.derivations)
    assert all(step.deviation < 1e-10 for d in told.derivations for step in d.steps)


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_told_in_every_form_and_both_languages(name: str) -> None:
    told = story(name, lang="zh")
    assert re.search("[\u4e00-\u9fff]", told.text())
    assert not re.search("[\u4e00-\u9fff]", told.text(lang="en"))
    assert told.markdown().startswith("## " + name)
    assert "<math" in told.html()
    json.dumps(told.to_dict(), allow_nan=False)


def test_an_unknown_story_suggests_the_nearest() -> None:
    with pytest.raises(NameLookupError, match="did you mean 'mazur'"):
        story("mazor")
    assert [name for name, _ in listing()] == list(STORIES)
    assert np.all([title for _, title in listing("zh")])


# --- the commands ----------------------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_the_examples_command_lists_them() -> None:
    code, output = run("examples")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == list(STORIES)
    assert "全连接层" in run("examples", "--lang", "zh")[1]


def test_the_explain_command_writes_every_format(tmp_path: object) -> None:
    ask = ("explain", "conv1.weight[0,0,1,2]", "--net", "1x28x28 -> conv 2@5x5 -> relu -> maxpool 4 -> fc 10")
    assert "∂L/∂w[0,0,1,2]" in run(*ask)[1]
    assert "\\begin{aligned}" in run(*ask, "--format", "markdown")[1]
    assert "<math" in run(*ask, "--format", "html", "--lang", "zh")[1]
    assert json.loads(run(*ask, "--format", "json", "--learning-rate", "0.1")[1])["steps"][-1]["kind"] == "update"
    code, output = run(*ask, "--output", f"{tmp_path}/page.html", "--format", "html")
    assert (code, output.strip()) == (0, f"written to {tmp_path}/page.html")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say what to explain"),
        (("conv1.bias[0]", "--example", "mazur"), "not both"),
        (("--example", "mazor"), "did you mean 'mazur'"),
        (("conv1.bias[9]",), "lies between 0 and 5"),
        (("conv1.bias[0]", "--image", "-1"), "--image must lie between 0 and 999"),
        (("conv1.bias[0]", "--lang", "fr"), 'lang must be "en" or "zh"'),
        (("conv1.bias[0]", "--output", "/nowhere/page.html"), "cannot write /nowhere/page.html"),
    ],
)
def test_mistakes_end_in_a_sentence(arguments: tuple[str, ...], words: str) -> None:
    code, output = run("explain", *arguments)
    assert code == 2
    assert words in output.replace("\n", " ")
    assert "Traceback" not in output
