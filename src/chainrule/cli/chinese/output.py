"""What commands print: lines, and headings of tables."""

OUTPUT: dict[str, str] = {
    "{net}, {count} parameters, engine {engine}": "{net}，{count} 个参数，引擎 {engine}",
    "{name}, images: {kept} to train on, {held} to validate, {test} to test": (
        "{name}：{kept} 张训练，{held} 张验证，{test} 张测试"
    ),
    "{count} classes, pictures as {shape}": "{count} 个类别，图片化为 {shape}",
    "{count} classes, pictures as {shape}; {notes}": "{count} 个类别，图片化为 {shape}；{notes}",
    "pictures will be prepared for it by: {steps} (--prepare says otherwise)": (
        "预测时图片的预处理：{steps}（可用 --prepare 另行指定）"
    ),
    "each training image also {count} times, moved by up to {pixels} pixels": (
        "每张训练图像另加 {count} 张副本，随机平移至多 {pixels} 个像素"
    ),
    "epoch {epoch}": "第 {epoch} 轮",
    "loss {loss}  {speed}/s": "损失 {loss}  {speed}/秒",
    "epoch {epoch}  loss {loss}  {speed}/s": "第 {epoch} 轮  损失 {loss}  {speed}/秒",
    "epoch {epoch}  loss {loss} %  {speed}/s": "第 {epoch} 轮  损失 {loss} %  {speed}/秒",
    "epoch {epoch}  loss {loss}  validation {validation}  {speed}/s": (
        "第 {epoch} 轮  损失 {loss}  验证 {validation}  {speed}/秒"
    ),
    "interrupted after {epochs} epochs; the network as it was is in {path}": (
        "训练了 {epochs} 轮后中断；当时的网络保存在 {path}"
    ),
    "interrupted": "已中断",
    "test accuracy {right} %, loss {loss}, on {count} images never trained on": (
        "测试准确率 {right} %，损失 {loss}（{count} 张未参与训练的图像）"
    ),
    "stopped early after {epochs} epochs; the best was epoch {best}": "{epochs} 轮后提前停止；最好的是第 {best} 轮",
    "model   {path}": "模型  {path}",
    "plots   {told:t}": "图    {told}",
    "report  {path}": "报告  {path}",
    "not drawn": "未绘制",
    "plots: {told:t}": "图：{told}",
    "none: {why:t}": "无：{why}",
    "{count} in {folder}": "{count} 幅，在 {folder} 中",
    "{count} in {folder} (no confusion matrix: more than {most} classes)": (
        "{count} 幅，在 {folder} 中（类别多于 {most} 个，不画混淆矩阵）"
    ),
    "Next:   {command}": "接下来：{command}",
    "{name}, test images": "{name} 的测试图像",
    "each image prepared by: {steps}": "每张图像的预处理：{steps}",
    "loss {loss} on {count} samples, accuracy {accuracy} %": "损失 {loss}（{count} 个样本），准确率 {accuracy} %",
    "loss {loss} on {count} samples": "损失 {loss}（{count} 个样本）",
    "loss {loss} on {count} samples, R² {r2}": "损失 {loss}（{count} 个样本），R² {r2}",
    "(the confusion matrix needs {columns} columns; the plot shows it)": (
        "（混淆矩阵需要 {columns} 列宽的终端；图中有它）"
    ),
    "{path}: unlike the pictures that the network learned from ({why:t})": "{path}：不像网络学过的图片（{why}）",
    "little ink": "笔迹过少",
    "much ink": "笔迹过多",
    "no clear shape": "没有清楚的形状",
    "several shapes": "有几个形状",
    "far from every class": "与每个类别都相去甚远",
    "if it had to choose:": "若必须选择：",
    "seen as {shape}, prepared by: {steps}": "网络看到的是 {shape}，预处理：{steps}",
    "written to {path}": "已写入 {path}",
    "{model} does not say how its pictures were prepared; assumed: {guess} (--prepare says otherwise)": (
        "{model} 没有记录图片的预处理方式；按此处理：{guess}（可用 --prepare 另行指定）"
    ),
    "The gradients are right: worst relative error {worst}, tolerance {tolerance}.": (
        "梯度正确：最大相对误差 {worst}，容许 {tolerance}。"
    ),
    "The gradients are WRONG: worst relative error {worst}, tolerance {tolerance}.": (
        "梯度有错：最大相对误差 {worst}，容许 {tolerance}。"
    ),
    "{count} numbers of the {engine} engine were compared with differences in float64.": (
        "{engine} 引擎的 {count} 个数已与 float64 下的差商比较。"
    ),
    "(a random {count} of each tensor)": "（每个张量随机取 {count} 个）",
    "Kinks, not counted as errors, as left | right derivative, analytic value:": (
        "折点，不算错误；依次为左导数 | 右导数与解析值："
    ),
    "{name}: {count} more": "{name}：另有 {count} 处",
    "{place}: analytic {analytic}, numeric {numeric}": "{place}：解析值 {analytic}，数值 {numeric}",
    "RAM {size}: {parts}": "内存 {size}：{parts}",
    "Constants {size}: {parts}": "常量 {size}：{parts}",
    "the largest loss of {count} test images: number {index}, class {name}": (
        "{count} 张测试图像中损失最大的是第 {index} 张，类别 {name}"
    ),
    "the explorer is at {url}": "探索页在 {url}",
    "Ctrl+C ends it": "按 Ctrl+C 结束",
    "recording what the page may ask for; this can take a minute": "正在录制页面可能用到的回答，可能需要一分钟",
    "{count} cases, {exact} of them exact to the last bit: {path}": "{count} 组，其中 {exact} 组精确到最后一位：{path}",
}

CELLS: dict[str, str] = {
    "class": "类别",
    "samples": "样本数",
    "precision": "精确率",
    "recall": "召回率",
    "true \\ predicted": "真实 \\ 预测",
    "true": "真实",
    "tensor": "张量",
    "checked": "已检验",
    "worst error": "最大误差",
    "at": "位置",
    "kinks": "折点",
    "name": "名称",
    "arguments": "设定",
    "output": "输出",
    "params": "参数",
    "fixed": "固定",
    "connections": "连接",
    "mult-adds": "乘加",
    "field": "感受野",
    "total": "合计",
    "shared": "共享",
    "WRONG": "有错",
}
"""Headings of tables; each keeps the columns that the English word has."""
