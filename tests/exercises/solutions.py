"""Right solutions as students write them, each exercise at least once. They live here, not in the package."""

from __future__ import annotations

import textwrap

from chainrule.exercises import EXERCISES


def program(body: str) -> str:
    return f"import numpy as np\n\n{textwrap.dedent(body).strip()}\n"


RIGHT: dict[str, str] = {
    "neuron": """
        def neuron_backward(x, w, b, t):
            y = 1 / (1 + np.exp(-(w * x + b)))
            dy = y - t
            dz = dy * y * (1 - y)
            return dz * x, dz, dz * w
    """,
    "neuron-signs": """
        def neuron_signs(x, w, y, t):
            dz = np.sign(y - t)
            return dz * np.sign(x), dz, dz * np.sign(w)
    """,
    "graph": """
        def graph_backward(a, b, c):
            u = a * b
            v = u + c
            w = a - c
            dv, dw = w, v
            du = dv
            da = du * b + dw
            db = du * a
            dc = dv - dw
            return da, db, dc
    """,
    "dense": """
        def dense_backward(x, weight, dy):
            dx = dy @ weight
            dweight = dy.T @ x
            dbias = dy.sum(axis=0)
            return dx, dweight, dbias
    """,
    "shared-bias": """
        def shared_bias_gradient(dy):
            return np.array([dy.sum()])
    """,
    "kronecker": """
        def weight_jacobian(a, outputs):
            return np.kron(a.T, np.eye(outputs))
    """,
    "bias-kronecker": """
        def bias_jacobian(outputs, samples):
            return np.kron(np.ones((samples, 1)), np.eye(outputs))
    """,
    "early-update-bug": """
        def sigmoid(z):
            return 1 / (1 + np.exp(-z))

        def train_step(x, w1, w2, t, learning_rate):
            h = sigmoid(w1 @ x)
            y = sigmoid(w2 @ h)
            dz2 = (y - t) * y * (1 - y)
            dz1 = (w2.T @ dz2) * h * (1 - h)
            new2 = w2 - learning_rate * np.outer(dz2, h)
            new1 = w1 - learning_rate * np.outer(dz1, x)
            return new1, new2
    """,
    "sigmoid": """
        def sigmoid_backward(x, dy):
            y = 1 / (1 + np.exp(-x))
            return dy * y * (1 - y)
    """,
    "tanh": """
        def tanh_backward(x, dy):
            y = np.tanh(x)
            return dy * (1 - y ** 2)
    """,
    "relu": """
        def relu_backward(x, dy):
            return dy * (x > 0)
    """,
    "stalling": """
        def layers_until(share):
            left, count = 1.0, 0
            while left >= share:
                left = left * 0.25
                count += 1
            return count
    """,
    "cross-entropy": """
        def cross_entropy_backward(logits, labels):
            shifted = logits - logits.max(axis=1, keepdims=True)
            p = np.exp(shifted)
            p = p / p.sum(axis=1, keepdims=True)
            t = np.zeros_like(p)
            t[np.arange(len(labels)), labels] = 1
            return (p - t) / len(labels)
    """,
    "half-squared-error": """
        def half_squared_error_backward(y, t):
            return (y - t) / len(y)
    """,
    "correlation-weight": """
        def weight_gradient(x, dy):
            kh, kw = x.shape[2] - dy.shape[2] + 1, x.shape[3] - dy.shape[3] + 1
            dw = np.zeros((dy.shape[1], x.shape[1], kh, kw))
            for i in range(kh):
                for j in range(kw):
                    window = x[:, :, i : i + dy.shape[2], j : j + dy.shape[3]]
                    dw[:, :, i, j] = np.einsum("nopq,ndpq->od", dy, window)
            return dw
    """,
    "correlation-bias": """
        def bias_gradient(dy):
            return dy.sum(axis=(0, 2, 3))
    """,
    "correlation-input": """
        def input_gradient(dy, weight):
            n, filters, H, W = dy.shape
            kh, kw = weight.shape[2:]
            dx = np.zeros((n, weight.shape[1], H + kh - 1, W + kw - 1))
            for p in range(H):
                for q in range(W):
                    part = np.tensordot(dy[:, :, p, q], weight, axes=1)
                    dx[:, :, p : p + kh, q : q + kw] += part
            return dx
    """,
    "true-convolution": """
        def true_convolution_backward(x, weight, dy):
            k = weight[:, :, ::-1, ::-1]
            dx, dk = np.zeros_like(x), np.zeros_like(weight)
            kh, kw = weight.shape[2:]
            for p in range(dy.shape[2]):
                for q in range(dy.shape[3]):
                    d = dy[:, :, p, q]
                    dx[:, :, p : p + kh, q : q + kw] += np.tensordot(d, k, axes=1)
                    dk += np.tensordot(d.T, x[:, :, p : p + kh, q : q + kw], axes=1)
            return dx, dk[:, :, ::-1, ::-1]
    """,
    "convolution-matrix": """
        def correlation_matrix(weight, rows, columns):
            kh, kw = weight.shape
            made = []
            for p in range(rows - kh + 1):
                for q in range(columns - kw + 1):
                    row = np.zeros((rows, columns))
                    row[p : p + kh, q : q + kw] = weight
                    made.append(row.ravel())
            return np.array(made)
    """,
    "rotation-bug": """
        def rotated_input_gradient(dy, weight):
            n, filters, down, across = dy.shape
            channels, kernel_rows, kernel_columns = weight.shape[1:]
            rows, columns = down + kernel_rows - 1, across + kernel_columns - 1
            padded = np.pad(dy, ((0, 0), (0, 0), (kernel_rows - 1,) * 2, (kernel_columns - 1,) * 2))
            turned = weight[:, :, ::-1, ::-1]
            dx = np.zeros((n, channels, rows, columns))
            for r in range(rows):
                for c in range(columns):
                    window = padded[:, :, r : r + kernel_rows, c : c + kernel_columns]
                    dx[:, :, r, c] = np.einsum("noij,odij->nd", window, turned)
            return dx
    """,
    "strided-input": """
        def strided_input_gradient(dy, weight, stride, size):
            n, filters, H, W = dy.shape
            kh, kw = weight.shape[2:]
            dx = np.zeros((n, weight.shape[1], *size))
            for p in range(H):
                for q in range(W):
                    top, left = p * stride, q * stride
                    part = np.tensordot(dy[:, :, p, q], weight, axes=1)
                    dx[:, :, top : top + kh, left : left + kw] += part
            return dx
    """,
    "dilated-weight": """
        def dilated_weight_gradient(x, dy, dilation, padding):
            P = padding
            x = np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)))
            H, W = dy.shape[2:]
            kh, kw = ((s - m) // dilation + 1 for s, m in zip(x.shape[2:], (H, W)))
            dw = np.zeros((dy.shape[1], x.shape[1], kh, kw))
            for i in range(kh):
                for j in range(kw):
                    top, left = i * dilation, j * dilation
                    window = x[:, :, top : top + H, left : left + W]
                    dw[:, :, i, j] = np.einsum("nopq,ndpq->od", dy, window)
            return dw
    """,
    "groups": """
        def grouped_backward(x, weight, dy, groups):
            dx, dw = np.zeros_like(x), np.zeros_like(weight)
            D, N = x.shape[1] // groups, dy.shape[1] // groups
            kh, kw = weight.shape[2:]
            for g in range(groups):
                c, f = slice(g * D, (g + 1) * D), slice(g * N, (g + 1) * N)
                for p in range(dy.shape[2]):
                    for q in range(dy.shape[3]):
                        d = dy[:, f, p, q]
                        window = x[:, c, p : p + kh, q : q + kw]
                        dx[:, c, p : p + kh, q : q + kw] += np.einsum("no,odij->ndij", d, weight[f])
                        dw[f] += np.einsum("no,ndij->odij", d, window)
            return dx, dw
    """,
    "output-size": """
        def output_size(size, kernel, stride, padding, dilation):
            reach = dilation * (kernel - 1) + 1
            return (size + 2 * padding - reach) // stride + 1
    """,
    "max-pooling": """
        def max_pool_backward(x, dy, kernel):
            dx = np.zeros_like(x)
            for n, d, p, q in np.ndindex(*dy.shape):
                window = x[n, d, p * kernel : (p + 1) * kernel, q * kernel : (q + 1) * kernel]
                i, j = np.unravel_index(window.argmax(), window.shape)
                dx[n, d, p * kernel + i, q * kernel + j] = dy[n, d, p, q]
            return dx
    """,
    "mean-pooling": """
        def mean_pool_backward(dy, kernel, size):
            n, d, H, W = dy.shape
            dx = np.zeros((n, d, *size))
            spread = np.repeat(np.repeat(dy, kernel, axis=2), kernel, axis=3)
            dx[:, :, : H * kernel, : W * kernel] = spread / kernel ** 2
            return dx
    """,
    "overlap-bug": """
        def overlapping_pool_backward(x, dy, kernel, stride):
            dx = np.zeros_like(x)
            for n, d, p, q in np.ndindex(*dy.shape):
                window = x[n, d, p * stride : p * stride + kernel, q * stride : q * stride + kernel]
                row, column = np.unravel_index(window.argmax(), window.shape)
                dx[n, d, p * stride + row, q * stride + column] += dy[n, d, p, q]
            return dx
    """,
    "parameters": """
        def convolution_parameters(channels, filters, kernel, groups, bias):
            weights = filters * (channels // groups) * kernel ** 2
            return weights + (filters if bias else 0)
    """,
    "multiply-adds": """
        def multiply_adds(size, channels, filters, kernel, stride, padding):
            side = (size + 2 * padding - kernel) // stride + 1
            return side ** 2 * filters * channels * kernel ** 2
    """,
    "receptive-field": """
        def receptive_field(layers):
            r, j = 1, 1
            for kernel, stride in layers:
                r += (kernel - 1) * j
                j *= stride
            return r
    """,
    "connection-table": """
        def table_counts(table, kernel, size):
            maps, filters = np.shape(table)
            parameters = int(np.sum(table)) * kernel ** 2 + filters
            places = (size - kernel + 1) ** 2
            return parameters, parameters * places
    """,
    "image-size": """
        def parameters_by_image_size(size, channels):
            dense = (channels * size ** 2 + 1) * 100 + 101 * 10
            side = (size - 4) // 2
            side = (side - 4) // 2
            convolutions = (25 * channels + 1) * 6 + (25 * 6 + 1) * 16
            return dense, convolutions + (16 * side ** 2 + 1) * 10
    """,
    "batch-norm": """
        def batch_norm_backward(x, weight, dy, eps):
            axes = (0, 2, 3)
            w = weight[None, :, None, None]
            s = np.sqrt(x.var(axis=axes, keepdims=True) + eps)
            h = (x - x.mean(axis=axes, keepdims=True)) / s
            inner = dy - dy.mean(axis=axes, keepdims=True) - h * (dy * h).mean(axis=axes, keepdims=True)
            return w / s * inner, (dy * h).sum(axis=axes), dy.sum(axis=axes)
    """,
    "residual": """
        def residual_backward(x, weight, dy):
            z = x @ weight.T
            dz = dy * (z > 0)
            dx = dy + dz @ weight
            return dx, dz.T @ x
    """,
    "concat": """
        def concat_backward(a, b, dy):
            m, n = a.shape[1], b.shape[1]
            k = min(m, n)
            da = dy[:, :m].copy()
            db = dy[:, m : m + n].copy()
            da[:, :k] += dy[:, m + n :]
            db[:, :k] += dy[:, m + n :]
            return da, db
    """,
    "dropout": """
        def dropout_backward(mask, dy, p):
            return dy * mask / (1 - p)
    """,
    "rbf": """
        def rbf_backward(x, centres, dy):
            away = x[:, None, :] - centres[None]
            dx = 2 * np.einsum("no,noi->ni", dy, away)
            dc = -2 * np.einsum("no,noi->oi", dy, away)
            return dx, dc
    """,
    "gradient-check": """
        def numerical_gradient(f, x, step):
            g = np.zeros_like(x)
            point = x.copy()
            for i in np.ndindex(*x.shape):
                kept = point[i]
                point[i] = kept + step
                above = f(point)
                point[i] = kept - step
                below = f(point)
                point[i] = kept
                g[i] = (above - below) / (2 * step)
            return g
    """,
    "im2col": """
        def windows_as_rows(x, kernel, stride):
            kh, kw = kernel
            rows = []
            for n in range(len(x)):
                for p in range(0, x.shape[2] - kh + 1, stride):
                    for q in range(0, x.shape[3] - kw + 1, stride):
                        rows.append(x[n, :, p : p + kh, q : q + kw].ravel())
            return np.array(rows)
    """,
    "winograd": """
        def winograd_multiplications(rows, columns, tile, kernel):
            tiles = -(-rows // tile) * -(-columns // tile)
            return tiles * (tile + kernel - 1) ** 2
    """,
}
RIGHT = {name: program(body) for name, body in RIGHT.items()}

