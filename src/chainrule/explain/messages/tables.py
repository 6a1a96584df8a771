"""Titles of the small maps: key -> (English, Chinese)."""

TABLES: dict[str, tuple[str, str]] = {
    "part_of_map": ("{title} (part of {rows}×{columns})", "{title}（{rows}×{columns} 的一部分）"),
    "part_of_classes": ("{title} (some of {classes} classes)", "{title}（{classes} 个类别中的一部分）"),
    "map_restored": (
        "Sensitivity map of filter {filter}, restored to stride 1 with zeros",
        "滤波器 {filter} 的灵敏度图，补零还原为步幅 1",
    ),
    "map_padded": (
        "Sensitivity map of filter {filter}, bordered by zeros ({rows} above and below, {columns} left and right)",
        "滤波器 {filter} 的灵敏度图，四周补零（上下各 {rows} 行，左右各 {columns} 列）",
    ),
    "kernel_rotated": (
        "Kernel of filter {filter}, channel {channel}, rotated by 180°",
        "滤波器 {filter} 通道 {channel} 的卷积核，旋转 180°",
    ),
    "kernel_rotated_twice": (
        "Kernel of filter {filter}, channel {channel}: rotated in the forward pass and again here",
        "滤波器 {filter} 通道 {channel} 的卷积核：前向旋转一次，此处再旋转一次",
    ),
    "map_product": (
        "Window times kernel: {total}, the share of filter {filter} (the largest of {filters})",
        "窗口乘以卷积核：{total}，即滤波器 {filter} 的份额（{filters} 个中最大）",
    ),
    "map_product_zero": (
        "Window times kernel: 0, the share of filter {filter} (those of all {filters} filters are 0)",
        "窗口乘以卷积核：0，即滤波器 {filter} 的份额（全部 {filters} 个滤波器的份额都为 0）",
    ),
    "map_input": ("Channel {channel} of {name}", "{name} 的通道 {channel}"),
    "map_input_padded": (
        "Channel {channel} of {name}, bordered by zeros",
        "{name} 的通道 {channel}，四周补零",
    ),
    "kernel_plain": ("Kernel of filter {filter}, channel {channel}", "滤波器 {filter} 通道 {channel} 的卷积核"),
    "kernel_rotated_forward": (
        "Kernel of filter {filter}, channel {channel}, rotated by 180° as a true convolution wants it",
        "滤波器 {filter} 通道 {channel} 的卷积核，按真卷积的定义旋转 180°",
    ),
    "map_share": (
        "Window times kernel: {total}, the share of channel {channel} (the largest of {channels})",
        "窗口乘以卷积核：{total}，即通道 {channel} 的份额（{channels} 个中最大）",
    ),
    "map_product_only": ("Window times kernel: {total}", "窗口乘以卷积核：{total}"),
    "map_delta": (
        "Sensitivity map of filter {filter}, sample {sample}",
        "滤波器 {filter} 的灵敏度图，样本 {sample}",
    ),
    "map_met": (
        "Inputs of channel {channel} by which the weight at row {row}, column {column} is multiplied, place by place",
        "卷积核第 {row} 行第 {column} 列的权重在各位置遇到的通道 {channel} 的输入",
    ),
    "map_met_product": (
        "Their products, which add up to {total}",
        "两者之积，其和为 {total}",
    ),
    "pool_window": (
        "Window of place [{row},{column}]",
        "位置 [{row},{column}] 的窗口",
    ),
    "mark_window": ("under the kernel", "卷积核覆盖处"),
    "mark_here": ("this number", "此数"),
    "mark_largest": ("the largest product", "乘积最大处"),
    "mark_winner": ("the winner", "胜者"),
    "softmax_table": ("Logits, probabilities p and targets t", "logits、概率 p 与目标 t"),
}
