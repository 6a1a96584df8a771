"""English sentence -> Chinese sentence. In patterns, what stands in braces is carried over, or looked up itself."""

CONVOLUTION = {
    "The kernel was slid over dy without being rotated by 180°: dy ⋆_full w or dy ∗_full rot180(w).": (
        "卷积核没有旋转 180° 就在 dy 上滑动：算成了 dy ⋆_full w，即 dy ∗_full rot180(w)。"
    ),
    "The kernel was rotated although the forward pass already flips it: dy ∗_full w.": (
        "前向传播已经翻转了卷积核，这里又旋转了一次：dy ∗_full w。"
    ),
    "The kernel was flipped on one axis only; rot180 flips both.": "卷积核只沿一个轴翻转；旋转 180° 要两个轴都翻转。",
    "The kernel's rows and columns were exchanged: transposing is not rotating by 180°.": (
        "卷积核的行与列被交换了：转置不等于旋转 180°。"
    ),
    "The weight's in and out channels were not exchanged: filter n meets dy of channel n.": (
        "权重的输入通道与输出通道没有交换：第 n 个滤波器应当遇到第 n 个通道的 dy。"
    ),
    "The zeros between the entries of dy that the stride skipped were not restored.": (
        "步幅跳过的位置没有在 dy 的各数之间补上零。"
    ),
    "The zeros behind the last entry of dy are missing; where the stride does not divide, they belong there.": (
        "dy 最后一个数后面缺少零；步幅除不尽时，那里应当补零。"
    ),
    "The padding's sides were mixed up: top with bottom, left with right, or rows with columns.": (
        "填充的方向弄混了：上与下、左与右，或者行与列。"
    ),
    "dx is shifted by one pixel: the padding is off by one.": "dx 错开了一个像素：填充多了或少了 1。",
    "The dilation was ignored in the backward pass.": "反向传播忽略了膨胀（dilation）。",
    "Stride and dilation were exchanged in the backward pass.": "反向传播把步幅与膨胀弄反了。",
    "Every g-th filter was taken for a group; a group's filters stand side by side.": (
        "把每隔 g 个的滤波器当成了一组；同一组的滤波器是相邻的。"
    ),
    "The winner's place was not moved by stride times the window's number: p + row instead of p stride + row.": (
        "胜出者的位置没有加上窗口编号乘步幅：写成了 p + row，应为 p·stride + row。"
    ),
    "Everything was written to one sample of the batch.": "全部写进了批量中的同一个样本。",
    "A sum over the channel stands where its mean belongs.": "该用通道均值的地方用了通道总和。",
    "The factor x^ before mean(dy x^) was forgotten.": "漏掉了 mean(dy x^) 前的因子 x^。",
    "eps was forgotten: sqrt(v) was taken for sqrt(v + eps).": "漏了 eps：把 sqrt(v + eps) 写成了 sqrt(v)。",
    "eps was added to the root instead of to the variance under it.": "eps 加在了根号外面；它应当加在根号里的方差上。",
    "These are the terms of the loss itself; its derivative belongs here.": "这是损失本身的各项；这里应当是它的导数。",
    "Brackets are missing: dy y (1 - y) became dy y - y.": "漏了括号：dy y (1 - y) 变成了 dy y - y。",
    "The groups were ignored: filters pass gradients to channels that they do not see.": (
        "忽略了分组：滤波器把梯度传给了它看不到的通道。"
    ),
    "Where windows overlap, their contributions were assigned instead of added (= instead of +=).": (
        "窗口重叠处应当相加，却写成了赋值（写了 =，应为 +=）。"
    ),
    "Only one filter's contribution is there: the filters were not summed.": (
        "只有一个滤波器的贡献：没有对各个滤波器求和。"
    ),
    "The loops over the places end one row or column early: range(H - 1) leaves out the last.": (
        "遍历位置的循环少走了一行或一列：range(H - 1) 漏掉了最后一个。"
    ),
    "A valid convolution was taken where a full one belongs: dy was not padded by F - 1.": (
        "这里应当用 full 卷积，却用了 valid：dy 没有先填充 F - 1 圈零。"
    ),
    "dx was multiplied by an f'; f' of the layer before belongs to that layer.": (
        "dx 多乘了一个 f'；前一层的 f' 属于前一层。"
    ),
    "dx was computed with weights that are already updated; gradients come first, then the update.": (
        "计算 dx 时用了已经更新过的权重；应当先算出全部梯度，再更新。"
    ),
    "The result is rotated by 180°: dy ⋆ x or dy ∗ rot180(x) was computed; x slides under dy: x ⋆ dy.": (
        "结果旋转了 180°：算成了 dy ⋆ x，即 dy ∗ rot180(x)；应当让 x 在 dy 下滑动：x ⋆ dy。"
    ),
    "x ⋆ dy was not rotated by 180°; with a forward pass that flips the kernel it must be.": (
        "x ⋆ dy 没有旋转 180°；前向传播翻转卷积核时，它必须旋转。"
    ),
    "The result is flipped on one axis of the kernel.": "结果沿卷积核的一个轴翻转了。",
    "The stride was ignored: neighbouring entries of dy meet neighbouring pixels.": (
        "忽略了步幅：dy 中相邻的数对上了相邻的像素。"
    ),
    "The stride was put between the taps of dw; it belongs between the entries of dy (their zeros, S2-E37).": (
        "步幅放到了 dw 的各数之间；它应当在 dy 的各数之间（那里补零）。"
    ),
    "The stride was put between the taps of dw; it belongs between the entries of dy (their zeros).": (
        "步幅放到了 dw 的各数之间；它应当在 dy 的各数之间（那里补零）。"
    ),
    "dw is too large: the zeros behind the last entry of dy are missing.": "dw 太大：dy 最后一个数后面缺少零。",
    "x was not padded as in the forward pass.": "x 没有像前向传播那样先填充。",
    "x and dy are shifted by one pixel against each other: an index or a padding is off by one.": (
        "x 与 dy 之间错开了一个像素：下标或填充差了 1。"
    ),
    "The groups were ignored: filters were applied to channels of other groups.": (
        "忽略了分组：滤波器用到了其他组的通道上。"
    ),
    "Only one place's contribution is there: the places were not summed (= instead of +=).": (
        "只有一个位置的贡献：没有对各个位置求和（写了 =，应为 +=）。"
    ),
    "Only one sample's contribution is there: the batch was not summed (= instead of +=).": (
        "只有一个样本的贡献：没有对整个批求和（写了 =，应为 +=）。"
    ),
    "dy was multiplied by the layer's output; it is its input that belongs there.": (
        "dy 乘上了该层的输出；应当乘它的输入。"
    ),
    "The kernel was used in its own gradient; the input belongs there.": (
        "卷积核出现在它自己的梯度里；那里应当是输入。"
    ),
    "Weight decay was added to the gradient: λ W belongs to the update, not to dL/dW.": (
        "梯度里加进了权重衰减：λ W 属于更新，不属于 dL/dW。"
    ),
    "dweight was not summed over the batch.": "dweight 没有对整个批求和。",
    "dy was summed over the filters: every filter has the same gradient.": (
        "dy 对各个滤波器求了和：于是每个滤波器的梯度都一样。"
    ),
    "dbias was summed over the batch only, not over the places.": "dbias 只对批求和，没有对位置求和。",
    "dbias was summed over the places only, not over the batch.": "dbias 只对位置求和，没有对批求和。",
    "One of the two axes of the map was not summed over.": "特征图的两个轴中有一个没有求和。",
    "dbias was summed over the channels too.": "dbias 连通道也一起求了和。",
    "dbias was summed over the wrong axis: the channels instead of the batch.": (
        "dbias 求和的轴不对：对通道求了和，应当对批求和。"
    ),
    "Only as many places as the kernel has taps were added; all places belong in the sum.": (
        "只加了与卷积核同样多的位置；所有位置都应当加进来。"
    ),
}

