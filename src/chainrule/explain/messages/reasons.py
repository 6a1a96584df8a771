"""Why a rule is what it is, in a sentence or two: key -> (English, Chinese). Each layer's local terms name
theirs, and so do the losses."""

REASONS: dict[str, tuple[str, str]] = {
    # --- dense ---------------------------------------------------------------------------------------------------
    "why_linear_x": (
        "{x_i} feeds every output o, and {y_o} moves by {w_oi} times what {x_i} moves. L feels all these movements, so "
        "they add up.",
        "{x_i} 通向每一个输出 o：{x_i} 变动时，{y_o} 随之变动 {w_oi} 倍。这些变动都影响 L，所以相加。",
    ),
    "why_linear_w": (
        "{w_oi} meets {x_i} on the way into {y_o} and acts nowhere else: raised by ε, it raises {y_o} by ε · {x_i}, "
        "once "
        "in each sample.",
        "{w_oi} 只在 {y_o} 中与 {x_i} 相乘，别处不起作用：它增大 ε，每个样本的 {y_o} 就增大 ε · {x_i}。",
    ),
    "why_linear_b": (
        "{b_o} is added to {y_o} as it is: the two rise together, in every sample.",
        "{b_o} 原样加到 {y_o} 上：在每个样本中，两者同增同减。",
    ),
    "why_rbf_x": (
        "{y_o} is the squared distance from the input to the centre {w_o}. Moving {x_i} away from {w_oi} lengthens "
        "it, and the faster the "
        "farther away it already is.",
        "{y_o} 是输入到中心 {w_o} 的距离平方。{x_i} 离 {w_oi} 越远，再远离一点，平方增长得越快。",
    ),
    "why_rbf_w": (
        "Only the difference of {x_i} and {w_oi} counts: moving the weight is moving the input the other way.",
        "起作用的只是 {x_i} 与 {w_oi} 之差：移动权重，相当于把输入向相反方向移动。",
    ),
    # --- convolution ---------------------------------------------------------------------------------------------
    "why_conv_x": (
        "Output p sees pixel r through tap r − p of the kernel: as the output moves on by one, the tap falls back by "
        "one. Seen from the pixel, the kernel therefore runs backwards, which is what rotating it by 180° draws.",
        "输出 p 通过卷积核的第 r − p 项看到像素 r：输出后移一格，所用的项就前移一格。从像素看去，卷积核是倒着走的，"
        "旋转 180° 画出的正是这一点。",
    ),
    "why_flipped_x": (
        "Output p sees pixel r through the tap that the flipped kernel has there. Seen from the pixel the order turns "
        "round once more, so the kernel stands as it is stored.",
        "前向时卷积核已经翻转。从像素看去，次序再倒一次，卷积核便恢复存储时的方向。",
    ),
    "why_conv_w": (
        "One weight lies at the same tap of every window. Raised by ε, it raises each output by ε times the pixel "
        "under it there; L collects all of that.",
        "同一个权重位于每个窗口的同一处。它增大 ε，每个输出就增大 ε 乘以该处它所对的像素；这一切都汇入 L。",
    ),
    "why_conv_b": (
        "The bias is added at every place of its map: all of them rise with it, so all their deltas add up.",
        "偏置加在整张特征图的每一处：各处都随它一同增大，所以全部 δ 相加。",
    ),
    "why_local_x": (
        "The windows over this pixel each weigh it with a kernel of their own; L feels it through every one of them.",
        "覆盖该像素的每个窗口都用自己的卷积核为它加权；它经由每一个窗口影响 L。",
    ),
    "why_local_w": (
        "This weight serves one window only: raised by ε, it raises that one output by ε times the pixel under it.",
        "这个权重只用于一个窗口：它增大 ε，那一个输出就增大 ε 乘以它所对的像素。",
    ),
    "why_local_b": (
        "This bias is added at one place only: the two rise together.",
        "这个偏置只加在一处：两者同增同减。",
    ),
    # --- pooling -------------------------------------------------------------------------------------------------
    "why_max": (
        "Only the largest number of a window gets through. Nudge the winner, and the output moves with it; nudge a "
        "loser, and the output does not notice.",
        "窗口中只有最大的数通过。最大者稍一变动，输出随之变动；其余的数稍作变动，输出毫无反应。",
    ),
    "why_mean": (
        "The output is the mean of its window: it moves by 1/area of what one pixel moves.",
        "输出是窗口的平均值：一个像素变动时，输出的变动是它的 1/面积。",
    ),
    "why_gauss": (
        "The output is a weighted mean of its window: it moves by g of what the pixel moves, more for one near the "
        "middle.",
        "输出是窗口的加权平均：像素变动时，输出的变动是它的 g 倍，越靠近中心 g 越大。",
    ),
    "why_lp": (
        "A norm listens most to the largest numbers: a pixel moves it by (pixel/norm) to the power p − 1 of its own "
        "movement.",
        "范数最看重大的数：像素变动时，范数的变动是它的“像素/范数”的 p − 1 次方倍。",
    ),
    "why_trainable_x": (
        "All pixels of a window enter with the one coefficient {w_c}, so the output moves by {w_c} times what any of "
        "them "
        "moves.",
        "窗口内各像素共用一个系数 {w_c}：任何一个变动，输出都变动其 {w_c} 倍。",
    ),
    "why_trainable_w": (
        "{w_c} multiplies the sum of each window of its map: raised by ε, it raises each output by ε times that sum.",
        "{w_c} 乘以该图每个窗口的和：它增大 ε，每个输出就增大 ε 乘以该窗口的和。",
    ),
    "why_trainable_b": (
        "The bias is added to every output of its map: all of them rise with it.",
        "偏置加在该图的每个输出上：它们都随之增大。",
    ),
    # --- activations ---------------------------------------------------------------------------------------------
    "why_relu": (
        "Above 0 the output moves exactly as the input does; below 0 it stays 0 whatever the input does, and nothing "
        "comes back.",
        "输入大于 0 时，输出与输入同步变动；小于 0 时，无论输入怎样变，输出始终为 0，什么也传不回来。",
    ),
    "why_leaky": (
        "Above 0 the output moves exactly as the input does; below 0 only a small share of the movement gets through.",
        "输入大于 0 时，输出与输入同步变动；小于 0 时，只有一小部分变动能通过。",
    ),
    "why_sigmoid": (
        "The curve is steepest at 0, where its slope is 1/4, and flat at both ends: far out the output hardly moves, "
        "and "
        "hardly anything comes back.",
        "曲线在 0 处最陡，斜率为 1/4，两端平坦：离 0 很远时输出几乎不动，也就几乎没有梯度传回。",
    ),
    "why_tanh": (
        "The curve has its steepest slope at 0 and is flat at both ends: the nearer the output comes to an end, the "
        "less comes back.",
        "曲线在 0 处最陡，两端平坦：输出越接近两端，传回的梯度越少。",
    ),
    "why_curve": (
        "The output follows a curve over the input: where it is steep much comes back, where it is flat little.",
        "输出随输入沿一条曲线变动：曲线陡处传回的梯度多，平处传回的少。",
    ),
    "why_identity": ("The output is the input: both move alike.", "输出就是输入：两者同步变动。"),
    "why_softmax": (
        "The outputs share out 1 among themselves: raising {x_i} raises {y_i} and lowers every other.",
        "各输出之和恒为 1：{x_i} 增大，{y_i} 随之增大，其余各项都减小。",
    ),
    "why_dropout": (
        "What the mask drops does not reach L, so nothing comes back; what it keeps was scaled up, and its gradient is "
        "scaled up alike.",
        "被掩码丢弃的数到不了 L，也就没有梯度传回；保留的数被放大，其梯度同样放大。",
    ),
    # --- moving and normalising ----------------------------------------------------------------------------------
    "why_flatten": (
        "Flattening gives numbers another place and leaves them as they are: their gradients take the same way back.",
        "展平只改变数的位置，不改变数值：梯度沿原路返回。",
    ),
    "why_add": (
        "A sum moves exactly as much as any one of its inputs does: each input gets the whole gradient, not a part.",
        "任何一个输入变动多少，和就变动多少：每个输入得到的是全部梯度，而不是一部分。",
    ),
    "why_concat": (
        "Joining channels only renumbers them: each gradient goes back to the channel it came from.",
        "拼接只是给通道重新编号：各梯度回到原来的通道。",
    ),
    "why_norm_batch": (
        "The input moves its own output, and it also moves the mean and the variance by which all numbers of the "
        "channel are normalised. L feels all three.",
        "输入影响自己的输出，也影响均值与方差，而整个通道的数都用它们归一化。三者都影响 L。",
    ),
    "why_norm_running": (
        "With running statistics the output is a straight line over the input: its slope is the same everywhere.",
        "采用滑动统计量时，输出是输入的一次函数：斜率处处相同。",
    ),
    "why_norm_w": (
        "{w_c} multiplies every normalised number of its channel: raised by ε, it raises each output by ε times that "
        "number.",
        "{w_c} 乘以该通道每个归一化后的数：它增大 ε，每个输出就增大 ε 乘以那个数。",
    ),
    "why_norm_b": (
        "{b_c} is added to every number of its channel: all of them rise with it.",
        "{b_c} 加在该通道的每个数上：它们都随之增大。",
    ),
    "why_lrn": (
        "{x_c} raises its own output, and it also raises the divisor s of its neighbours, which makes them smaller.",
        "{x_c} 使自己的输出增大，同时增大相邻通道的除数 s，使它们变小。",
    ),
    # --- losses --------------------------------------------------------------------------------------------------
    "why_square": (
        "A square is a valley that is steeper the farther the output is from t: the slope is proportional to the "
        "error, and it "
        "points away from t.",
        "平方是一条山谷：输出离 t 越远越陡。斜率与误差成正比，指向远离 t 的一侧。",
    ),
    "why_absolute": (
        "A distance is as steep near the target as far from it: only the side on which the output lies counts, not "
        "how far away it is.",
        "距离处处一样陡：只看输出在 t 的哪一侧，不看相差多少。",
    ),
    "why_huber": (
        "Near the target a square, whose slope is the error; beyond δ a line, so that one wild sample pulls no harder "
        "than δ.",
        "在 t 附近是平方，斜率等于误差；超过 δ 后是直线，因此离群样本的拉力不超过 δ。",
    ),
    "why_cross_entropy": (
        "Raising {y_k} raises its own share {p_k} and lowers all others. L rises with the share of a wrong class and "
        "falls with that of the right one; of both together the difference p − t remains.",
        "{y_k} 增大，{p_k} 随之增大，其余各项减小。错误类别的 p 增大使 L 增大，正确类别的 p 增大"
        "使 L 减小；合起来只剩下差 p − t。",
    ),
    "why_bce": (
        "Each output is a yes-or-no question of its own: σ of the output is what the network believes, t what is "
        "true, and their "
        "difference is what remains.",
        "每个输出各是一个是非问题：输出的 σ 值是网络的判断，t 是事实，最后剩下的是两者之差。",
    ),
    "why_map": (
        "The right class wants its penalty small; all others want theirs large, the nearest ones most.",
        "正确类别的惩罚值要小，其余类别的要大，其中最接近的影响最大。",
    ),
}