OTHERWISE: list[tuple[str, str, str]] = [
    ("neuron", "chain rule term by term, math instead of numpy", """
        import math
        def neuron_backward(x, w, b, t):
            z = b + x * w
            e = math.exp(-z)
            slope = e / (1 + e) ** 2
            down = (1 / (1 + e) - t) * slope
            return [down * x, down, down * w]
    """),
    ("graph", "expanded by hand", """
        def graph_backward(a, b, c):
            return 2 * a * b + c - b * c, a * a - a * c, a - 2 * c - a * b
    """),
    ("graph", "a small tape", """
        def graph_backward(a, b, c):
            g = dict.fromkeys("abcuvw", 0.0)
            v, w = a * b + c, a - c
            g["v"] += w; g["w"] += v
            g["u"] += g["v"]; g["c"] += g["v"]
            g["a"] += g["w"]; g["c"] -= g["w"]
            g["a"] += g["u"] * b; g["b"] += g["u"] * a
            return g["a"], g["b"], g["c"]
    """),
    ("dense", "loops and lists", """
        def dense_backward(x, weight, dy):
            n, o, i = len(x), len(weight), len(weight[0])
            dx = [[sum(dy[s][k] * weight[k][j] for k in range(o)) for j in range(i)] for s in range(n)]
            dw = [[sum(dy[s][k] * x[s][j] for s in range(n)) for j in range(i)] for k in range(o)]
            db = [sum(dy[s][k] for s in range(n)) for k in range(o)]
            return dx, dw, db
    """),
    ("dense", "einsum", """
        def dense_backward(x, weight, dy):
            return np.einsum("no,oi->ni", dy, weight), np.einsum("no,ni->oi", dy, x), np.einsum("no->o", dy)
    """),
    ("dense", "in float32", """
        def dense_backward(x, weight, dy):
            x, weight, dy = (v.astype(np.float32) for v in (x, weight, dy))
            return dy @ weight, dy.T @ x, dy.sum(axis=0)
    """),
    ("dense", "sums of outer products, sample by sample", """
        def dense_backward(x, weight, dy):
            dw, db, dx = np.zeros_like(weight), np.zeros(len(weight)), []
            for row, d in zip(x, dy):
                dw += np.outer(d, row)
                db += d
                dx.append(weight.T @ d)
            return np.stack(dx), dw, db
    """),
    ("dense", "by Kronecker products", """
        def dense_backward(x, weight, dy):
            o, i = weight.shape
            vec = lambda m: m.T.reshape(-1)
            dw = (np.kron(x.T, np.eye(o)) @ vec(dy.T)).reshape(i, o).T
            dx = (np.kron(np.eye(len(x)), weight.T) @ vec(dy.T)).reshape(len(x), i)
            return dx, dw, dy.T @ np.ones(len(x))
    """),
    ("shared-bias", "a list", "def shared_bias_gradient(dy):\n    return [float(np.sum(dy))]"),
    ("kronecker", "entry by entry", """
        def weight_jacobian(a, outputs):
            n, m = a.shape
            J = np.zeros((outputs * m, outputs * n))
            for s in range(m):
                for i in range(n):
                    for o in range(outputs):
                        J[s * outputs + o, i * outputs + o] = a[i, s]
            return J
    """),
    ("bias-kronecker", "identity matrices under one another", """
        def bias_jacobian(outputs, samples):
            return np.vstack([np.eye(outputs)] * samples)
    """),
    ("sigmoid", "from x alone", """
        def sigmoid_backward(x, dy):
            return dy / (2 + np.exp(x) + np.exp(-x))
    """),
    ("sigmoid", "by tanh", "def sigmoid_backward(x, dy):\n    return dy / 4 / np.cosh(x / 2) ** 2"),
    ("tanh", "by cosh", "def tanh_backward(x, dy):\n    return dy / np.cosh(x) ** 2"),
    ("relu", "where", "def relu_backward(x, dy):\n    return np.where(x <= 0, 0.0, dy)"),
    ("relu", "a copy with zeros", """
        def relu_backward(x, dy):
            dx = dy.copy()
            dx[x <= 0] = 0
            return dx
    """),
    ("stalling", "by logarithms", """
        def layers_until(share):
            from fractions import Fraction
            n = int(np.floor(np.log(share) / np.log(0.25)))
            while Fraction(1, 4) ** n >= Fraction(share):
                n += 1
            return np.int64(n)
    """),
    ("cross-entropy", "with logsumexp, in place on a copy", """
        def cross_entropy_backward(logits, labels):
            top = logits.max(axis=1)
            log_sum = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
            g = np.exp(logits - log_sum[:, None])
            for row, label in enumerate(labels):
                g[row, label] -= 1.0
            return g / logits.shape[0]
    """),
    ("cross-entropy", "by the Jacobian of softmax", """
        def cross_entropy_backward(logits, labels):
            out = []
            for z, k in zip(logits, labels):
                e = np.exp(z - max(z))
                p = e / sum(e)
                jacobian = np.diag(p) - np.outer(p, p)
                by_p = -1 / p[k] if p[k] > 1e-200 else 0.0
                row = jacobian[k] * by_p if by_p else p - np.eye(len(p))[k]
                out.append(row / len(labels))
            return out
    """),
    ("half-squared-error", "minus (t - y)", "def half_squared_error_backward(y, t):\n    return -(t - y) / y.shape[0]"),
    ("correlation-weight", "seven loops", """
        def weight_gradient(x, dy):
            N, D, R, C = x.shape
            _, O, H, W = dy.shape
            dw = np.zeros((O, D, R - H + 1, C - W + 1))
            for n in range(N):
                for o in range(O):
                    for d in range(D):
                        for i in range(R - H + 1):
                            for j in range(C - W + 1):
                                for p in range(H):
                                    for q in range(W):
                                        dw[o, d, i, j] += dy[n, o, p, q] * x[n, d, p + i, q + j]
            return dw
    """),
    ("correlation-weight", "sliding windows and einsum", """
        def weight_gradient(x, dy):
            v = np.lib.stride_tricks.sliding_window_view(x, dy.shape[2:], axis=(2, 3))
            return np.einsum("ndijpq,nopq->odij", v, dy, optimize=True)
    """),
    ("correlation-weight", "by FFT", """
        def weight_gradient(x, dy):
            s = x.shape[2:]
            X, Y = np.fft.rfft2(x, s), np.fft.rfft2(dy, s)
            full = np.fft.irfft2(np.einsum("ndab,noab->odab", X, Y.conj()), s)
            return full[:, :, : s[0] - dy.shape[2] + 1, : s[1] - dy.shape[3] + 1]
    """),
    ("correlation-bias", "a product with ones", """
        def bias_gradient(dy):
            n, o = dy.shape[:2]
            return np.ones(n) @ dy.reshape(n, o, -1).sum(axis=2)
    """),
    ("correlation-input", "full correlation with the rotated kernel", """
        def input_gradient(dy, weight):
            kh, kw = weight.shape[2:]
            padded = np.pad(dy, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
            v = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
            return np.einsum("norcij,odij->ndrc", v, np.rot90(weight, 2, axes=(2, 3)), optimize=True)
    """),
    ("correlation-input", "one tap at a time", """
        def input_gradient(dy, weight):
            n, o, H, W = dy.shape
            _, d, kh, kw = weight.shape
            dx = np.zeros((n, d, H + kh - 1, W + kw - 1))
            for i in range(kh):
                for j in range(kw):
                    dx[:, :, i : i + H, j : j + W] += np.einsum("nopq,od->ndpq", dy, weight[:, :, i, j])
            return dx
    """),
    ("correlation-input", "by the transpose of its matrix", """
        def input_gradient(dy, weight):
            n, o, H, W = dy.shape
            _, d, kh, kw = weight.shape
            R, C = H + kh - 1, W + kw - 1
            M = np.zeros((o, H, W, d, R, C))
            for p in range(H):
                for q in range(W):
                    M[:, p, q, :, p : p + kh, q : q + kw] = weight
            M = M.reshape(o * H * W, d * R * C)
            return (dy.reshape(n, -1) @ M).reshape(n, d, R, C)
    """),
    ("true-convolution", "by taps that run backwards", """
        def true_convolution_backward(x, weight, dy):
            H, W = dy.shape[2:]
            K, M = weight.shape[2:]
            dx, dw = np.zeros(x.shape), np.zeros(weight.shape)
            for i in range(K):
                for j in range(M):
                    r, c = K - 1 - i, M - 1 - j
                    dx[:, :, r : r + H, c : c + W] += np.einsum("nopq,od->ndpq", dy, weight[:, :, i, j])
                    dw[:, :, i, j] = np.einsum("nopq,ndpq->od", dy, x[:, :, r : r + H, c : c + W])
            return dx, dw
    """),
    ("convolution-matrix", "indices", """
        def correlation_matrix(weight, rows, columns):
            kh, kw = weight.shape
            H, W = rows - kh + 1, columns - kw + 1
            C = np.zeros((H * W, rows * columns))
            for k in range(H * W):
                p, q = divmod(k, W)
                for i in range(kh):
                    for j in range(kw):
                        C[k, (p + i) * columns + q + j] = weight[i, j]
            return C
    """),
    ("strided-input", "zeros restored, then a full correlation", """
        def strided_input_gradient(dy, weight, stride, size):
            n, o, H, W = dy.shape
            kh, kw = weight.shape[2:]
            wide = np.zeros((n, o, size[0] + kh - 1, size[1] + kw - 1))
            wide[:, :, kh - 1 : kh - 1 + H * stride : stride, kw - 1 : kw - 1 + W * stride : stride] = dy
            v = np.lib.stride_tricks.sliding_window_view(wide, (kh, kw), axis=(2, 3))
            return np.einsum("norcij,odij->ndrc", v, weight[:, :, ::-1, ::-1])
    """),
    ("dilated-weight", "strided views", """
        def dilated_weight_gradient(x, dy, dilation, padding):
            x = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
            v = np.lib.stride_tricks.sliding_window_view(x, dy.shape[2:], axis=(2, 3))[:, :, ::dilation, ::dilation]
            return np.tensordot(dy, v, axes=((0, 2, 3), (0, 4, 5)))
    """),
    ("groups", "as one dense layer with a mask", """
        def grouped_backward(x, weight, dy, groups):
            n, D, R, C = x.shape
            O, d, kh, kw = weight.shape
            whole = np.zeros((O, D, kh, kw))
            for o in range(O):
                g = o * groups // O
                whole[o, g * d : (g + 1) * d] = weight[o]
            v = np.lib.stride_tricks.sliding_window_view(x, dy.shape[2:], axis=(2, 3))
            every = np.einsum("ndijpq,nopq->odij", v, dy)
            dw = np.stack([every[o, o * groups // O * d : (o * groups // O + 1) * d] for o in range(O)])
            dx = np.zeros(x.shape)
            for i in range(kh):
                for j in range(kw):
                    part = np.einsum("nopq,od->ndpq", dy, whole[:, :, i, j])
                    dx[:, :, i : i + dy.shape[2], j : j + dy.shape[3]] += part
            return dx, dw
    """),
    ("output-size", "by walking", """
        def output_size(size, kernel, stride, padding, dilation):
            place, count = -padding, 0
            while place + dilation * (kernel - 1) < size + padding:
                place += stride
                count += 1
            return count
    """),
    ("max-pooling", "reshaped blocks", """
        def max_pool_backward(x, dy, kernel):
            n, d, H, W = dy.shape
            blocks = x[:, :, : H * kernel, : W * kernel].reshape(n, d, H, kernel, W, kernel).swapaxes(3, 4)
            flat = blocks.reshape(n, d, H, W, -1)
            hot = (np.arange(kernel**2) == flat.argmax(axis=-1)[..., None]) * dy[..., None]
            dx = np.zeros(x.shape)
            dx[:, :, : H * kernel, : W * kernel] = (
                hot.reshape(n, d, H, W, kernel, kernel).swapaxes(3, 4).reshape(n, d, H * kernel, W * kernel))
            return dx
    """),
    ("mean-pooling", "Kronecker product with ones", """
        def mean_pool_backward(dy, kernel, size):
            spread = np.kron(dy, np.ones((1, 1, kernel, kernel))) / kernel / kernel
            bottom, right = size[0] - spread.shape[2], size[1] - spread.shape[3]
            return np.pad(spread, ((0, 0), (0, 0), (0, bottom), (0, right)))
    """),
    ("overlap-bug", "np.add.at", """
        def overlapping_pool_backward(x, dy, kernel, stride):
            v = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
            best = v.reshape(*v.shape[:4], -1).argmax(axis=-1)
            n, d, p, q = np.indices(best.shape)
            dx = np.zeros(x.shape)
            np.add.at(dx, (n, d, p * stride + best // kernel, q * stride + best % kernel), dy)
            return dx
    """),
    ("receptive-field", "from the end", """
        def receptive_field(layers):
            pixels = 1
            for kernel, stride in reversed(layers):
                pixels = (pixels - 1) * stride + kernel
            return pixels
    """),
    ("batch-norm", "by three nodes of a graph", """
        def batch_norm_backward(x, weight, dy, eps):
            m = x.size // x.shape[1]
            flat = lambda v: np.moveaxis(v, 1, 0).reshape(x.shape[1], m)
            X, D = flat(x), flat(dy)
            mu = X.mean(axis=1, keepdims=True)
            var = ((X - mu) ** 2).mean(axis=1, keepdims=True)
            inv = (var + eps) ** -0.5
            dhat = D * weight[:, None]
            dvar = (dhat * (X - mu)).sum(axis=1, keepdims=True) * -0.5 * inv**3
            dmu = -dhat.sum(axis=1, keepdims=True) * inv + dvar * -2 * (X - mu).mean(axis=1, keepdims=True)
            dX = dhat * inv + dvar * 2 * (X - mu) / m + dmu / m
            shape = (x.shape[1], x.shape[0], *x.shape[2:])
            return np.moveaxis(dX.reshape(shape), 0, 1), (D * (X - mu) * inv).sum(axis=1), D.sum(axis=1)
    """),
    ("residual", "with an identity matrix in the weight", """
        def residual_backward(x, weight, dy):
            on = (x @ weight.T > 0).astype(float)
            dx = np.stack([(np.eye(len(weight)) + np.diag(m) @ weight).T @ d for m, d in zip(on, dy)])
            return dx, np.einsum("no,ni->oi", dy * on, x)
    """),
    ("concat", "padded with zeros", """
        def concat_backward(a, b, dy):
            da, db, both = np.split(dy, [a.shape[1], a.shape[1] + b.shape[1]], axis=1)
            grow = lambda v, to: np.pad(v, ((0, 0), (0, to - v.shape[1]), (0, 0), (0, 0)))
            return da + grow(both, a.shape[1]), db + grow(both, b.shape[1])
    """),
    ("rbf", "expanded squares", """
        def rbf_backward(x, centres, dy):
            dx = 2 * (x * dy.sum(axis=1)[:, None] - dy @ centres)
            return dx, 2 * (centres * dy.sum(axis=0)[:, None] - dy.T @ x)
    """),
    ("gradient-check", "with unit vectors", """
        def numerical_gradient(f, x, step):
            g = np.empty(x.size)
            for k in range(x.size):
                e = np.zeros(x.size); e[k] = step; e = e.reshape(x.shape)
                g[k] = (f(x + e) - f(x - e)) / step / 2
            return g.reshape(x.shape)
    """),
    ("im2col", "a view, transposed", """
        def windows_as_rows(x, kernel, stride):
            v = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
            return v.transpose(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * kernel[0] * kernel[1])
    """),
    ("winograd", "tile by tile", """
        def winograd_multiplications(rows, columns, tile, kernel):
            return sum((tile + kernel - 1) ** 2 for _ in range(0, rows, tile) for _ in range(0, columns, tile))
    """),
]  # fmt: skip
"""(exercise, how it is written, program)."""

assert set(RIGHT) == set(EXERCISES)