POOLING = {
    "Every one of several equal maxima got the whole gradient; the first alone wins.": (
        "几个相等的最大值各得了全部梯度；只有第一个算胜者。"
    ),
    "Equal maxima share the gradient. That is a subgradient too, but here and in PyTorch the first wins.": (
        "相等的最大值平分了梯度。这也是一个次梯度，但这里与 PyTorch 都以第一个为胜者。"
    ),
    "Another of several equal maxima wins. That is a subgradient too, but here and in PyTorch the first wins.": (
        "相等的最大值中选了另一个。这也是一个次梯度，但这里与 PyTorch 都以第一个为胜者。"
    ),
    "Every place of the window got the whole gradient.": "窗口里的每个位置都得了全部梯度。",
    "The gradient went to the window's minimum.": "梯度给了窗口里的最小值。",
    "The gradient went to the largest absolute value instead of the maximum.": (
        "梯度给了绝对值最大的数，而不是最大值。"
    ),
    "dy was multiplied by the pixel's value; a maximum hands dy down unchanged.": (
        "dy 乘上了像素的值；取最大值时 dy 原样传下去。"
    ),
    "This is the gradient of another kind of pooling.": "这是另一种池化的梯度。",
    "The winner's row and column in its window were exchanged.": "胜者在窗口中的行与列被交换了。",
    "The gradient always went to the window's top left corner; the maximum gets it.": (
        "梯度总是给了窗口左上角；应当给最大值。"
    ),
    "The averaged gradient went to one place of the window; every place gets its share.": (
        "平均池化的梯度只给了窗口里的一个位置；每个位置都应当得一份。"
    ),
    "At the border the division was by the pixels under the window; here padding counts (count_include_pad).": (
        "边缘处除的是窗口盖住的像素数；这里填充也计入（count_include_pad）。"
    ),
    "What fell on the padding was not cut off, or was cut off on one side only.": (
        "落在填充上的部分没有裁掉，或者只裁了一边。"
    ),
}

