"""Wrong solutions, each a right one with one slip that students make, and the name that the grader should give it.

.venv/bin/python -m tests.exercises.planted     prints the table
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any
from unittest import mock

from chainrule.exercises import EXERCISES, Report, grade, sandbox
from tests.exercises.solutions import OTHERWISE, RIGHT, program

PLANTED: list[tuple[str, str, str, str, str]] = [
    # (exercise, result, mistake, what the right solution says, what this one says)
    ("neuron", "dw", "target_not_subtracted", "dy = y - t", "dy = y"),
    ("neuron", "db", "sign_flipped", "dy = y - t", "dy = t - y"),
    ("neuron", "dw", "slope_missing", "dz = dy * y * (1 - y)", "dz = dy"),
    ("neuron", "dx", "other_factor", "dz * w", "dz * x"),
    ("neuron", "dw", "square_forgotten", "y * (1 - y)", "(1 - y)"),
    ("neuron", "db", "sign_in_slope", "(1 - y)", "(1 + y)"),
    ("neuron", "dw", "factor_missing", "dz * x, dz,", "dz, dz,"),
    ("neuron-signs", "dw", "sign_of_the_update", "np.sign(y - t)", "np.sign(t - y)"),
    ("neuron-signs", "dw", "factor_missing", "dz * np.sign(x), dz", "dz, dz"),
    ("neuron-signs", "dx", "other_factor", "dz * np.sign(w)", "dz * np.sign(x)"),
    ("graph", "da", "one_path_only", "du * b + dw", "du * b"),
    ("graph", "dc", "sign_of_a_path", "dv - dw", "dv + dw"),
    ("graph", "db", "own_factor", "du * a", "du * b"),
    ("graph", "da", "paths_multiplied", "du * b + dw", "du * b * dw"),
    ("dense", "dweight", "extra_mean", "dy.T @ x", "dy.T @ x / len(x)"),
    ("dense", "dbias", "summed_over_the_wrong_axis", "axis=0", "axis=1"),
    ("dense", "dbias", "summed_over_everything", "dy.sum(axis=0)", "np.array([dy.sum()])"),
    ("dense", "dweight", "axes_exchanged", "dy.T @ x", "x.T @ dy"),
    ("dense", "dweight", "one_sample_only", "dy.T @ x", "np.outer(dy[-1], x[-1])"),
    ("dense", "dx", "slope_of_the_layer_before", "dy @ weight", "(dy @ weight) * (x > 0)"),
    ("dense", "dx", "sign_flipped", "dy @ weight", "-dy @ weight"),
    ("dense", "dweight", "weight_decay_left_in", "dy.T @ x", "dy.T @ x + 0.01 * weight"),
    ("dense", "dbias", "accumulated_twice", "dy.sum(axis=0)", "2 * dy.sum(axis=0)"),
    ("shared-bias", "dbias", "one_bias_per_output", "np.array([dy.sum()])", "dy.sum(axis=0)"),
    ("shared-bias", "dbias", "extra_mean", "dy.sum()", "dy.mean()"),
    ("shared-bias", "dbias", "right_numbers_in_another_shape", "np.array([dy.sum()])", "dy.sum()"),
    ("kronecker", "jacobian", "row_major_vec", "np.kron(a.T, np.eye(outputs))", "np.kron(np.eye(outputs), a.T)"),
    ("kronecker", "jacobian", "factor_not_transposed", "a.T", "a"),
    ("kronecker", "jacobian", "jacobian_transposed", "np.eye(outputs))", "np.eye(outputs)).T"),
    ("bias-kronecker", "jacobian", "row_major_vec", "np.ones((samples, 1)), np.eye(outputs)",
     "np.eye(outputs), np.ones((samples, 1))"),
    ("bias-kronecker", "jacobian", "jacobian_transposed", "(samples, 1)", "(1, samples)"),
    ("early-update-bug", "w1", "updated_weights", "dz1 = (w2.T @ dz2)",
     "dz1 = ((w2 - learning_rate * np.outer(dz2, h)).T @ dz2)"),
    ("early-update-bug", "w2", "uphill", "w2 - learning_rate", "w2 + learning_rate"),
    ("early-update-bug", "w1", "rate_forgotten", "w1 - learning_rate * np", "w1 - np"),
    ("sigmoid", "dx", "slope_missing", "dy * y * (1 - y)", "dy"),
    ("sigmoid", "dx", "slope_from_z", "y * (1 - y)", "x * (1 - x)"),
    ("sigmoid", "dx", "sign_in_slope", "(1 - y)", "(1 + y)"),
    ("sigmoid", "dx", "value_instead_of_slope", "dy * y * (1 - y)", "dy * y"),
    ("sigmoid", "dx", "other_slope", "y * (1 - y)", "(1 - np.tanh(x) ** 2)"),
    ("tanh", "dx", "square_forgotten", "y ** 2", "y"),
    ("tanh", "dx", "sign_in_slope", "1 - y ** 2", "1 + y ** 2"),
    ("tanh", "dx", "slope_twice", "(1 - y ** 2)", "(1 - y ** 2) ** 2"),
    ("relu", "dx", "slope_one_at_zero", "x > 0", "x >= 0"),
    ("relu", "dx", "mask_inverted", "x > 0", "x <= 0"),
    ("relu", "dx", "mask_from_gradient", "x > 0", "dy > 0"),
    ("relu", "dx", "value_instead_of_slope", "(x > 0)", "np.maximum(x, 0)"),
    ("stalling", "layers", "value_instead_of_slope", "0.25", "0.5"),
    ("stalling", "layers", "off_by_one_layer", "return count", "return count - 1"),
    ("cross-entropy", "dlogits", "missing_mean", " / len(labels)", ""),
    ("cross-entropy", "dlogits", "targets_not_subtracted", "(p - t)", "p"),
    ("cross-entropy", "dlogits", "sign_flipped", "(p - t)", "(t - p)"),
    ("cross-entropy", "dlogits", "labels_off_by_one", "labels] = 1", "(labels - 1) % logits.shape[1]] = 1"),
    ("cross-entropy", "dlogits", "slope_twice", "(p - t)", "(p - t) * p * (1 - p)"),
    ("cross-entropy", "dlogits", "logits_used_as_probabilities", "(p - t)", "(logits - t)"),
    ("half-squared-error", "dy", "missing_mean", " / len(y)", ""),
    ("half-squared-error", "dy", "accumulated_twice", "(y - t)", "2 * (y - t)"),
    ("half-squared-error", "dy", "extra_mean", "len(y)", "len(y) / y.shape[1]"),
    ("correlation-weight", "dweight", "operands_exchanged", "return dw", "return dw[:, :, ::-1, ::-1]"),
    ("correlation-weight", "dweight", "loop_ends_early",
     '"nopq,ndpq->od", dy, window)', '"nopq,ndpq->od", dy[:, :, :-1], window[:, :, :-1])'),
    ("correlation-weight", "dweight", "one_sample_only",
     '"nopq,ndpq->od", dy, window', '"nopq,ndpq->od", dy[:1], window[:1]'),
    ("correlation-weight", "dweight", "flipped_on_one_axis", "return dw", "return dw[..., ::-1]"),
    ("correlation-weight", "dweight", "extra_mean", "return dw", "return dw / len(x)"),
    ("correlation-bias", "dbias", "summed_over_the_batch_only", "axis=(0, 2, 3)", "axis=0"),
    ("correlation-bias", "dbias", "summed_over_the_places_only", "axis=(0, 2, 3)", "axis=(2, 3)"),
    ("correlation-bias", "dbias", "summed_over_one_axis_too_few", "axis=(0, 2, 3)", "axis=(0, 2)"),
    ("correlation-bias", "dbias", "summed_over_the_wrong_axis", "axis=(0, 2, 3)", "axis=(1, 2, 3)"),
    ("correlation-bias", "dbias", "extra_mean", "dy.sum(", "dy.mean("),
    ("correlation-input", "dx", "overlaps_overwritten", "+= part", "= part"),
    ("correlation-input", "dx", "kernel_not_rotated",
     "(dy[:, :, p, q], weight,", "(dy[:, :, p, q], weight[:, :, ::-1, ::-1],"),
    ("correlation-input", "dx", "kernel_flipped_on_one_axis",
     "(dy[:, :, p, q], weight,", "(dy[:, :, p, q], weight[..., ::-1],"),
    ("correlation-input", "dx", "one_filter_only",
     "(dy[:, :, p, q], weight, axes=1)", "(dy[:, -1:, p, q], weight[-1:], axes=1)"),
    ("correlation-input", "dx", "loop_ends_early", "range(H):", "range(H - 1):"),
    ("true-convolution", "dx", "kernel_rotated_wrongly", "k = weight[:, :, ::-1, ::-1]", "k = weight"),
    ("true-convolution", "dweight", "result_not_turned", "dk[:, :, ::-1, ::-1]", "dk"),
    ("true-convolution", "dx", "kernel_flipped_on_one_axis", "k = weight[:, :, ::-1, ::-1]", "k = weight[:, :, ::-1]"),
    ("convolution-matrix", "matrix", "kernel_rotated_in_the_matrix", "= weight\n", "= weight[::-1, ::-1]\n"),
    ("convolution-matrix", "matrix", "jacobian_transposed", "np.array(made)", "np.array(made).T"),
    ("convolution-matrix", "matrix", "kernel_flipped_on_one_axis", "= weight\n", "= weight[:, ::-1]\n"),
    ("rotation-bug", "dx", "kernel_not_rotated", "weight[:, :, ::-1, ::-1]", "weight"),
    ("rotation-bug", "dx", "kernel_flipped_on_one_axis", "weight[:, :, ::-1, ::-1]", "weight[..., ::-1]"),
    ("strided-input", "dx", "stride_zeros_not_restored", "p * stride, q * stride", "p, q"),
    ("strided-input", "dx", "overlaps_overwritten", "+= part", "= part"),
    ("strided-input", "dx", "kernel_not_rotated",
     "(dy[:, :, p, q], weight,", "(dy[:, :, p, q], weight[:, :, ::-1, ::-1],"),
    ("dilated-weight", "dweight", "dilation_ignored", "i * dilation, j * dilation", "i, j"),
    ("dilated-weight", "dweight", "padding_forgotten", "(P, P), (P, P)", "(0, 2 * P), (0, 2 * P)"),
    ("dilated-weight", "dweight", "operands_exchanged", "return dw", "return dw[:, :, ::-1, ::-1]"),
    ("groups", "dweight", "operands_exchanged", "return dx, dw", "return dx, dw[:, :, ::-1, ::-1]"),
    ("groups", "dx", "kernel_not_rotated", "d, weight[f])", "d, weight[f][..., ::-1, ::-1])"),
    ("groups", "dx", "overlaps_overwritten", "] += np.einsum(\"no,odij->ndij\"", "] = np.einsum(\"no,odij->ndij\""),
    ("output-size", "size", "one_forgotten", " + 1\n", "\n"),
    ("output-size", "size", "dilation_ignored", "dilation * (kernel - 1) + 1", "kernel"),
    ("output-size", "size", "padding_on_one_side", "2 * padding", "padding"),
    ("output-size", "size", "dilation_times_kernel", "dilation * (kernel - 1) + 1", "dilation * kernel"),
    ("output-size", "size", "rounded_up", "(size + 2 * padding - reach) // stride",
     "-(-(size + 2 * padding - reach) // stride)"),
    ("max-pooling", "dx", "always_the_top_left", "window.argmax()", "0"),
    ("max-pooling", "dx", "minimum_instead_of_maximum", "argmax", "argmin"),
    ("max-pooling", "dx", "winner_transposed", "i, j = np", "j, i = np"),
    ("max-pooling", "dx", "largest_magnitude_wins", "window.argmax()", "np.abs(window).argmax()"),
    ("max-pooling", "dx", "another_maximum_wins",
     "window.argmax()",
     "(window.size - 1 - window.ravel()[::-1].argmax())"),
    ("max-pooling", "dx", "multiplied_by_the_value", "= dy[n, d, p, q]", "= dy[n, d, p, q] * window[i, j]"),
    ("mean-pooling", "dx", "everyone_gets_it", " / kernel ** 2", ""),
    ("mean-pooling", "dx", "one_place_of_the_window", ": H * kernel, : W * kernel] = spread",
     ": H * kernel : kernel, : W * kernel : kernel] = dy"),
    ("overlap-bug", "dx", "every_maximum_gets_it",
     "dx[n, d, p * stride + row, q * stride + column] += dy[n, d, p, q]",
     "dx[n, d, p * stride : p * stride + kernel, q * stride : q * stride + kernel] += "
     "(window == window.max()) * dy[n, d, p, q]"),
    ("parameters", "parameters", "bias_forgotten", "(filters if bias else 0)", "0"),
    ("parameters", "parameters", "groups_ignored", "(channels // groups)", "channels"),
    ("parameters", "parameters", "channels_forgotten", "filters * (channels // groups) * kernel", "filters * kernel"),
    ("parameters", "parameters", "one_bias_for_all", "(filters if bias", "(1 if bias"),
    ("multiply-adds", "multiply_adds", "places_of_the_input", "side ** 2", "size ** 2"),
    ("multiply-adds", "multiply_adds", "bias_counted", "channels * kernel ** 2", "(channels * kernel ** 2 + 1)"),
    ("multiply-adds", "multiply_adds", "filters_forgotten", "filters * channels", "channels"),
    ("receptive-field", "pixels", "strides_ignored", "* j\n", "\n"),
    ("receptive-field", "pixels", "own_stride_included", "r += (kernel - 1) * j\n        j *= stride",
     "j *= stride\n        r += (kernel - 1) * j"),
    ("receptive-field", "pixels", "from_the_wrong_end", "in layers", "in layers[::-1]"),
    ("connection-table", "parameters", "bias_for_each_link", "kernel ** 2 + filters", "(kernel ** 2 + 1)"),
    ("connection-table", "parameters", "table_ignored", "int(np.sum(table))", "maps * filters"),
    ("connection-table", "connections", "places_of_the_input", "(size - kernel + 1)", "size"),
    ("image-size", "cnn", "maps_not_flattened", "16 * side ** 2", "side ** 2"),
    ("image-size", "cnn", "same_padding_assumed", "(size - 4) // 2\n    side = (side - 4) // 2", "size // 4"),
    ("image-size", "dense", "channels_forgotten", "(channels * size", "(size"),
    ("batch-norm", "dx", "statistics_taken_as_constants",
     "dy - dy.mean(axis=axes, keepdims=True) - h * (dy * h).mean(axis=axes, keepdims=True)", "dy"),
    ("batch-norm", "dx", "path_through_the_mean_forgotten", "dy - dy.mean(axis=axes, keepdims=True)", "dy"),
    ("batch-norm", "dx", "weight_forgotten", "w / s", "1 / s"),
    ("batch-norm", "dweight", "input_instead_of_normalised", "(dy * h).sum", "(dy * x).sum"),
    ("batch-norm", "dbias", "batch_axis_only", "dy.sum(axis=axes)", "dy.sum(axis=0)"),
    ("residual", "dx", "shortcut_forgotten", "dy + dz @ weight", "dz @ weight"),
    ("residual", "dx", "weight_transposed", "dz @ weight", "dz @ weight.T"),
    ("residual", "dweight", "mask_from_input", "(z > 0)", "(x > 0)"),
    ("concat", "da", "one_path_only", "da[:, :k] += dy[:, m + n :]", "pass"),
    ("concat", "db", "overlaps_overwritten", "db[:, :k] +=", "db[:, :k] ="),
    ("concat", "da", "at_the_other_end", "da[:, :k] +=", "da[:, m - k :] +="),
    # Slips that the grader did not know at first.
    ("neuron", "dw", "bias_left_out", "-(w * x + b)", "-(w * x)"),
    ("graph", "da", "wrong_branch", "du = dv", "du = dw"),
    ("cross-entropy", "dlogits", "softmax_over_the_wrong_axis", "p.sum(axis=1, keepdims=True)", "p.sum()"),
    ("strided-input", "dx", "stride_zeros_not_restored", "p * stride, q * stride", "p * stride, q"),
    ("dilated-weight", "dweight", "dilation_ignored", "i * dilation, j * dilation", "i, j * dilation"),
    ("receptive-field", "pixels", "kernel_not_less_one", "(kernel - 1) * j", "kernel * j"),
    ("batch-norm", "dx", "normalised_factor_forgotten", "h * (dy * h).mean", "(dy * h).mean"),
    ("batch-norm", "dx", "sum_instead_of_mean", "- dy.mean(", "- dy.sum("),
    ("residual", "dweight", "gradient_instead_of_input", "dz.T @ x", "dz.T @ dy"),
    ("rbf", "dx", "sum_instead_of_difference", ":] - centres", ":] + centres"),
    ("batch-norm", "dx", "eps_forgotten", " + eps)", ")"),
    ("batch-norm", "dweight", "eps_outside_the_root", "np.sqrt(x.var(axis=axes, keepdims=True) + eps)",
     "x.std(axis=axes, keepdims=True) + eps"),
    ("groups", "dweight", "groups_interleaved", "slice(g * N, (g + 1) * N)", "slice(g, None, groups)"),
    ("mean-pooling", "dx", "missing_mean", "/ kernel ** 2", "/ kernel"),
    ("residual", "dx", "mask_from_output", "(z > 0)", "(z + x > 0)"),
    ("residual", "dweight", "forward_weight_transposed", "z = x @ weight.T", "z = x @ weight"),
    ("receptive-field", "pixels", "stride_on_the_whole", "r += (kernel - 1) * j", "r = r * stride + kernel"),
    ("half-squared-error", "dy", "not_differentiated", "(y - t)", "(y - t) ** 2"),
    ("max-pooling", "dx", "one_sample_only", "dx[n, d,", "dx[0, d,"),
    ("max-pooling", "dx", "window_start_forgotten", "p * kernel + i, q * kernel + j", "p + i, q + j"),
    ("early-update-bug", "w1", "slope_of_the_output_missing", "(y - t) * y * (1 - y)", "(y - t)"),
    ("early-update-bug", "w1", "slope_of_the_hidden_missing", " * h * (1 - h)", ""),
    ("neuron", "dw", "loss_instead_of_its_slope", "y - t", "(y - t) ** 2 / 2"),
    ("rbf", "dx", "square_not_differentiated", "dy, away)\n", "dy, away ** 2)\n"),
    ("multiply-adds", "multiply_adds", "padding_on_one_side", "2 * padding", "padding"),
    ("sigmoid", "dx", "brackets_missing", "y * (1 - y)", "y * 1 - y"),
    ("dropout", "dx", "scale_missing", " / (1 - p)", ""),
    ("dropout", "dx", "mask_missing", "dy * mask", "dy"),
    ("dropout", "dx", "scale_multiplied", "/ (1 - p)", "* (1 - p)"),
    ("rbf", "dx", "factor_two_missing", "dx = 2 * ", "dx = "),
    ("rbf", "dcentres", "sign_flipped", "-2 *", "2 *"),
    ("rbf", "dx", "as_a_dense_layer", '2 * np.einsum("no,noi->ni", dy, away)', "dy @ centres"),
    ("gradient-check", "gradient", "divided_by_one_step", "(2 * step)", "step"),
    ("gradient-check", "gradient", "one_sided",
     "kept - step\n        below = f(point)\n        point[i] = kept\n        "
     "g[i] = (above - below) / (2 * step)", "kept\n        g[i] = (above - f(point)) / step"),
    ("gradient-check", "gradient", "point_not_restored", "        point[i] = kept\n", ""),
    ("im2col", "columns", "kernel_columns_first", "q : q + kw].ravel()", "q : q + kw].swapaxes(1, 2).ravel()"),
    ("im2col", "columns", "channels_last", "q : q + kw].ravel()", "q : q + kw].transpose(1, 2, 0).ravel()"),
    ("im2col", "columns", "stride_ignored", "+ 1, stride)", "+ 1)"),
    ("winograd", "multiplications", "only_whole_tiles", "-(-rows // tile) * -(-columns // tile)",
     "(rows // tile) * (columns // tile)"),
    ("winograd", "multiplications", "one_dimension_only", "(tile + kernel - 1) ** 2", "(tile + kernel - 1)"),
]  # fmt: skip


def solve(name: str, text: str, seed: int = 7) -> Report:
    """The report on a program, which runs in this process: it is known to end."""
    names: dict[str, Any] = {}
    exec(compile(text, f"{name}.py", "exec"), names)
    with mock.patch.object(sandbox, "FORKS", False):
        return grade(name, names[EXERCISES[name].function], seed=seed)


def wrong(name: str, old: str, new: str) -> str:
    """The right program with one slip."""
    assert old in RIGHT[name], (name, old)
    return RIGHT[name].replace(old, new)


def right_ones() -> list[tuple[str, str, str]]:
    """(exercise, how it is written, program) of every right solution."""
    plain = [(name, "plainly", text) for name, text in RIGHT.items()]
    return plain + [(name, how, program(body)) for name, how, body in OTHERWISE]


def main() -> int:
    """Print how many wrong solutions are named, and how many right ones refused."""
    named, lost = Counter[str](), []
    for name, result, mistake, old, new in PLANTED:
        found = solve(name, wrong(name, old, new)).verdicts[0].mistakes.get(result, ())[:3]
        named[EXERCISES[name].kind] += mistake in found
        if mistake not in found:
            lost.append(f"  {name}, {result}: {mistake} was called {', '.join(found) or 'nothing'}")
    right = right_ones()
    refused = [f"  {name}, {how}" for name, how, text in right if not solve(name, text).ok]
    print(f"{'kind':<10}{'planted':>9}{'named':>7}")
    for kind, count in Counter(EXERCISES[name].kind for name, *_ in PLANTED).items():
        print(f"{kind:<10}{count:>9}{named[kind]:>7}")
    share = 100 * named.total() / len(PLANTED)
    print(f"{'all':<10}{len(PLANTED):>9}{named.total():>7}   {share:.1f} %", *lost, sep="\n")
    written = f"right solutions: {len(right)}, {len(OTHERWISE)} of them written otherwise"
    print(f"{written}; refused: {len(refused)}", *refused, sep="\n")
    return int(bool(refused) or share < 95)


if __name__ == "__main__":
    sys.exit(main())
