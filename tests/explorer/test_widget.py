"""The explorer in notebooks: what a cell shows, and the messages between page and kernel."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import chainrule as cr
from chainrule.errors import MissingExtraError
from tests.explorer.networks import two_two_two

anywidget = pytest.importorskip("anywidget", reason="the widget needs the extra explorer")


@pytest.fixture
def widget(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The widget of a small network, and in `.sent` what it sent."""
    made = cr.explorer(*two_two_two()).widget()
    made.sent = []
    monkeypatch.setattr(made, "send", lambda content, buffers=None: made.sent.append(content))
    return made


def test_a_cell_shows_the_widget() -> None:
    explorer = cr.explorer(*two_two_two())
    data = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.widget().model_id
    assert data["text/plain"] == "Explorer of " + str(two_two_two()[0])


def test_its_script_is_the_page_and_names_no_other_site(widget: Any) -> None:
    assert "export" in widget._esm
    assert "render" in widget._esm
    assert "import(" not in widget._esm
    assert "http://" not in widget._esm.replace("http://www.w3.org/", "")


def test_a_message_is_answered_by_its_number(widget: Any) -> None:
    widget._handle_custom_msg({"id": "a-7", "question": {"ask": "overview", "lang": "zh"}}, [])
    widget._handle_custom_msg({"id": "a-8", "question": {"ask": "train", "steps": 1, "learning_rate": 0.5}}, [])
    assert [message["id"] for message in widget.sent] == ["a-7", "a-8"]
    first, second = (message["answer"] for message in widget.sent)
    assert first["loss"]["value"] == pytest.approx(0.2983711087600027)
    assert second["ok"]
    assert second["state"] > first["state"]


@pytest.mark.parametrize("question", [None, [], "overview", {}, {"ask": 3}, {"ask": "save"}, {"ask": "nothing"}])
def test_what_is_no_question_is_a_sentence(widget: Any, question: Any) -> None:
    widget._handle_custom_msg({"id": "x", "question": question}, [])
    answer = widget.sent[0]["answer"]
    assert answer["ok"] is False
    assert answer["error"]["text"]["zh"].endswith(("。", "）"))


def test_messages_of_others_are_left_alone(widget: Any) -> None:
    widget._handle_custom_msg("anything", [])
    widget._handle_custom_msg({"kind": "anywidget-command"}, [])
    assert widget.sent == []


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from chainrule.explorer import widget

    monkeypatch.setitem(sys.modules, "anywidget", None)
    widget._widget_class.cache_clear()
    with pytest.raises(MissingExtraError, match=r"chainrule\[explorer\]"):
        cr.explorer(*two_two_two()).widget()
    data = cr.explorer(*two_two_two())._repr_mimebundle_()
    assert list(data) == ["text/plain"]
    assert "pip install 'chainrule[explorer]'" in data["text/plain"]
    monkeypatch.undo()
    widget._widget_class.cache_clear()