DENSE = {
    "The weight is transposed the wrong way: the forward pass takes Wᵀ, so dx takes W.": (
        "权重的转置弄反了：前向传播用 Wᵀ，所以 dx 用 W。"
    ),
    "Only one output's contribution is there; all outputs that use a unit contribute to its gradient.": (
        "只有一个输出的贡献；凡是用到某个单元的输出，都对它的梯度有贡献。"
    ),
    "dy was summed over the outputs: every output has the same gradient.": (
        "dy 对各个输出求了和：于是每个输出的梯度都一样。"
    ),
    "The weight was used in its own gradient; the input belongs there.": "权重出现在它自己的梯度里；那里应当是输入。",
    "dbias was summed over the outputs instead of the batch.": "dbias 对输出求了和，应当对批求和。",
    "dbias was not summed over the batch.": "dbias 没有对整个批求和。",
    "dbias was summed over the outputs too: that is one shared bias.": (
        "dbias 连输出也一起求了和：那是所有输出共用一个偏置时的写法。"
    ),
    "A bias that all outputs share collects from all of them.": "所有输出共用的偏置，要从所有输出收集梯度。",
}

ACTIVATIONS = {
    "Only the diagonal y_i (1 - y_i) of the Jacobian was used; every output depends on every input.": (
        "只用了雅可比矩阵的对角线 y_i (1 - y_i)；其实每个输出都依赖每个输入。"
    ),
    "The Jacobian of softmax is missing: dy was passed on as it is.": "缺少 softmax 的雅可比矩阵：dy 被原样传了下去。",
    "The term sum_j dy_j y_j was forgotten.": "漏掉了 sum_j dy_j y_j 这一项。",
    "The factor y_i before the bracket was forgotten.": "漏掉了括号前的因子 y_i。",
    "The sum runs over the wrong axis: over the batch instead of the classes.": (
        "求和的轴不对：对批求了和，应当对类别求和。"
    ),
    "The factor f' is missing: dy was passed on as it is.": "缺少因子 f'：dy 被原样传了下去。",
    "The negative side got no gradient: that is ReLU's rule.": "负的一侧没有得到梯度：那是 ReLU 的规则。",
    "f'(0) = 1 was taken; chainrule and PyTorch take the negative slope. Both are subgradients.": (
        "取了 f'(0) = 1；chainrule 与 PyTorch 取负侧的斜率。两者都是次梯度。"
    ),
    "The factor f' was applied twice.": "因子 f' 乘了两次。",
    "The slopes of the two sides were exchanged.": "两侧的斜率弄反了。",
    "f'(0) = 1 was taken for ReLU; chainrule and PyTorch take 0. Both are subgradients.": (
        "ReLU 取了 f'(0) = 1；chainrule 与 PyTorch 取 0。两者都是次梯度。"
    ),
    "ReLU's mask was made from the sign of dy, not of z.": "ReLU 的掩码取自 dy 的符号，应当取自 z 的符号。",
    "ReLU's mask was made from the signs of dy and z, as for guided pictures; for a gradient z alone counts.": (
        "ReLU 的掩码同时取自 dy 与 z 的符号，那是画引导反向传播图的做法；求梯度时只看 z。"
    ),
    "ReLU's mask is inverted: the gradient passes where z <= 0.": "ReLU 的掩码反了：梯度在 z <= 0 处通过。",
    "f' of tanh is 1 - y², not 1 - y.": "tanh 的 f' 是 1 - y²，不是 1 - y。",
    "f' of tanh is 1 - y², not 1 + y².": "tanh 的 f' 是 1 - y²，不是 1 + y²。",
    "f' of sigmoid is y (1 - y), not y (1 + y).": "sigmoid 的 f' 是 y (1 - y)，不是 y (1 + y)。",
    "f' of sigmoid is y (1 - y), not 1 - y.": "sigmoid 的 f' 是 y (1 - y)，不是 1 - y。",
}

