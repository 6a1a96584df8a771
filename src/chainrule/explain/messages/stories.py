"""Texts of the worked examples: key -> (English, Chinese)."""

STORIES: dict[str, tuple[str, str]] = {
    # --- columns and verdicts ---
    "col_id": (
        "ID",
        "编号",
    ),
    "col_quantity": (
        "quantity",
        "量",
    ),
    "col_printed": (
        "printed",
        "原文",
    ),
    "col_ours": (
        "ours",
        "本库",
    ),
    "col_remark": (
        "remark",
        "说明",
    ),
    "col_expected": (
        "by hand",
        "手算",
    ),
    "col_biases": (
        "biases",
        "偏置",
    ),
    "col_order": (
        "hidden delta uses",
        "隐层 δ 使用",
    ),
    "col_after_one": (
        "E after 1",
        "1 次后的 E",
    ),
    "col_after_all": (
        "E after 10000",
        "10000 次后的 E",
    ),
    "col_outputs": (
        "outputs then",
        "此时的输出",
    ),
    "col_wrong": (
        "as printed",
        "按原文",
    ),
    "col_right": (
        "corrected",
        "更正后",
    ),
    "col_erratum": (
        "erratum",
        "勘误",
    ),
    "col_formula": (
        "formula",
        "公式",
    ),
    "col_parameter": (
        "parameter",
        "参数",
    ),
    "col_gradient": (
        "gradient",
        "梯度",
    ),
    "col_updated": (
        "after one update",
        "更新一次后",
    ),
    "col_updates": (
        "updates",
        "更新次数",
    ),
    "col_error": (
        "E",
        "误差 E",
    ),
    "mazur_gradients": (
        "All gradients and one update, by the stated rule; the biases as one per layer and as one per neuron",
        "全部梯度与一次更新（按所述规则）；偏置分全层共用与每神经元一个",
    ),
    "mazur_course": (
        "The first updates by the stated rule, biases frozen",
        "按所述规则的前几次更新，偏置冻结",
    ),
    "mazur_final": (
        "The parameters after 10000 updates: biases frozen, frozen with updated weights, shared, one per neuron",
        "10000 次更新后的参数：偏置冻结；冻结且用更新后的权重；全层共用；每神经元一个",
    ),
    "as_printed": (
        "as printed",
        "与原文一致",
    ),
    "printed_beside_ours": (
        "Every printed number beside ours",
        "原文的每个数与本库的数对照",
    ),
    "wrong_beside_right": (
        "Forms that are wrong in print, and the corrected ones",
        "原文有误的式子与更正后的式子",
    ),
    "by_hand_beside_ours": (
        "By hand and by the engine",
        "手算与引擎对照",
    ),
    "derivations_follow": (
        "Now some of these numbers, step by step.",
        "下面逐步推导其中几个数。",
    ),
    # --- mazur ---
    "mazur_title": (
        "mazur: the 2-2-2 sigmoid network, all 24 printed numbers (S0)",
        "mazur：2-2-2 sigmoid 网络，原文全部 24 个数（S0）",
    ),
    "mazur_intro": (
        "Two inputs 0.05 and 0.10, two hidden and two output units, targets 0.01 and 0.99, learning rate "
        "0.5, one bias per layer. The text computes one update by hand and then trains 10000 times.",
        "两个输入 0.05 和 0.10，两个隐层单元，两个输出单元，目标 0.01 和 0.99，学习率 0.5，每层一个偏置。原文"
        "手算一次更新，然后训练 10000 次。",
    ),
    "mazur_answer": (
        "The last four numbers are the riddle of this text (ER0-14). It says that the original w5..w8 are used "
        "when the gradient goes on to the hidden layer, yet its four results come from using the weights "
        "that were already updated. Both orders below, each with three treatments of the biases: only the "
        "second row rounds to the printed numbers.",
        "最后四个数是这篇文章的谜题（ER0-14）。文中说，梯度传到隐层时使用更新前的 w5..w8，但印出的四个结果却来"
        "自已更新的权重。下表列出两种次序，各有三种偏置处理：只有第二行四舍五入后等于印出的数。",
    ),
    "mazur_variants": (
        "Six ways to train this network (W01)",
        "训练该网络的六种方式（W01）",
    ),
    "bias_frozen": (
        "frozen",
        "冻结",
    ),
    "bias_shared": (
        "shared by the layer",
        "全层共用",
    ),
    "bias_own": (
        "one per neuron",
        "每个神经元一个",
    ),
    "order_original": (
        "original weights",
        "原来的权重",
    ),
    "order_updated": (
        "updated weights",
        "更新后的权重",
    ),
    "ER0-01": (
        "ER0-01: printed as two samples; the numbers that follow need one, (0.05, 0.10) → (0.01, 0.99)",
        "ER0-01：原文写成两个样本；后文的数需要一个样本 (0.05, 0.10) → (0.01, 0.99)",
    ),
    "ER0-17": (
        "ER0-17: w3, w4, w7, w8 stand only in a figure; w7 = 0.5 and w8 = 0.55 follow from the text",
        "ER0-17：w3、w4、w7、w8 只在图中；由正文可推出 w7 = 0.5、w8 = 0.55",
    ),
    "ER0-02": (
        "as printed; its addend is misprinted, 0.27481103 for 0.274811083 (ER0-02)",
        "与原文一致；但加数误印为 0.27481103，应为 0.274811083（ER0-02）",
    ),
    "ER0-03": (
        "as printed; the ∂ of the last factor is missing (ER0-03)",
        "与原文一致；最后一个因子漏印 ∂（ER0-03）",
    ),
    "ER0-07": (
        "ER0-07: the number is δ_o1; it is labelled dE_o1/dnet_h1",
        "ER0-07：这个数是 δ_o1；原文标成了 dE_o1/dnet_h1",
    ),
    "ER0-08": (
        "ER0-08: the last digit differs; it comes from halving a rounded number",
        "ER0-08：末位不同；原文用了舍入后的数再减半",
    ),
    "ER0-09": (
        "as printed; the second factor is misprinted, 0.59356999 for 0.59326999 (ER0-09)",
        "与原文一致；第二个因子误印为 0.59356999，应为 0.59326999（ER0-09）",
    ),
    "ER0-10": (
        "as printed; the text says to sum the three factors, but multiplies them (ER0-10), and misprints "
        "one, 0.036360306 (ER0-11)",
        "与原文一致；文中说将三个因子相加，实际相乘（ER0-10），且误印了一个 0.036360306（ER0-11）",
    ),
    "ER0-14": (
        "ER0-14: by the stated rule the number is {value}; the printed one needs the updated weights, which "
        "give {other}",
        "ER0-14：按所述规则应为 {value}；印出的数要用更新后的权重，得到 {other}",
    ),
    "ER0-15": (
        "ER0-14 and ER0-15: the stated rule gives {value}; updated weights give {other}, of which the print "
        "has lost a 5 (0.984065734)",
        "ER0-14 与 ER0-15：所述规则得 {value}；更新后的权重得 {other}，印刷时漏了一个 5（0.984065734）",
    ),
    # --- s1 ---
    "s1_title": (
        "s1: convolution of a 4x4 map with a 2x2 kernel (S1)",
        "s1：4x4 图与 2x2 卷积核的卷积（S1）",
    ),
    "s1_intro": (
        "Input 0..15, kernel [[1,2],[3,4]], stride 1, no padding. The loss is chosen so that the sensitivity "
        "map δ is 1..9 (W03 a).",
        "输入 0..15，卷积核 [[1,2],[3,4]]，步幅 1，无填充。损失取得使灵敏度图 δ 为 1..9（W03 a）。",
    ),
    # --- s2 ---
    "s2_title": (
        "s2: convolution with stride 2 on a 5x5 image (S2)",
        "s2：5x5 图像上步幅为 2 的卷积（S2）",
    ),
    "s2_intro": (
        "The 5x5 image and the 3x3 kernel of S2-N02, once with stride 1 and once with stride 2. The stride-2 "
        "map is the stride-1 map with places left out (S2-C03); in the backward pass those places hold zeros "
        "(S2-E28, W06).",
        "S2-N02 的 5x5 图像与 3x3 卷积核，步幅分别为 1 和 2。步幅 2 的结果就是步幅 1 的结果去掉一些位置（"
        "S2-C03）；反向时这些位置补零（S2-E28、W06）。",
    ),
    "ER2-24": (
        "ER2-24: the slide marks whole rows and says 3*3; the stride-2 map keeps every second row and column, 2x2",
        "ER2-24：幻灯片标出整行并写 3*3；步幅 2 的结果隔行隔列保留，为 2x2",
    ),
    # --- s3 ---
    "s3_title": (
        "s3: three channels, their sums and a bias (S3)",
        "s3：三个通道、各自之和与偏置（S3）",
    ),
    "s3_intro": (
        "A 5x5 image of three channels with a ring of zeros, a 3x3 filter, stride 2, bias 1. S3 prints only "
        "the channel sums, 0 + (−4) + 0 + 1 = −3 and 2 + (−3) + (−3) + 1 = −3; the data behind them is made "
        "up to fit (ER3-04, W08).",
        "三通道 5x5 图像，外围补一圈零，3x3 滤波器，步幅 2，偏置 1。S3 只印出各通道之和：0 + (−4) + 0 + 1 = "
        "−3 与 2 + (−3) + (−3) + 1 = −3；背后的数据是按此构造的（ER3-04、W08）。",
    ),
    # --- s4 ---
    "s4_title": (
        "s4: the dense layer in matrix form (S4)",
        "s4：全连接层的矩阵形式（S4）",
    ),
    "s4_intro": (
        "Z = W A + b with three samples, one per column. S4 derives dW = dZ Aᵀ, db = dZ 1 and dA = Wᵀ dZ; "
        "here every entry is a sum that can be read (W02).",
        "Z = W A + b，三个样本，每列一个。S4 推出 dW = dZ Aᵀ、db = dZ 1、dA = Wᵀ dZ；这里每个元素都写成看得见"
        "的和（W02）。",
    ),
    # --- lenet5 ---
    "lenet5_title": (
        "lenet5: one C1 weight, one C3 delta and one pixel of LeNet-5",
        "lenet5：LeNet-5 的一个 C1 权重、一个 C3 的 δ 与一个输入像素",
    ),
    "lenet5_intro": (
        "LeNet-5 as it begins (seed 0) at a bundled test digit, a {label}. Of all C3 deltas and of all "
        "pixels the one with the largest gradient is explained.",
        "初始的 LeNet-5（种子 0）与一个自带的测试数字“{label}”。在所有 C3 的 δ 和所有像素中，各选梯度最大"
        "的一个来解释。",
    ),
    # --- detector ---
    "detector_title": (
        "detector: finding a 2x2 block in a 4x4 image with a dense layer (S2)",
        "detector：用全连接层在 4x4 图像中找 2x2 方块（S2）",
    ),
    "detector_intro": (
        "Nine windows of a 4x4 image as a 9x16 matrix of zeros and ones: the convolution written as a sparse "
        "dense layer. With bias −3 and ReLU exactly one unit fires for a block (W12). Targets are the nine "
        "answers wanted for a block at d; the image shows one at e.",
        "把 4x4 图像的九个窗口写成 9x16 的 0/1 矩阵：即卷积写成稀疏的全连接层。取偏置 −3 与 ReLU 时，对一个方"
        "块恰有一个单元响应（W12）。目标是方块在 d 处时的九个答案；而图中的方块在 e 处。",
    ),
    "ER2-01": (
        "ER2-01: the printed matrix has 10 rows; row 7 (pixels 7, 8, B, C) wraps round the edge and is no window",
        "ER2-01：印出的矩阵有 10 行；第 7 行（像素 7、8、B、C）跨过边缘，不是窗口",
    ),
}
