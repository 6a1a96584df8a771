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
from chainrule.explain.messages import LANGUAGES, Message

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


W01_GRADIENTS = [
    0.0004385677344743465, 0.000877135468948693, 0.0004977127352608599, 0.0009954254705217198, 0.08216704056423077,
    0.08266762784753325, -0.02260254047747507, -0.022740242215978222, 0.018725609394704128, 0.10040032511200071,
    0.00877135468948693, 0.009954254705217196, 0.13849856162855695, -0.038098236516556236,
]  # fmt: skip
W01_UPDATED = [
    0.1497807161327628, 0.19956143226552567, 0.24975114363236958, 0.29950228726473915, 0.35891647971788465,
    0.4086661860762334, 0.5113012702387375, 0.5613701211079891, 0.3406371953026479, 0.5497998374439996,
    0.3456143226552565, 0.3450228726473914, 0.5307507191857215, 0.6190491182582781,
]  # fmt: skip
W01_COURSE = [
    0.2983711087600027, 0.29102777369359933, 0.28354713312241997, 0.27594328888945185, 0.2682327611533904,
    0.2604343927553956,
]  # fmt: skip
W01_FINAL = {
    0: [0.3785099883501318, 0.6570199767002626, 0.47730070568478583, 0.754601411369569, -3.8929771988657236,
        -3.868416687703616, 2.861810948620059, 2.9256889667716157, 0.35, 0.35, 0.6, 0.6],
    1: [0.3799191828619932, 0.6598383657239865, 0.47871403613004904, 0.7574280722600977, -3.8925190044940288,
        -3.8679530430838187, 2.861489889945744, 2.925364276805392, 0.35, 0.35, 0.6, 0.6],
    2: [0.19970950103836688, 0.2994190020767337, 0.2990099571088421, 0.39801991421767957, -2.2419292550542154,
        -2.20225264269978, 2.5637822302093953, 2.6208504932268566, 2.324389162944144, 2.324389162944144,
        -0.3373733264336137, -0.3373733264336137],
    4: [0.18247629859909445, 0.2649525971981903, 0.2817499976086276, 0.36349999521725185, -1.450012594107061,
        -1.403312449216215, 1.5220676561032973, 1.5729703483198136, 0.9995259719818812, 0.9849999521725323,
        -2.34058821745986, 2.1662804505854516],
}  # fmt: skip


def test_W01_gradients_updates_course_and_final_parameters(s0: mazur.Variants) -> None:
    gradients, course, final = story("mazur").listings[2:]
    assert [row[1] for row in gradients.rows] == pytest.approx(W01_GRADIENTS, rel=1e-12)
    assert [row[2] for row in gradients.rows] == pytest.approx(W01_UPDATED, rel=1e-12)
    assert [row[1] for row in course.rows] == pytest.approx(W01_COURSE, rel=1e-12)
    for column, (way, parameters) in enumerate(W01_FINAL.items(), 1):
        assert s0.parameters[way] == pytest.approx(parameters, rel=1e-9)
        assert [row[column] for row in final.rows] == pytest.approx(parameters, rel=1e-9)


def test_W01_after_one_update_of_the_frozen_and_of_the_sequential_way(s0: mazur.Variants) -> None:
    assert s0.first_outputs[1][0] == pytest.approx([0.7420881111907824, 0.7752849682944595], rel=1e-12)
    sequential = [0.14981763856120295, 0.19963527712240592, 0.2497881851977662, 0.29957637039553237]
    assert s0.first_parameters[1][1][:4] == pytest.approx(sequential, rel=1e-12)


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
    *lines, empty, hint = output.splitlines()
    assert [line.split()[0] for line in lines] == list(STORIES)
    assert (empty, hint) == ("", "chainrule explain --example NAME tells one.")
    assert "全连接层" in run("examples", "--lang", "zh")[1]


def test_the_explain_command_writes_every_format(tmp_path: object) -> None:
    ask = ("explain", "conv1.weight[0,0,1,2]", "--net", "1x28x28 -> conv 2@5x5 -> relu -> maxpool 4 -> fc 10")
    assert "∂L/∂conv1.weight[0,0,1,2]" in run(*ask)[1]
    assert "\\begin{aligned}" in run(*ask, "--format", "markdown")[1]
    assert run(*ask, "--format", "latex")[1].startswith("\\documentclass")
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


@pytest.mark.parametrize("name", STORIES)
def test_a_story_says_nothing_twice(name: str) -> None:
    """Its networks, its notation and its reasons are told where they come first."""
    for lang in LANGUAGES:
        text = story(name).text(lang=lang, width=10**4)
        assert text.count("its gradient, which says" if lang == "en" else "是它的梯度，即损失") == 1
        told = [line for line in text.splitlines() if line.startswith(("because", "因为", "Network", "网络"))]
        assert told
        assert len(told) == len(set(told))


def test_what_a_notebook_keeps_of_a_story_as_text_is_one_line() -> None:
    assert repr(story("rotate")) == "<Story rotate: 1 comparisons, 2 derivations>"
