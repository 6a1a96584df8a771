"""The static file: recorded answers are the exploration's, it holds what it says, and nothing comes from elsewhere."""

from __future__ import annotations

import base64
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import ArgumentError, StorageError
from chainrule.explorer.recorder import _pages
from chainrule.explorer.recording import BLOCK, Recording, key_of
from tests.explorer.networks import small, two_two_two


class Page(HTMLParser):
    """The parts of a written file."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("id") or tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self._inside, []).append(data)


def inflated(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(text)))


def answers_of(recording: dict[str, Any]) -> dict[str, Any]:
    """What the page's reader of recordings (web/src/hosts/recorded.ts) makes of one: answers by key."""

    def whole(value: Any, texts: list[str]) -> Any:
        if isinstance(value, dict):
            return texts[value["$"]] if "$" in value else {name: whole(member, texts) for name, member in value.items()}
        return [whole(member, texts) for member in value] if isinstance(value, list) else value

    index = inflated(recording["index"])
    blocks = [inflated(block) for block in recording["blocks"]]
    found = {key: whole(answer, block["texts"]) for block in blocks for key, answer in block["answers"].items()}
    assert set(found) == set(index)
    assert all(key in blocks[number]["answers"] for key, number in index.items())
    return found


def read(path: Path) -> tuple[str, Page, dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    return text, page, json.loads("".join(page.texts["chainrule-recording"]))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cr.explorer(*two_two_two()).save(tmp_path_factory.mktemp("static") / "page.html")


def test_every_recorded_answer_is_the_explorations(written: Path) -> None:
    answers = answers_of(read(written)[2])
    exploration = cr.explorer(*two_two_two())._make()
    for key, recorded in answers.items():
        question = json.loads(key)
        expected = exploration.answer(question)
        assert expected["ok"]
        del expected["state"], recorded["state"]
        if question["ask"] == "overview":
            assert recorded.pop("notes")[:-1] == expected.pop("notes")
            assert not any(recorded.pop("capabilities").values())
            expected.pop("capabilities")
        assert recorded == expected, key


def test_a_small_network_is_there_to_its_last_number(written: Path) -> None:
    answers = answers_of(read(written)[2])
    net = two_two_two()[0]
    shapes = dict(zip(net.names, net.shapes, strict=True))
    places = [
        (quantity, name, [0, *i])
        for quantity in ("value", "gradient")
        for name in shapes
        for i in np.ndindex(shapes[name])
    ]
    places += [("parameter", name, list(i)) for name, array in net.parameters.items() for i in np.ndindex(array.shape)]
    for lang in ("en", "zh"):
        for quantity, name, index in places:
            question = {"ask": "step", "lang": lang, "place": {"quantity": quantity, "name": name, "index": index}}
            assert key_of({**question, **({"sample": 0} if quantity == "parameter" else {})}) in answers
            if quantity != "value":
                nudge = {"ask": "nudge", "place": question["place"]}
                assert key_of({**nudge, **({"sample": 0} if quantity == "parameter" else {})}) in answers
        overview = answers[key_of({"ask": "overview", "sample": 0, "lang": lang})]
        assert key_of({"ask": "step", "lang": lang, "place": overview["loss"]["place"]}) in answers
        assert overview["notes"][-1] in (
            "This file holds every number of this network, with its step.",
            "这个文件包含该网络的每一个数及其步骤。",
        )


def test_a_larger_one_says_what_is_there_and_keeps_to_its_budget(tmp_path: Path) -> None:
    budget = 60_000
    page = cr.explorer(*small()).save(tmp_path / "page.html", budget=budget)
    recording = read(page)[2]
    answers = answers_of(recording)
    spent = sum(map(len, recording["blocks"]))
    assert budget / 2 < spent < budget + 30_000
    steps = {key_of(json.loads(key)["place"]) for key in answers if json.loads(key)["ask"] == "step"}
    note = answers[key_of({"ask": "overview", "sample": 0, "lang": "en"})]["notes"][-1]
    found = re.search(r"holds 1 of 3 samples: the tour, all maps, and the steps of (\d+) of (\d+) numbers", note)
    assert found, note
    assert int(found[1]) == len(steps)
    assert int(found[2]) > len(steps)
    for stop in answers[key_of({"ask": "tour", "sample": 0, "lang": "en"})]["stops"]:
        assert key_of(stop["place"]) in steps


def test_nothing_comes_from_elsewhere_and_only_our_script_runs(written: Path) -> None:
    import hashlib

    text, page, _ = read(written)
    for tag, attributes in page.elements:
        assert not {"src", "srcset", "action", "formaction", "ping"} & set(attributes), (tag, attributes)
        assert attributes.get("href", "data:,") in ("data:,",) or tag == "a"
    scripts = [attributes for tag, attributes in page.elements if tag == "script"]
    assert [attributes.get("type") for attributes in scripts] == ["application/json", "module"]
    policy = next(a["content"] for t, a in page.elements if t == "meta" and a.get("http-equiv"))
    script = text.rpartition('<script type="module">')[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; script-src 'sha256-{digest}';" in str(policy)


def test_the_same_exploration_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    again = cr.explorer(*two_two_two()).save(tmp_path / "again.html")
    assert again.read_bytes() == written.read_bytes()


def test_names_of_classes_and_layers_cannot_end_the_script(tmp_path: Path) -> None:
    net, x, targets, loss = small()
    net.class_names = ("</script><script>alert(1)</script>", "<!--", "c")
    page = read(cr.explorer(net, x, targets, loss).save(tmp_path / "page.html", budget=10_000))[1]
    assert [tag for tag, _ in page.elements].count("script") == 2


@pytest.mark.parametrize(
    "shape",
    [(1,), (70_000,), (3, 5), (2, 70_000), (4, 3, 3), (2, 300, 300), (1, 2, 70_000), (3, 2, 200, 200), (600, 600)],
)
def test_pages_cover_a_tensor_once_and_none_is_too_large(shape: tuple[int, ...]) -> None:
    seen = np.zeros(shape, int)
    for page, part in _pages(shape):
        assert seen[part].size <= 65_536
        assert seen[part].shape[0] == page["count"]
        assert ("columns" in page) == (seen[0].size > 65_536)
        seen[part] += 1
    assert (seen == 1).all()


def test_a_recording_inflates_in_blocks() -> None:
    recording = Recording(10**9)
    noise = np.random.default_rng(0)
    for number in range(40):
        recording.add({"ask": "array", "name": str(number)}, {"ok": True, "data": noise.bytes(BLOCK // 16).hex()})
    written = recording.to_dict()
    assert 3 <= len(written["blocks"]) <= 6
    assert len(answers_of(written)) == 40


def test_what_cannot_be_written_or_shown_is_an_error(tmp_path: Path) -> None:
    explorer = cr.explorer(*two_two_two())
    with pytest.raises(StorageError, match="cannot write"):
        explorer.save(tmp_path / "missing" / "page.html")
    with pytest.raises(ArgumentError, match="budget must"):
        explorer.save(tmp_path / "page.html", budget=0)
    assert not list(tmp_path.iterdir())
    net, x, targets, loss = small()
    with pytest.raises(ArgumentError, match="no sample 3: samples are numbered from 0 to 2"):
        cr.explorer(net, x, targets, loss, sample=3)
    for name in ("conv1.weight", "linear1.weight"):
        net.parameters[name] = np.full(net.parameters[name].shape, 1e300)
    with pytest.raises(ArgumentError, match="NaN or infinity"):
        cr.explorer(net, x, targets, loss)
    with pytest.raises(ArgumentError, match="1,000,000"):
        cr.explorer(cr.parse("1000 -> fc 1001"), np.zeros((1, 1000)), [0], cr.CrossEntropyLoss())
