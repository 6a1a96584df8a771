"""Help texts."""

HELP: dict[str, str] = {
    "Usage:": "用法：",
    "Options": "选项",
    "Arguments": "参数",
    "Commands": "命令",
    "Error:": "错误：",
    "Try '{command} -h' for help.": "用 {command} -h 查看帮助。",
    "Show this message and exit.": "显示帮助并退出。",
    "Print the version and exit.": "显示版本号并退出。",
    "en or zh.": "en 或 zh。",
    "en or zh (default: as LANG says).": "en 或 zh（默认依 LANG）。",
    "Networks whose every backward pass is written by hand from the chain rule.": (
        "每一步反向传播都由链式法则手工写出的神经网络。"
    ),
    "Begin with: chainrule train": "从这里开始：chainrule train",
    # --- commands ---
    "Train a network and test it.": "训练一个网络并测试。",
    "LeNet-5 on the bundled digits, unless told otherwise.": "默认在自带的手写数字上训练 LeNet-5。",
    "Test a saved network, class by class.": "逐类测试已保存的网络。",
    "Accuracy, confusion matrix, precision and recall of each class, and plots.": (
        "给出准确率、混淆矩阵、每个类别的精确率与召回率，并绘图。"
    ),
    "Name the class of what each picture shows.": "判断每张图片属于哪个类别。",
    "Pictures are prepared as those were that the network learned from; its file says how.": (
        "图片按网络训练时的方式预处理，方式记录在模型文件中。"
    ),
    "Write a trained network in a form that other programs compute.": "把训练好的网络写成其他程序能计算的形式。",
    "ONNX that predicts, gives gradients or learns: chainrule export MODEL --what train_step step.onnx; C99 that "
    "predicts or learns: chainrule export MODEL --to c --what train_step net.c": (
        "ONNX 可预测、求梯度或继续学习：chainrule export MODEL --what train_step step.onnx；"
        "C99 可预测或继续学习：chainrule export MODEL --to c --what train_step net.c"
    ),
    "Show what a network consists of.": "列出网络的组成。",
    "Shapes, parameters, connections, multiply-adds and receptive field of every layer.": (
        "每层的形状、参数、连接数、乘加次数与感受野。"
    ),
    "Check the gradients of a network.": "检验网络的梯度。",
    "They are compared with differences of the loss in float64. The exit code is 1 where one is wrong.": (
        "与 float64 下损失的差商比较；有错时退出码为 1。"
    ),
    "Write out the chain rule of one gradient, with all numbers.": "写出一个梯度的链式法则，连同所有数值。",
    'chainrule explain "conv1.weight[0,0,1,2]" explains LeNet-5 at the first bundled test digit.': (
        'chainrule explain "conv1.weight[0,0,1,2]" 以 LeNet-5 和自带的第一个测试数字为例。'
    ),
    "See the forward and the backward pass of a network in the browser, step by step.": (
        "在浏览器中一步一步地观看网络的前向与反向传播。"
    ),
    "chainrule explore begins with LeNet-5 and the first bundled test digit. Only this machine can open the page.": (
        "chainrule explore 从 LeNet-5 和自带的第一个测试数字开始。只有本机能打开该页面。"
    ),
    "List the worked examples that `explain --example` tells.": "列出 explain --example 能讲述的算例。",
    "Say what is wrong in a solution of exercises, without giving the answer away.": (
        "指出练习的解答错在哪里，但不透露答案。"
    ),
    "The exit code is 0 where all is right, 1 where something is wrong, 2 where the file cannot be graded.": (
        "退出码：全对为 0，有错为 1，文件无法评分为 2。"
    ),
    "Write gradient vectors: inputs, outputs and all gradients of every layer, as files.": (
        "写出梯度向量文件：每层的输入、输出与全部梯度。"
    ),
    "Authors of other kernels can test against them; docs/vectors.md says how to read them.": (
        "供其他实现对照测试；读法见 docs/vectors.md。"
    ),
    "Turn an ONNX file into a chainrule network.": "把 ONNX 文件转换为 chainrule 网络。",
    "What no layer computes ends in a sentence that names the node, and nothing is written.": (
        "遇到没有对应层的节点时，会指出该节点，并且什么也不写。"
    ),
    "List the exercises of the book, and copy them.": "列出书中的练习，并复制出来。",
    "List the exercises of the book by chapter; `copy` hands them out, `chainrule grade` judges them.": (
        "按章列出书中的练习；copy 领取练习，chainrule grade 评分。"
    ),
    "Write the files of exercises: the task, the shapes, an example, and a function to be written.": (
        "写出练习文件：题目、形状、一个例子，以及填写代码的地方。"
    ),
    # --- options ---
    "digits, mnist, fashion-mnist, kmnist, emnist-letters, cifar-10, a folder of pictures with a subfolder for each "
    "class, an .npz file, or a folder of IDX files (train-images-idx3-ubyte, ...).": (
        "digits、mnist、fashion-mnist、kmnist、emnist-letters、cifar-10；或图片文件夹（每类一个子文件夹）、.npz 文件、"
        "IDX 文件夹（train-images-idx3-ubyte 等）。"
    ),
    'A name (lenet5, lenet5-1998, mlp, ...) or a text such as "1x28x28 -> fc 10".': (
        '名称（lenet5、lenet5-1998、mlp 等），或 "1x28x28 -> fc 10" 这样的文字。'
    ),
    "The engine that computes (default: the fastest).": "计算引擎（默认用最快的）。",
    "float32 or float64.": "float32 或 float64。",
    "Decides all random numbers.": "决定所有随机数。",
    "A file that train wrote (or its folder).": "train 写出的文件（或其文件夹）。",
    "A file that train wrote.": "train 写出的文件。",
    "How pictures become samples: mnist-digit, or light-on-dark or dark-on-light (or neither), crop (or not), and fit "
    'or stretch; such as "light-on-dark, fit". Default: as {default:t}': (
        "图片如何变成样本：mnist-digit；或 light-on-dark、dark-on-light（或都不写），可加 crop，再加 fit 或 "
        "stretch，例如 "
        '"light-on-dark, fit"。默认依{default}'
    ),
    "the network's file says.": "模型文件的记录。",
    "the images of the data set are made.": "数据集图像的制作方式。",
    "Passes through the data (default: 15, or 5 where it is large).": "遍历数据的轮数（默认 15，数据量大时 5）。",
    "Images per step.": "每步的图像数。",
    "Default: 0.03, adam 0.002, adamw 0.003, rmsprop 0.001; for lenet5-1998 0.003, others 0.006.": (
        "学习率。默认 sgd 0.03，adam 0.002，adamw 0.003，rmsprop 0.001；lenet5-1998 用 0.003，其余优化器 0.006。"
    ),
    "sgd, adam, adamw or rmsprop.": "sgd、adam、adamw 或 rmsprop。",
    "Of sgd.": "sgd 的动量。",
    "Of sgd (default: 0.9).": "sgd 的动量（默认 0.9）。",
    "Default: 5e-4, adam and rmsprop 0, adamw 0.05.": "权重衰减。默认 5e-4，adam 与 rmsprop 为 0，adamw 为 0.05。",
    "one-cycle, cosine, step or constant.": "one-cycle、cosine、step 或 constant。",
    "Moved copies of each training image (default: 9 for the bundled digits, else 0).": (
        "每张训练图像的平移副本数（自带数字默认 9，其余 0）。"
    ),
    "Of the images that a folder of pictures becomes; 32 stands for 32x32.": "图片文件夹转成的图像大小；32 即 32x32。",
    "Of those images (default: grey where all pictures are).": "彩色或灰度（默认：全为灰度图时用灰度）。",
    "Which pictures of a folder become its test part, where it has none.": (
        "文件夹没有测试部分时，决定抽取哪些图片作测试。"
    ),
    "Leave out pictures of a folder that cannot be read.": "跳过文件夹中无法读取的图片。",
    "Folder for model, plots and report.": "存放模型、图与报告的文件夹。",
    "Stop after so many epochs without a better validation loss.": "验证损失连续这么多轮没有改善就停止。",
    "End with the epoch of the best validation loss.": "最后采用验证损失最小的那一轮。",
    "Draw what was learned.": "把学到的内容画成图。",
    "Print the result alone.": "只打印结果。",
    "Folder for plots (default: beside the model).": "存放图的文件夹（默认在模型旁）。",
    "Draw the mistakes.": "画出判错的图像。",
    "Prepare the images of the data set as predict prepares pictures (default: only where light and dark, or the "
    "numbers of black and white, are others than those the network learned from).": (
        "像 predict 那样预处理数据集的图像（默认：只在明暗或黑白数值与网络训练时不同的情况下）。"
    ),
    "PNG, JPEG, ... of any size.": "PNG、JPEG 等，大小不限。",
    "Draw what the network sees of each picture.": "画出网络看到的图像。",
    "Write what the network sees as PNG files.": "把网络看到的图像写成 PNG 文件。",
    "The file to write (default: named after MODEL).": "要写的文件（默认依 MODEL 命名）。",
    "The form: {forms}.": "形式：{forms}。",
    "inference (the default), gradients, or train_step: with loss, backward pass and optimizer.": (
        "inference（默认）、gradients，或 train_step：包含损失、反向传播与优化器。"
    ),
    "Of a train_step: sgd, adam, adamw or rmsprop.": "train_step 的优化器：sgd、adam、adamw 或 rmsprop。",
    "Of the optimizer.": "优化器的权重衰减。",
    "Samples of a batch (default: any number; of c: 1).": "一批的样本数（默认不限；c 为 1）。",
    "inside the file, beside it (.safetensors; c: .bin), or inputs (onnx).": (
        "权重的位置：inside 在文件内，beside 在旁边（.safetensors；c 为 .bin），inputs 作为输入（onnx）。"
    ),
    "c: train only so many of the last layers.": "c：只训练最后这么多层。",
    "c: what its functions are called by (default: as OUT).": "c：函数名的前缀（默认同 OUT）。",
    "onnx: the version of its operators.": "onnx：算子集版本。",
    "onnx: x is bytes of pictures.": "onnx：输入 x 为图片的字节。",
    "Check at images of this data set, not at noise.": "用该数据集的图像而不是噪声来检验。",
    "Numbers of each tensor to check; 0 for all.": "每个张量检验多少个数；0 为全部。",
    "Images in the batch.": "一批的图像数。",
    "Largest relative error.": "容许的最大相对误差。",
    "conv1.weight[0,0,1,2], relu1[3,4,5], maxpool2": "conv1.weight[0,0,1,2]、relu1[3,4,5]、maxpool2",
    "Number of the test image to explain.": "用第几张测试图像来说明。",
    "Number of the test image that is shown first.": "先显示第几张测试图像。",
    "Take the test image with the largest loss.": "取损失最大的测试图像。",
    "Begin with the test image with the largest loss.": "从损失最大的测试图像开始。",
    "A picture of your own, with --label.": "自己的图片，须同时给出 --label。",
    "The class that --picture shows.": "--picture 所画的类别。",
    "Tell a worked example; see `examples`.": "讲述一个算例；见 examples 命令。",
    "Derive the value of a node instead of its gradient.": "推导节点的值而不是梯度。",
    "How many layers up the chain is opened.": "链向上展开几层。",
    "How many terms of a sum are shown. [default: 6, or up to 12 that make up 90 %]": (
        "一个和列出多少项。［默认 6 项，若 12 项以内可达九成则列到九成］"
    ),
    "How many numbers of one node are opened further.": "每个节点继续展开几个数。",
    "Significant digits.": "有效数字位数。",
    "Show the update of a parameter, too.": "同时给出参数的更新。",
    "One line for each number, or everything.": "每个数一行，或完整推导。",
    "Cite the teaching texts behind each rule.": "注明每条规则的出处。",
    "text, markdown, latex, html or json.": "text、markdown、latex、html 或 json。",
    "Write to this file.": "写入该文件。",
    "Write one file that needs no server, and end.": "写出一个不需要服务器的文件，然后结束。",
    "Of 127.0.0.1; 0 takes any that is free.": "127.0.0.1 上的端口；0 表示任选空闲端口。",
    "Open the page in the browser.": "在浏览器中打开页面。",
    "Let the page write the network that it changed here.": "允许页面把改动过的网络写到这里。",
    "A .py file or a notebook with solutions.": "含有解答的 .py 文件或笔记本。",
    "Grade this one; may be repeated.": "只评这一道；可重复使用。",
    "Print the report as JSON, for the machines of a course.": "以 JSON 打印报告，供课程系统使用。",
    "Processor time for each exercise.": "每道练习的处理器时间（秒）。",
    "MiB of memory for each exercise.": "每道练习的内存（MiB）。",
    "Repeat the inputs of a report.": "重现某份报告的输入。",
    "Write notebooks (.ipynb) instead of .py files.": "写成笔记本（.ipynb）而不是 .py 文件。",
    "Where to write them.": "写到哪里。",
    "Replace files that are there already.": "覆盖已有的文件。",
    'Exercises, or "all".': '练习的名称，或 "all"。',
    "The folder to write manifest.json and cases/ into.": "写入 manifest.json 与 cases/ 的文件夹。",
    "The ONNX file to read.": "要读的 ONNX 文件。",
    "The file to write.": "要写的文件。",
    "Which output the network is to compute, if there are several.": "有多个输出时，网络计算哪一个。",
    "The shape of a sample, where the file leaves it open.": "样本的形状（文件未写明时）。",
}
