"""Texts of the drawings: key -> (English, Chinese)."""

DRAWINGS: dict[str, tuple[str, str]] = {
    "drawing_title": ("{title}: {kind}", "{title}：图示{kind}"),
    "drawing_slide": ("the window under the kernel", "卷积核下的窗口"),
    "drawing_meet": ("the places where the weight acts", "权重起作用的各个位置"),
    "drawing_winner": ("the window and its winner", "窗口与胜者"),
    "drawing_window": ("the window that covers it", "覆盖它的窗口"),
    "drawing_branch": ("the shares of the branches", "各支路的份额"),
    "drawing_neuron": ("the neuron and what it is joined with", "神经元及其连接"),
    "drawing_network": ("The network", "网络"),
    "drawing_table": ("{title}: {numbers}.", "{title}：{numbers}。"),
    "drawing_winner_note": (
        "The winner alone gets the gradient; nudging a loser changes nothing.",
        "只有胜者得到梯度；轻轻改动败者，输出不变。",
    ),
    "drawing_window_note": (
        "Every number of the window gets its share of the gradient.",
        "窗口中的每个数都得到一份梯度。",
    ),
    "drawing_more": ("{count} more: {total}", "其余 {count} 项：{total}"),
    "drawing_bias": ("bias", "偏置"),
    "drawing_branch_told": (
        "{place} goes to {count} layers. Their shares of its gradient are {shares}; together {total}.",
        "{place} 通往 {count} 个层。它们各自的梯度份额为 {shares}；合计 {total}。",
    ),
    "drawing_neuron_told": ("{terms}; together {total}.", "{terms}；合计 {total}。"),
    "drawing_network_told": ("From {first} to {last}: {nodes}.", "从 {first} 到 {last}：{nodes}。"),
    "drawing_network_lit": (
        "From {first} to {last}: {nodes}. The way back of the gradient is lit: {route}.",
        "从 {first} 到 {last}：{nodes}。梯度返回的路线已标出：{route}。",
    ),
}