LOSSES = {
    "The targets were not subtracted: these are the probabilities alone.": "没有减去目标：这只是概率本身。",
    "p - t already holds the derivative of softmax or sigmoid; it was applied once more.": (
        "p - t 里已经含有 softmax 或 sigmoid 的导数；这里又乘了一次。"
    ),
    "This is the gradient by the probabilities, not by the logits.": "这是对概率的梯度，不是对 logits 的梯度。",
    "The logits were used as if they were probabilities: softmax or sigmoid is missing.": (
        "把 logits 当成了概率：缺少 softmax 或 sigmoid。"
    ),
    "The labels are off by one: classes are counted from 0.": "标签差了 1：类别从 0 数起。",
    "Softmax was taken over the batch; it belongs over the classes.": "softmax 沿批做了；应当沿类别做。",
}

NORMALIZATION = {
    "Mean and variance were taken as constants; in training they move with x, and two more terms belong here.": (
        "把均值与方差当成了常数；训练时它们随 x 变化，这里还应有两项。"
    ),
    "The path through the mean is missing: - mean(dy).": "缺少经过均值的那条路径：- mean(dy)。",
    "The path through the variance is missing: - x^ mean(dy x^).": "缺少经过方差的那条路径：- x^ mean(dy x^)。",
    "The factor weight, the scale of the channel, is missing.": "缺少因子 weight，即该通道的缩放。",
    "Divided by v + eps; it is its square root that belongs there.": "除以了 v + eps；应当除以它的平方根。",
    "The division by sqrt(v + eps) is missing.": "没有除以 sqrt(v + eps)。",
    "x - mean was used where the normalised x^ belongs.": "用了 x - mean；那里应当是归一化后的 x^。",
    "The variance was divided by m - 1; the batch is normalised with the one divided by m.": (
        "方差除以了 m - 1；归一化用的是除以 m 的方差。"
    ),
    "dy was multiplied by x; the normalised x^ belongs there.": "dy 乘上了 x；那里应当是归一化后的 x^。",
    "Summed over the batch alone: the places of a channel belong to the sum, too.": (
        "只对批求了和：一个通道的各个位置也要加进来。"
    ),
    "The scale 1/(1 - p) is missing: what is kept was scaled up in the forward pass.": (
        "缺少缩放 1/(1 - p)：前向传播放大了保留下来的值。"
    ),
    "The mask is missing: what was dropped gets no gradient.": "缺少掩码：被丢弃的值没有梯度。",
    "Divided by p, the share that is dropped; 1 - p is the share that is kept.": (
        "除以了丢弃的比例 p；应当除以保留的比例 1 - p。"
    ),
    "Multiplied by 1 - p; the forward pass divides by it, and so does the backward pass.": (
        "乘上了 1 - p；前向传播除以它，反向传播也除以它。"
    ),
    "The mask is inverted: the gradient passes where the value was dropped.": "掩码反了：梯度从被丢弃处通过。",
}

