"""What is said about a step: key -> (English, Chinese)."""

NOTES: dict[str, tuple[str, str]] = {
    "branches": (
        "{count} consumers take this number. Nudging it moves L through each of them, so what comes back from each "
        "adds up ⟦S0-E31⟧.",
        "这个数被 {count} 处使用。它稍一变动，就经由每一处影响 L，所以梯度是各处传回之和⟦S0-E31⟧。",
    ),
    "is_delta": (
        "This is δ, the sensitivity of {node}: the gradient of its weighted sum ⟦S0-E13, S2-E10⟧.",
        "这就是 δ，即 {node} 的灵敏度：其加权和的梯度⟦S0-E13、S2-E10⟧。",
    ),
    "shared_layer": (
        "The layer is used at {count} places of the network; its gradient is the sum over all of them.",
        "该层在网络中使用了 {count} 次；其梯度是各次之和。",
    ),
    "frozen": (
        "{name} is frozen: training does not change it, although it has a gradient.",
        "{name} 已冻结：虽有梯度，训练时不更新。",
    ),
    "shared_bias": (
        "One bias for all outputs of the layer: the deltas of all of them are added.",
        "整层共用一个偏置：所有输出的 δ 相加。",
    ),
    "bias_places": (
        "The bias acts at {places} {places:place|places} ({rows}×{columns} positions, "
        "{samples} {samples:sample|samples}): the deltas of all of them are added.",
        "该偏置作用于 {places} 处（{rows}×{columns} 个位置，{samples} 个样本）：全部 δ 相加。",
    ),
    "conv_theorem": (
        "The same as a picture: the kernel, rotated by 180°, slides over the sensitivity map with zeros around it: a "
        "full true convolution ⟦S2-E25⟧.",
        "换成图像：旋转 180° 的卷积核在四周补零的灵敏度图上滑动，即真正的 full 卷积⟦S2-E25⟧。",
    ),
    "conv_flipped": (
        "This layer flips its kernel in the forward pass (S0). Rotating it once more in the backward pass "
        "gives the kernel as it is stored.",
        "该层在前向时翻转卷积核（S0）。反向时再旋转一次，卷积核恢复存储时的方向。",
    ),
    "conv_stride": (
        "The stride skips places: they are filled with zeros in the restored map, then the rule for stride 1 applies "
        "⟦S2-E28, ER2-23⟧.",
        "步幅跳过了一些位置：在还原图中这些位置补零，然后按步幅 1 的规则计算⟦S2-E28、ER2-23⟧。",
    ),
    "conv_groups": (
        "{groups} groups: a channel is seen only by the filters of its own group.",
        "分为 {groups} 组：每个通道只与本组的滤波器相连。",
    ),
    "conv_connections": (
        "A connection table says which filters see this channel; the others contribute nothing.",
        "连接表规定哪些滤波器能看到该通道；其余没有贡献。",
    ),
    "conv_missing": (
        "Filter {filter} does not see channel {channel}: the link is missing, so the gradient is 0.",
        "滤波器 {filter} 看不到通道 {channel}：没有连接，梯度为 0。",
    ),
    "conv_shared": (
        "One weight for all positions: it acts at {places} {places:place|places} ({rows}×{columns} positions, "
        "{samples} {samples:sample|samples}).",
        "所有位置共用一个权重：它作用于 {places} 处（{rows}×{columns} 个位置，{samples} 个样本）。",
    ),
    "conv_shared_padded": (
        "One weight for all positions: it acts at {places} {places:place|places} ({rows}×{columns} positions, "
        "{samples} {samples:sample|samples}, less those where it lies on the padding).",
        "所有位置共用一个权重：它作用于 {places} 处（{rows}×{columns} 个位置，{samples} 个样本，除去落在填充上的）。",
    ),
    "local_own_kernel": (
        "Every place has a kernel of its own: nothing is shared.",
        "每个位置有自己的卷积核：没有权重共享。",
    ),
    "local_own_weight": (
        "This weight belongs to one place only: there is no sum over positions.",
        "这个权重只属于一个位置：没有对位置的求和。",
    ),
    "local_on_padding": (
        "This weight lies on the padding, on zeros: its gradient is 0.",
        "这个权重落在填充的零上：梯度为 0。",
    ),
    "relu_kink": (
        "The input is exactly 0, at the kink of ReLU: the derivative 0 is chosen there ⟦ER1-16⟧.",
        "输入恰为 0，位于 ReLU 的折点：此处约定导数为 0⟦ER1-16⟧。",
    ),
    "dropout_inference": ("Dropout does nothing in inference.", "推理时随机失活不起作用。"),
    "dropout_kept": (
        "The mask keeps this value and scales it by 1/(1−p).",
        "掩码保留了这个值，并乘以 1/(1−p)。",
    ),
    "dropout_zero": (
        "The mask drops this value: nothing goes through.",
        "掩码丢弃了这个值：没有任何东西通过。",
    ),
    "softmax_shift": (
        "Numerator and denominator are divided by exp({top}), so that nothing overflows.",
        "分子分母同除以 exp({top})，以免溢出。",
    ),
    "softmax_short": (
        "Softmax and cross-entropy together: the chain of the two simplifies to p − t.",
        "softmax 与交叉熵合在一起：两者的链式乘积化简为 p − t。",
    ),
    "long_way_follows": (
        "The long way below gives the same.",
        "下面较长的推导得到同样的结果。",
    ),
    "long_way_before": (
        "Step {number} shows the long way to such a number.",
        "这类数较长的推导见第 {number} 步。",
    ),
    "flatten_place": (
        "Element {source} becomes element [{place}] of the flattened vector; its value does not change.",
        "元素 {source} 成为展平向量的元素 [{place}]；数值不变。",
    ),
    "add_whole": (
        "A sum of {count} inputs passes its whole gradient to each.",
        "{count} 个输入相加：每个输入得到全部梯度。",
    ),
    "concat_place": (
        "Channel {channel} of this input is channel {place} of the joined one.",
        "该输入的通道 {channel} 是拼接后的通道 {place}。",
    ),
    "max_won": (
        "In the window of {place} it wins with {value}: the whole gradient goes to it ⟦S2-E39⟧.",
        "在 {place} 的窗口中它以 {value} 获胜：得到全部梯度⟦S2-E39⟧。",
    ),
    "max_lost": (
        "In the window of {place} the winner is {winner} with {value}: no gradient comes here.",
        "在 {place} 的窗口中胜者是 {winner}，值为 {value}：此处得不到梯度。",
    ),
    "max_tie": (
        "A tie in the window of {place}: {count} numbers are equal. The first in row-major order, {winner}, wins "
        "⟦ER1-16⟧.",
        "{place} 的窗口中有并列：{count} 个数相等。按行优先顺序的第一个 {winner} 获胜⟦ER1-16⟧。",
    ),
    "max_from": ("The winner is {winner}.", "胜者是 {winner}。"),
    "more_windows": (
        "{count} more {count:window covers|windows cover} this place.",
        "另有 {count} 个窗口覆盖此处。",
    ),
    "no_window": ("No window covers this place: its gradient is 0.", "没有窗口覆盖此处：梯度为 0。"),
    "mean_spread": (
        "Each place of a window gets an equal share of its gradient ⟦S0-E39, ER4-23⟧.",
        "窗口内每处平分其梯度⟦S0-E39、ER4-23⟧。",
    ),
    "gauss_spread": (
        "Each place of a window gets the gradient times its Gaussian weight g.",
        "窗口内每处得到梯度乘以其高斯权重 g。",
    ),
    "lp_zero": (
        "A window whose norm is 0 has no derivative; 0 is chosen ⟦ER0-32⟧.",
        "范数为 0 的窗口没有导数；约定为 0⟦ER0-32⟧。",
    ),
    "window_sums": (
        "{rate} is the sum of the window.",
        "{rate} 就是窗口内各数之和。",
    ),
    "norm_running": (
        "Mean μ = {mean} and √(v+ε) = {spread} are the running ones: constants, so there is one path only.",
        "均值 μ = {mean} 与 √(v+ε) = {spread} 为滑动统计量：它们是常数，因此只有一条路径。",
    ),
    "norm_batch": (
        "Mean μ = {mean} and √(v+ε) = {spread} come from the {count} values of the channel in this batch, so this "
        "number "
        "affects all of them: there are three paths.",
        "均值 μ = {mean} 与 √(v+ε) = {spread} 来自本批该通道的 {count} 个值，因此这个数牵动所有输出：共三条路径。",
    ),
    "no_terms": ("The sum has no terms.", "这个和没有任何项。"),
    "own_backward": (
        "{layer} has no local terms of its own: its local derivatives were obtained by feeding unit vectors "
        "to its backward pass.",
        "{layer} 没有自己的局部项：其局部导数由反向传播对单位向量逐一读出。",
    ),
    "own_backward_whole": (
        "{layer} has no local terms of its own, and more than {most} of its outputs take part: the sum is what its "
        "backward pass gives as a whole.",
        "{layer} 没有自己的局部项，参与的输出又超过 {most} 个：这个和由其反向传播整体给出。",
    ),
    "own_forward": (
        "{layer} has no local terms of its own: the value is what its forward pass computes.",
        "{layer} 没有自己的局部项：数值由其前向传播给出。",
    ),
    "own_loss": (
        "{loss} has no formula here: its gradient is what its own backward computes.",
        "{loss} 在此没有公式：梯度由其自身的反向计算给出。",
    ),
    "own_optimizer": (
        "The step is what the optimizer itself computes.",
        "更新量由该优化器自己计算。",
    ),
    "loss_mean": (
        "s = 1/{count}: the loss is a mean; the division happens here and nowhere else ⟦ER4-27⟧.",
        "s = 1/{count}：损失取平均，除法只出现在这里⟦ER4-27⟧。",
    ),
    "loss_sum": ("s = 1: the loss is a sum.", "s = 1：损失取总和。"),
    "loss_weighted_mean": (
        "s = 1/{sum}: the loss is a weighted mean, which divides by the sum of the weights (ER4-27).",
        "s = 1/{sum}：损失取加权平均，除以权重之和（ER4-27）。",
    ),
    "sample_weights": (
        "ω is the weight of a sample: what it counts for. A weight of 2 is as good as the sample twice.",
        "ω 是样本权重，即该样本计几次：权重为 2 等同于该样本出现两次。",
    ),
    "effective_targets": (
        "q are the targets as given (1 for the right class, 0 for the others), c the weights of the classes, "
        "ε = {smoothing} the smoothing, K = {classes} the number of classes; t is what the loss computes with.",
        "q 是给定的目标（正确类别为 1，其余为 0），c 是类别权重，ε = {smoothing} 是标签平滑系数，"
        "K = {classes} 是类别数；损失以 t 为目标计算。",
    ),
    "binary_weights": (
        "c weights an output, π the half of its term where the target is 1.",
        "c 是输出的权重，π 是目标为 1 的那一半的权重。",
    ),
    "map_rubbish": (
        "j = {rubbish} is the constant of the rubbish class, D the right class.",
        "j = {rubbish} 是“垃圾类”的常数，D 是正确类别。",
    ),
    "first_momentum": (
        "The first step: the velocity starts at 0, so the momentum of {momentum} has no effect yet.",
        "第一步：速度从 0 开始，动量 {momentum} 尚未累积。",
    ),
    "first_rmsprop": (
        "The first step: the averages start at 0, so v is (1 − α) times the square of the gradient; where it is "
        "centered, "
        "the mean is (1 − α) times the gradient.",
        "第一步：均值从 0 开始，故 v 是梯度平方的 (1 − α) 倍；中心化时，均值是梯度的 (1 − α) 倍。",
    ),
    "first_adam": (
        "The first step: corrected for starting at 0, the averages are the gradient and its square.",
        "第一步：修正初值为 0 的偏差后，两个均值就是梯度及其平方。",
    ),
}
