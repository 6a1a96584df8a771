"""What a host says when it does not pass a question on: a kind for the page, and a sentence in each language."""

from __future__ import annotations

from typing import Any

MOST_TABS = 8
MOST_BYTES = 1 << 20

REFUSALS: dict[str, tuple[str, str]] = {
    "session_gone": (
        f"This tab's exploration has ended: more than {MOST_TABS} tabs were open, and the one that had rested longest "
        "made room. Open it anew to begin afresh.",
        f"这个标签页的会话已经结束：同时打开的标签页超过了 {MOST_TABS} 个，"
        "闲置最久的一个让出了位置。重新打开即可从头开始。",
    ),
    "token": (
        "This page does not belong to the explorer that runs now. Open the address that `chainrule explore` printed in "
        "its terminal.",
        "这个页面不属于现在运行的程序。请打开 `chainrule explore` 在终端里给出的地址。",
    ),
    "host": (
        "The explorer answers only under the addresses 127.0.0.1 and localhost.",
        "程序只在 127.0.0.1 和 localhost 这两个地址上应答。",
    ),
    "origin": (
        "The explorer answers only questions of its own page, not those of other sites.",
        "程序只回答自己的页面提出的问题，不回答其他网站的问题。",
    ),
    "too_large": (
        f"The question is larger than {MOST_BYTES:,} bytes, the most that the explorer reads.",
        f"问题超过了 {MOST_BYTES:,} 字节，这是程序读取的上限。",
    ),
    "question": (
        "The question cannot be read: it must be a JSON object with a text under “ask”, sent as application/json.",
        "无法读懂这个问题：它应当是一个 JSON 对象，其中 “ask” 是一段文字，并以 application/json 发送。",
    ),
    "absent": (
        "The explorer has no such page.",
        "没有这个页面。",
    ),
    "read_only": (
        "Nothing is written: the explorer was not started with --save OUT.",
        "不会写入任何文件：启动时没有给出 --save OUT。",
    ),
    "internal": (
        "The explorer met a mistake of its own and could not answer; the terminal says more.",
        "程序自身出错，无法回答；详情见终端。",
    ),
}

NOT_RECORDED = (
    "This file holds what was recorded in it and cannot compute. For everything else, ask a running explorer: "
    "`chainrule explore`.",
    "这个文件只含事先记录的内容，不能计算。其他问题请用 `chainrule explore` 启动程序来回答。",
)


def refusal(kind: str, sentence: tuple[str, str] | None = None) -> dict[str, Any]:
    """The answer {"ok": false, ...} of this kind, with its own sentences or those of the table."""
    english, chinese = sentence or REFUSALS[kind]
    return {"ok": False, "error": {"kind": kind, "text": {"en": english, "zh": chinese}}}