ANY = {
    "Only one branch's share is there: the shares were assigned instead of added (= instead of +=).": (
        "只有一条分支的份额：各份额应当相加，却写成了赋值（写了 =，应为 +=）。"
    ),
    "The branches' shares were multiplied; along a path factors multiply, paths add.": (
        "各分支的份额被乘在了一起；同一条路径上的因子相乘，不同路径相加。"
    ),
    "The sign is flipped; gradients point uphill, and the update subtracts them.": (
        "符号反了；梯度指向上坡，更新时才减去它。"
    ),
    "The result is exactly doubled: a buffer was not zeroed and holds two passes.": (
        "结果正好是两倍：缓冲区没有清零，累积了两次反向传播。"
    ),
    "The result is exactly half: a factor 2, or the 1/2 of the loss counted twice.": (
        "结果正好是一半：差了因子 2，或者损失里的 1/2 算了两次。"
    ),
    "The gradient is zero everywhere: it was never written, or was cut off.": (
        "梯度处处为零：它从未写入，或者中途断掉了。"
    ),
    "The first axis, such as the batch, was not summed over.": "第一个轴（例如批）没有求和。",
    "The numbers are right, but in another shape.": "数都对，但形状不对。",
    "a learning rate": "学习率",
    "a weight decay": "权重衰减系数",
    "sample": "样本",
    "channel": "通道",
    "row": "行",
    "column": "列",
    "feature": "特征",
    "input": "输入",
    "output": "输出",
    "out channel": "输出通道",
    "in channel": "输入通道",
    "kernel row": "卷积核的行",
    "kernel column": "卷积核的列",
    "the batch size": "批大小",
    "the number of branches": "分支数",
    "the number of elements": "元素个数",
    "the number of filters": "滤波器个数",
    "the number of inputs": "输入个数",
    "the number of outputs": "输出个数",
    "the number of places": "位置个数",
    "the number of channels": "通道个数",
    "the numbers of a channel": "一个通道的数的个数",
    "the window's area": "窗口面积",
    "the kernel's area": "卷积核面积",
    "batch size times places": "批大小乘以位置个数",
    "batch size times outputs": "批大小乘以输出个数",
    "the layer's own backward pass": "该层自己的反向传播",
    "dL/dx = the sum of the shares of all layers that take x": "dL/dx = 所有使用 x 的层传回的份额之和",
    "dx = dy ∗_full w: zeros restored, padded by F - 1, under the rotated kernel": (
        "dx = dy ∗_full w：补回零、填充 F - 1 圈，再放到旋转后的卷积核之下"
    ),
    "dx = dy ∗_full rot180(w), which is dy ⋆_full w: not rotated again": (
        "dx = dy ∗_full rot180(w)，即 dy ⋆_full w：不再旋转"
    ),
    "dw[o,d,i,j] = sum_{n,p,q} dy[n,o,p,q] x[n,d,pS+iD-P,qS+jD-P], that is x ⋆ dy": (
        "dw[o,d,i,j] = sum_{n,p,q} dy[n,o,p,q] x[n,d,pS+iD-P,qS+jD-P]，即 x ⋆ dy"
    ),
    "dw = rot180(x) ∗ dy, that is x ⋆ dy rotated by 180°": "dw = rot180(x) ∗ dy，即 x ⋆ dy 旋转 180°",
    "dx = dy at the window's maximum, the first in row-major order; 0 elsewhere": (
        "窗口的最大值处 dx = dy（按行优先取第一个），其余处为 0"
    ),
    "dx = dy / (kernel area) at every place of the window": "窗口的每个位置 dx = dy / 窗口面积",
    "dx_i = dy x_i / ||x||, 0 where the norm is 0": "dx_i = dy x_i / ||x||，范数为 0 处取 0",
    "dW[o,i] = sum_n dy[n,o] x[n,i], that is dyᵀ x": "dW[o,i] = sum_n dy[n,o] x[n,i]，即 dyᵀ x",
    "db = sum_{n,o} dy[n,o]: one scalar acts in every output": "db = sum_{n,o} dy[n,o]：一个数作用于每个输出",
    "dx = dy for x > 0, else negative_slope dy": "x > 0 处 dx = dy，其余处 dx = negative_slope · dy",
    "dx = weight / sqrt(v + eps) (dy - mean(dy) - x^ mean(dy x^)), means over the channel": (
        "dx = weight / sqrt(v + eps) (dy - mean(dy) - x^ mean(dy x^))，均值在通道内取"
    ),
    "dweight[c] = sum of dy x^ over the channel": "dweight[c] = 通道内 dy x^ 之和",
    "dbias[c] = sum of dy over the channel": "dbias[c] = 通道内 dy 之和",
    "dy = sign(y - t) / (number of elements)": "dy = sign(y - t) / 元素个数",
    "dy = (y - t, cut off at -delta and delta) / (number of elements)": (
        "dy = (y - t，截到 -delta 与 delta 之间) / 元素个数"
    ),
    "dy = 2 (y - t) / (number of elements)": "dy = 2 (y - t) / 元素个数",
    "dlogits = (sigmoid(logits) - t) / (number of elements)": "dlogits = (sigmoid(logits) - t) / 元素个数",
    "the derivative of the loss by its outputs": "损失对其输出的导数",
}

