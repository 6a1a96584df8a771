"""Complaints: of the command line itself, and those of the library that a user of the command line meets."""

ERRORS: dict[str, str] = {
    # --- usage ---
    "No such command {name}.": "没有命令 {name}。",
    "No such option: {name}": "没有选项 {name}",
    "No such option: {name} (Possible options: {others})": "没有选项 {name}（相近的有：{others}）",
    "No such option: {name} Did you mean {other}?": "没有选项 {name}，是不是 {other}？",
    "Missing argument {name}.": "缺少参数 {name}。",
    "Missing option {name}.": "缺少选项 {name}。",
    "Missing command.": "缺少命令。",
    "Option {name} requires an argument.": "选项 {name} 需要一个值。",
    "Option {name} does not take a value.": "选项 {name} 不带值。",
    "Got unexpected extra argument {name}": "多余的参数 {name}",
    "Got unexpected extra arguments {name}": "多余的参数 {name}",
    "Invalid value for {name}: {what:t}": "{name} 的值不对：{what}",
    "{value} is not a valid integer.": "{value} 不是整数。",
    "{value} is not a valid int.": "{value} 不是整数。",
    "Input should be a valid integer, unable to parse string as an integer": "应为整数",
    "Input should be a valid number, unable to parse string as a number": "应为数",
    "{value} is not a valid float.": "{value} 不是数。",
    "{value} is not one of {choices}.": "{value} 不在 {choices} 之中。",
    "{value} is not in the range {range}.": "{value} 不在范围 {range} 内。",
    # --- the command line ---
    "not enough memory; a smaller --batch-size or network may fit": "内存不足；减小 --batch-size 或网络也许可行",
    "cannot write to the standard output: {why}": "无法写到标准输出：{why}",
    "cannot write the output: {why}": "无法写输出：{why}",
    "cannot write to the folder {path}: {why}": "无法写入文件夹 {path}：{why}",
    "cannot write {path}: {why}": "无法写入 {path}：{why}",
    "cannot write {path}: there is no folder {folder}": "无法写入 {path}：没有文件夹 {folder}",
    "cannot read {path}: {why}": "无法读取 {path}：{why}",
    "--batch-size must be at least 1, not {value}": "--batch-size 至少为 1，而不是 {value}",
    "--seed must be 0 or larger, not {value}": "--seed 须大于等于 0，而不是 {value}",
    "give either MODEL or --net, not both": "MODEL 与 --net 只能给一个",
    "give either --static or --save: a file cannot change a network": (
        "--static 与 --save 只能给一个：静态文件不能改动网络"
    ),
    'lang must be "en" or "zh", not {value}': 'lang 须为 "en" 或 "zh"，而不是 {value}',
    'quantity must be "gradient" or "value", not {value}': 'quantity 须为 "gradient" 或 "value"，而不是 {value}',
    "the network takes images of {shape}, but {name} holds images of {other}": (
        "网络接受 {shape} 的图像，而 {name} 的图像为 {other}"
    ),
    "the network takes images of {shape}, but {name} holds images of {other}; --prepare makes them fit": (
        "网络接受 {shape} 的图像，而 {name} 的图像为 {other}；用 --prepare 可使其相配"
    ),
    "the network has outputs of {shape}, but {name} has {classes} classes; end it with fc {classes}": (
        "网络的输出为 {shape}，而 {name} 有 {classes} 个类别；请以 fc {classes} 结尾"
    ),
    "{name} has {count} training image(s); at least 2 are needed": "{name} 只有 {count} 张训练图像；至少需要 2 张",
    '--size must be a number such as 32, or ROWSxCOLUMNS such as "24x32", not {value}': (
        '--size 须为 32 这样的数，或 "24x32" 这样的 行x列，而不是 {value}'
    ),
    "pictures fit networks that take (1 or 3, rows, columns), not {shape}": (
        "图片只适合输入为（1 或 3，行，列）的网络，而不是 {shape}"
    ),
    'say what to explain, such as "conv1.weight[0,0,1,2]", or give --example (not both)': (
        '请说明要解释什么，例如 "conv1.weight[0,0,1,2]"，或给出 --example（二者取一）'
    ),
    "choose the sample by one of --image, --worst, and --picture with --label": (
        "请用 --image、--worst 或 --picture 加 --label 之一选择样本"
    ),
    "--image must lie between 0 and {last}, not {value}": "--image 须在 0 与 {last} 之间，而不是 {value}",
    "--input-shape must be numbers such as 3x224x224, not {value}": "--input-shape 须为 3x224x224 这样的数，而不是 "
    "{value}",
    "--{option} is not for --to {form}": "--{option} 不适用于 --to {form}",
    "--{option} is for --what {what}": "--{option} 只适用于 --what {what}",
    "{path} is there already; --force replaces it, --to names another folder": (
        "{path} 已存在；--force 覆盖，--to 指定另一文件夹"
    ),
    # --- exercises ---
    "exercise": "练习",
    "no {kind:t} is named {name}; did you mean {near}?": "没有名为 {name} 的{kind}；是不是 {near}？",
    "{path} is larger than {size} MiB; a solution is a text of a few lines": (
        "{path} 大于 {size} MiB；一份解答只是几行文字"
    ),
    "{path} is not a text in UTF-8; give a .py file or a notebook (.ipynb)": (
        "{path} 不是 UTF-8 文本；请给出 .py 文件或笔记本（.ipynb）"
    ),
    "{path} is not a notebook of format 4; save it anew as .ipynb": "{path} 不是格式 4 的笔记本；请重新存为 .ipynb",
    "line {line} of {path} is not Python: {why}": "{path} 的第 {line} 行不是 Python：{why}",
    "{path} cannot be read as Python: {why}": "{path} 无法作为 Python 读取：{why}",
    "{path} defines none of the functions that the exercises ask for, such as dense_backward; keep the name of the "
    "stub, or say which exercise is meant": (
        "{path} 没有定义练习要求的任何函数（例如 dense_backward）；请保留练习文件中的函数名，或指明是哪一道练习"
    ),
    # --- names ---
    "no {kind:t} is named {name}; known: {known}": "没有名为 {name} 的{kind}；已知的有：{known}",
    "optimizer": "优化器",
    "schedule": "学习率计划",
    "form": "形式",
    "engine": "引擎",
    "data set (and no folder or file)": "数据集（也没有这样的文件夹或文件）",
    "parameter or node": "参数或节点",
    "index {k} of {place} is out of range: number {n} of the index lies between 0 and {last}, since {name} has shape "
    "{shape}": "{place} 的下标 {k} 越界：第 {n} 个下标应在 0 与 {last} 之间，因为 {name} 的形状为 {shape}",
    'network (a text such as "1x28x28 -> fc 10" is possible too)': '网络（也可以写 "1x28x28 -> fc 10" 这样的文字）',
    "node or parameter": "节点或参数",
    'of must be a name, with an index or without, such as "conv1.weight[0,0,1,2]" or "conv1", not {value}': (
        '应为一个名称，可带下标，例如 "conv1.weight[0,0,1,2]" 或 "conv1"，而不是 {value}'
    ),
    "{name} is a parameter: its value is not computed from anything; ask for its gradient": (
        "{name} 是参数：它的值不是算出来的；请改问它的梯度"
    ),
    "input is given, not computed; ask for the value of another node": "input "
    "是给定的，不是算出来的；请改问别的节点的值",
    "the index {index} of {name} must be whole numbers, such as {first}": "{name} 的下标 {index} 须为整数，例如 "
    "{first}",
    "{name} has shape {shape}, so an index has {count} number(s), such as {first}; {index} has {given}": (
        "{name} 的形状为 {shape}，下标应有 {count} 个数，例如 {first}；而 {index} 有 {given} 个"
    ),
    # --- files ---
    "cannot read {path}: it is a folder": "无法读取 {path}：这是一个文件夹",
    "cannot read the folder {path}: {why}": "无法读取文件夹 {path}：{why}",
    "cannot create {path}: {why}": "无法创建 {path}：{why}",
    "{path} is not a complete safetensors file: {why}": "{path} 不是完整的 safetensors 文件：{why}",
    "{path} cannot be loaded: {why}": "无法载入 {path}：{why}",
    "nothing can be explained: {name} holds {value} at index {index}": ("无法解释：{name} 在下标 {index} 处为 {value}"),
    # --- pictures ---
    "{path}: the picture is empty: nothing stands out from its border": ("{path}：图片是空的，没有什么从底色中突出"),
    "{path} is not a picture in a format that can be read (PNG, JPEG, ...)": (
        "{path} 不是可读格式的图片（PNG、JPEG 等）"
    ),
    "{path}: {same} is not a picture in a format that can be read (PNG, JPEG, ...)": (
        "{path}：{same} 不是可读格式的图片（PNG、JPEG 等）"
    ),
    "{path}: cannot read {same}: {why}": "{path}：无法读取 {same}：{why}",
    "{path} is too large a picture; reduce it below 89 million pixels": "图片 {path} 太大；请缩小到 8900 万像素以下",
    "{folder} holds {count} class; a data set needs a subfolder for each of two or more": (
        "{folder} 只有 {count} 个类别；数据集需要两个以上类别，各有一个子文件夹"
    ),
    "{folder} holds no picture ({kinds}); each subfolder is a class": "{folder} "
    "中没有图片（{kinds}）；每个子文件夹是一个类别",
    "no test part was given: {held} of {count} pictures were held out (seed {seed})": (
        "没有给出测试部分：从 {count} 张图片中留出 {held} 张（种子 {seed}）"
    ),
}
