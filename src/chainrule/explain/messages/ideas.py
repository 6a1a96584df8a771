"""Texts of the stories that tell one idea each: key -> (English, Chinese)."""

IDEAS: dict[str, tuple[str, str]] = {
    "rotate_title": (
        "rotate: why the kernel turns around",
        "rotate：卷积核为什么要旋转",
    ),
    "rotate_intro": (
        "A 3x3 map holds 1..9, the kernel is [[1,2],[3,4]]. Let only one output have a gradient, the first (row 1 "
        "below): it deals this gradient out over its window, by the kernel as it stands. So far nothing has "
        "turned. Now ask one pixel, the middle one. Four windows cover it, and it lies in another corner of each: "
        "the first output sees it through weight 4, the last through weight 1. With δ = [[1,2],[3,4]] it gets row "
        "2: δ runs forwards and the kernel backwards. That is all there is to the rotation: what goes out from an "
        "output in one order arrives at a pixel in the opposite one.",
        "3x3 的图为 1..9，卷积核为 [[1,2],[3,4]]。先只让一个输出有梯度，即第一个（下表第 1 行）：它把这个梯度按卷"
        "积核原样分给自己的窗口。到此什么也没有旋转。再从一个像素看，取正中的一个：有四个窗口覆盖它，而它在各窗口"
        "中位于不同的角，第一个输出通过权重 4 看到它，最后一个通过权重 1。当 δ = [[1,2],[3,4]] 时，它得到第 2 行："
        "δ 顺着走，卷积核倒着走。所谓旋转不过如此：从输出看是一种次序，到了像素处次序正好相反。",
    ),
    "rotate_end": (
        "Two more proofs. A convolution is a matrix M times the map, written as one column; its gradient is Mᵀ "
        "times δ, and transposing is what turns the kernel around (row 4). And since conv1 is linear in input "
        "(the bias is 0), δ · conv1 and ∂L/∂input · input are the same number (rows 5 and 6): going back is the "
        "adjoint of going "
        "forward. Without the rotation the middle pixel would get row 7, 30 instead of 20: neither proof would "
        "hold.",
        "再看两个证明。卷积就是矩阵 M 乘以写成一列的图；其梯度是 Mᵀ 乘以 δ，转置正是使卷积核倒转的一步（第 4 行）。"
        "又因为 conv1 是 input 的线性函数（偏置为 0），δ · conv1 与 ∂L/∂input · input 必是同一个数（第 5、6 "
        "行）：反向是前向的伴随。若"
        "不旋转，正中像素会得到第 7 行的 30，而不是 20：两个证明都不成立。",
    ),
    "winner_title": (
        "winner: max pooling with ties and overlapping windows",
        "winner：有并列与重叠窗口的最大池化",
    ),
    "winner_intro": (
        "Windows of 2x2 move by one pixel over the map [[1,3,3],[0,2,1],[5,5,4]], so they overlap. δ is [[1,2],[3,4]].",
        "2x2 的窗口逐像素移过图 [[1,3,3],[0,2,1],[5,5,4]]，因此互相重叠。δ 为 [[1,2],[3,4]]。",
    ),
    "winner_end": (
        "The 3 in the middle of the first row wins two windows and gets both gradients, 1 + 2. In the second of "
        "them both pixels of the top row are 3: a tie, which goes to the first in reading order, so the other 3 "
        "gets nothing. At a tie the maximum has no derivative; giving the gradient to one of the equals is a "
        "choice, and what matters is that forward and backward make the same one. The mean asks nobody to win: "
        "every pixel gets a quarter from each window that covers it, the middle one from all four.",
        "第一行中间的 3 赢得两个窗口，得到两份梯度 1 + 2。在第二个窗口中，上一行的两个像素都是 3，出现并列，归阅读"
        "顺序中的第一个，另一个 3 什么也得不到。并列处最大值没有导数，把梯度给其中一个是一种约定；要紧的是前向与反"
        "向作出同样的选择。平均则没有胜负：每个像素从覆盖它的每个窗口得到四分之一，正中的像素从四个窗口都得到。",
    ),
    "dead_title": (
        "dead: a ReLU that is off learns nothing",
        "dead：关闭的 ReLU 学不到东西",
    ),
    "dead_intro": (
        "Two units see the input 2. The first has weight 1 and bias 0, so its sum is 2; the second has weight −1 "
        "and bias −1, so its sum is −3. The output adds the first and five times the second.",
        "两个单元都看到输入 2。第一个权重为 1、偏置为 0，加权和为 2；第二个权重为 −1、偏置为 −1，加权和为 −3。输出"
        "等于第一个加上第二个的五倍。",
    ),
    "dead_end": (
        "The loss would like to move the second unit five times as much as the first, but ReLU lets nothing "
        "through below 0: its weight has gradient 0 and stays as it is. If that is so for every sample, the unit "
        "never wakes up again; one calls it dead. LeakyReLU leaves a tenth of the way open, and the unit can come "
        "back.",
        "损失本想使第二个单元的变动达到第一个的五倍，但 ReLU 在 0 以下什么也不放过：它的权重梯度为 0，保持不变。若"
        "对每个样本都如此，该单元便再也不会醒来，称为死亡单元。LeakyReLU 留出十分之一的通路，单元还能恢复。",
    ),
    "norm_title": (
        "norm: what batch normalisation takes out of a gradient",
        "norm：批归一化从梯度中去掉了什么",
    ),
    "norm_intro": (
        "One feature, four samples: −1, 1, −1, 1. Mean 0 and variance 1, so normalising leaves them as they are, "
        "and ε is 0 here. One would expect that the gradient passes unchanged, too.",
        "一个特征，四个样本：−1、1、−1、1。均值为 0，方差为 1，归一化后不变；此处 ε 取 0。似乎梯度也应原样通过。",
    ),
    "norm_end": (
        "It does not. If all four outputs are to rise alike, nothing comes back: raising all inputs alike is "
        "undone by the mean. If they are to be stretched, nothing comes back either: that is undone by the "
        "variance. Of any other δ these two parts are taken out, which is why the gradients add up to 0, and so "
        "do their products with the input. The first sample asks for 4 and gets 2; the third, which is its equal, pays "
        "for it.",
        "并非如此。若四个输出要一同增大，什么也传不回来：一同增大会被均值抵消。若要把它们拉开，同样什么也传不回来："
        "会被方差抵消。其余的 δ 也都去掉这两部分，所以各梯度之和为 0，与输入的乘积之和也为 0。第一个样本要 4，只得"
        "到 2；与它相同的第三个样本为此付出代价。",
    ),
    "shortcut_title": (
        "shortcut: what a residual branch does for the gradient",
        "shortcut：残差支路对梯度的作用",
    ),
    "shortcut_intro": (
        "Each layer multiplies by 0.1. With a branch around it the input is added to its output.",
        "每层乘以 0.1。绕过它的支路把输入加到输出上。",
    ),
    "shortcut_end": (
        "The input is used twice, so its gradient has two shares: 0.1 through the layer and 1 along the branch. "
        "Ten layers one after another leave 0.0000000001 of the gradient; with branches, none of it is lost.",
        "输入被用了两次，梯度便有两份：经过该层的 0.1 与沿支路的 1。十层相连，梯度只剩 0.0000000001；有了支路，一"
        "点也不会丢失。",
    ),
}
