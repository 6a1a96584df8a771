"""Headings and labels: key -> (English, Chinese)."""

LABELS: dict[str, tuple[str, str]] = {
    "heading": ("The gradient of {place}, by the chain rule", "用链式法则求 {place} 的梯度"),
    "heading_value": ("The value of {place}, step by step", "逐步计算 {place} 的值"),
    "network": ("Network: {text}.", "网络：{text}。"),
    "notation": (
        "Every number is called by its layer: {node} is one that {name} puts out, {gradient} its gradient, which says "
        "how fast L, the loss, changes with it. Indices start at 0.",
        "每个数都用所在的层来称呼：{node} 是 {name} 输出的一个数；{gradient} 是它的梯度，即损失 L "
        "随它变化的快慢。下标从 "
        "0 开始。",
    ),
    "notation_value": (
        "Every number is called by its layer: {node} is one that {name} puts out. Indices start at 0.",
        "每个数都用所在的层来称呼：{node} 是 {name} 输出的一个数。下标从 0 开始。",
    ),
    "which_sample": ("Sample {sample} of a batch of {samples}.", "一批 {samples} 个样本中的第 {sample} 个。"),
    "all_samples": (
        "Summed over the {samples} samples of the batch; a superscript in parentheses is the number of a sample.",
        "对一批 {samples} 个样本求和；符号右上角的数字是样本编号。",
    ),
    "pixels": (
        "The input was uint8: input holds the pixels divided by 255.",
        "输入为 uint8：input 是像素值除以 255。",
    ),
    "largest_gradient": (
        "{name} holds {count} numbers; the one with the largest gradient is explained, {place}.",
        "{name} 共有 {count} 个数；这里说明梯度最大的一个：{place}。",
    ),
    "largest_value": (
        "{name} holds {count} numbers; the largest is derived, {place}.",
        "{name} 共有 {count} 个数；这里推导绝对值最大的一个：{place}。",
    ),
    "satisfied": (
        "The loss is {loss}: the network already has this right, so all gradients are close to 0. A sample that it "
        "gets wrong has more to show.",
        "损失为 {loss}：网络已经答对，各处梯度都接近 0。换一个答错的样本能看到更多。",
    ),
    "inference": (
        "Inference: batch normalisation uses its running statistics, dropout is off.",
        "推理模式：批归一化使用滑动统计量，不做随机失活。",
    ),
    "cut_depth": (
        "The chain is opened {depth} {depth:layer|layers} deep; numbers without a step of their own are taken from the "
        "engine.",
        "链只展开 {depth} 层；没有单独步骤的数直接取自引擎。",
    ),
    "cut_breadth": (
        "At each node only {breadth:the number that weighs most is|the largest contributors are} opened (breadth = "
        "{breadth}); the others are taken from the engine.",
        "每个节点只展开影响最大的 {breadth} 个数（breadth = {breadth}）；其余直接取自引擎。",
    ),
    "place_of_sample": ("{place} (sample {sample})", "{place}（样本 {sample}）"),
    "route": ("Route: {route}", "路线：{route}"),
    "chain": ("chain", "链式"),
    "step": ("{number}/{count}  {title}", "{number}/{count}  {title}"),
    "title_loss": ("The loss L ({loss})", "损失 L（{loss}）"),
    "title_gradient": ("Gradient of {node}{index}", "{node}{index} 的梯度"),
    "title_gradient_sample": (
        "Gradient of {node}{index}, sample {sample}",
        "{node}{index} 的梯度，样本 {sample}",
    ),
    "title_parameter": ("Gradient of the parameter {name}{index}", "参数 {name}{index} 的梯度"),
    "title_update": (
        "Update by {optimizer}, learning rate η = {rate}",
        "用 {optimizer} 更新，学习率 η = {rate}",
    ),
    "title_value": ("Value of {node}{index}", "{node}{index} 的值"),
    "title_value_sample": ("Value of {node}{index}, sample {sample}", "{node}{index} 的值，样本 {sample}"),
    "through": ("through {node} ({layer})", "经过 {node}（{layer}）"),
    "because": ("because", "因为"),
    "short_step": ("{number}", "{number}"),
    "formula": ("formula", "公式"),
    "where": ("where", "其中"),
    "local": ("local", "局部"),
    "numbers": ("numbers", "数值"),
    "sum_of_parts": ("together", "合计"),
    "rest": ("… {count} more {count:term|terms} ({share})", "……其余 {count} 项（{share}）"),
    "share_percent": ("{percent} % of the sum", "占总和的 {percent} %"),
    "share_times": ("{times} times the sum", "为总和的 {times} 倍"),
    "share_zero": ("all 0", "均为 0"),
    "share_of_zero": ("the sum is 0", "总和为 0"),
    "mostly_hidden": (
        "Most of this sum lies in terms that are not shown; a larger number of terms (terms=, --terms) shows them.",
        "这个和的大部分在未列出的项中；增大 terms（命令行 --terms）可列出更多。",
    ),
    "more_details": (
        "(… {count} more of the same form)",
        "（……另有 {count} 个同样形式的式子）",
    ),
    "from_step": ("from step {number}", "见第 {number} 步"),
    "step_short": ("(step {number})", "（第 {number} 步）"),
    "result": (
        "Result: {place} → {value}. The {engine} engine has {exact}: equal.",
        "结果：{place} → {value}。{engine} 引擎给出 {exact}：一致。",
    ),
    "result_rounded": (
        "Result: {place} → {value}. The {engine} engine has {exact}: the two differ by {difference}, a rounding error.",
        "结果：{place} → {value}。{engine} 引擎给出 {exact}：两者相差 {difference}，属于舍入误差。",
    ),
    "nudge": (
        "Try it: raise {place} from {start} by {step}. L goes from {before} to {after}, a change of {change}; the "
        "gradient said {gradient} · {step} = {predicted}.",
        "试一试：把 {place} 从 {start} 增大 {step}，L 由 {before} 变为 {after}，变化 {change}；"
        "梯度给出 {gradient} · {step} = {predicted}。",
    ),
    "nudge_bent": (
        "The two differ because L bends here: a gradient tells the slope at one point.",
        "两者不同，因为 L 在此处弯曲：梯度只说明一点处的斜率。",
    ),
    "sources_title": ("Sources", "出处"),
    "source_S0": (
        "S0: the first of five teaching texts, a 2-2-2 network in numbers and convolution (docs/equations, "
        "docs/coverage).",
        "S0：五份教学文本之一，2-2-2 网络的数值例子与卷积（docs/equations、docs/coverage）。",
    ),
    "source_S1": (
        "S1: the second, convolution and max pooling on a 4×4 map (docs/equations, docs/coverage).",
        "S1：之二，4×4 图上的卷积与最大池化（docs/equations、docs/coverage）。",
    ),
    "source_S2": (
        "S2: the third, slides on vision and CNNs with homework (docs/equations, docs/coverage).",
        "S2：之三，视觉与 CNN 的幻灯片，附作业（docs/equations、docs/coverage）。",
    ),
    "source_S3": (
        "S3: the fourth, layers, preprocessing and structures (docs/equations, docs/coverage).",
        "S3：之四，各层、预处理与结构（docs/equations、docs/coverage）。",
    ),
    "source_S4": (
        "S4: the fifth, backpropagation in matrix form (docs/equations, docs/coverage).",
        "S4：之五，反向传播的矩阵形式（docs/equations、docs/coverage）。",
    ),
    "source_ER": (
        "ER: an erratum, what a text misprints and what is true; ER1-16 is number 16 of S1 (docs/errata).",
        "ER：勘误，即文本的误印与正确形式；ER1-16 是 S1 的第 16 条（docs/errata）。",
    ),
    "source_W": (
        "W: a worked example in full precision (tests/worked).",
        "W：全精度的算例（tests/worked）。",
    ),
    "the_weights": ("the weighted sum", "加权和"),
    "the_bias": ("the bias", "偏置"),
    "path_direct": ("path 1 of 3: straight to its own output", "三条路径之一：直接到自己的输出"),
    "path_mean": ("path 2 of 3: through the mean", "三条路径之二：经过均值"),
    "path_variance": ("path 3 of 3: through the variance", "三条路径之三：经过方差"),
    "softmax_long": (
        "the long way: through each probability p[j]",
        "较长的推导：经过每个概率 p[j]",
    ),
}