SENTENCES = CONVOLUTION | POOLING | DENSE | ACTIVATIONS | LOSSES | NORMALIZATION | ANY

PATTERNS = {
    "{first} In addition: {second}": "{first}此外：{second}",
    "{first} That would explain {share} % of the difference; something else is wrong, too.": (
        "{first}这能解释 {share} % 的差异；此外还有别的错误。"
    ),
    "{first} It fits {what} of {factor}.": "{first}与{what}为 {factor} 时吻合。",
    "Divided by {what} ({count}); a sum belongs here, the 1/n is in the loss.": (
        "除以了{what}（{count}）；这里应当求和，1/n 已经在损失里。"
    ),
    "Multiplied by {what} ({count}): a 1/{again} is missing.": "乘上了{what}（{count}）：缺少 1/{again}。",
    "Divided by {count}², the square of {what}: the mean was taken twice.": (
        "除以了 {count}²，即{what}的平方：平均取了两次。"
    ),
    "The factor f' of {name} is missing: dy was used as if it were dz.": "缺少 {name} 的 f'：把 dy 当成了 dz。",
    "The factor f' of {name} was applied twice.": "{name} 的 f' 乘了两次。",
    "The formula of f' in the output y of {name} was fed with z, such as z (1 - z) for the sigmoid.": (
        "{name} 的 f' 是用输出 y 写的公式，却代入了 z，例如 sigmoid 写成了 z (1 - z)。"
    ),
    "f' of {name} was taken at y instead of at z: f was applied once more before the derivative.": (
        "{name} 的 f' 取在了 y 处而不是 z 处：求导前又多做了一次 f。"
    ),
    "dy was multiplied by f(z) instead of f'(z) of {name}.": "dy 乘上了 {name} 的 f(z)，应当乘 f'(z)。",
    "The derivative of {other} was used; the function is {name}.": "用了 {other} 的导数；这里的函数是 {name}。",
    "The axes are in the wrong order: ({names}).": "轴的次序不对：（{names}）。",
    "The axes ({names}) were reshaped where they should have been transposed.": (
        "轴（{names}）应当转置，却只改了形状（reshape）。"
    ),
    "The result is backwards along: {names}.": "结果沿这些轴倒过来了：{names}。",
    "The result is shifted by one along: {name}.": "结果沿这个轴错开了 1：{name}。",
    "Summed over an axis that must stay: {name}.": "对应当保留的轴求了和：{name}。",
    "Only one entry is left of: {name}.": "这个轴只剩下一项：{name}。",
    "The numbers were clipped at ±{bound}; that belongs to the update.": "数值被截到了 ±{bound}；那属于更新。",
    "Everything was scaled to the length {length}, as clipping by norm does; that belongs to the update.": (
        "整体被缩放到长度 {length}，像按范数裁剪那样；那属于更新。"
    ),
    "Everything is multiplied by {factor}; otherwise the numbers are right.": "所有数都乘上了 {factor}；除此以外都对。",
}
