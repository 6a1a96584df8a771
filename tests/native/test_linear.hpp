// Radial basis functions and unshared convolution.
#pragma once

#include "world.hpp"

namespace linear {

template <class T, int L>
void rbf(int used) {
  const int in = 7;
  for (const int out : {1, 4, 6}) {
    World<T, L> w(used);
    const int64_t weight = w.natural(in * out);
    const Place raw = w.random(in * out, 0.5, 0.5, 0.5);
    const chainrule::RbfOp op = {w.random(in), w.empty(out), w.empty(in), w.gradient(out),
                                 weight,       raw.offset,   in,          out};
    operate<OpKind::rbf_forward, T, L>(op, w.block);
    operate<OpKind::rbf_backward_input, T, L>(op, w.block);
    operate<OpKind::rbf_backward_weight, T, L>(op, w.block);
    for (int lane = 0; lane < used; ++lane) {
      const Sample x = w.sample(op.x, in, lane), dy = w.sample(op.dy, out, lane);
      Sample y(out), dx(in), dweight(in * out, 0.5);  // the gradient adds to what is there
      for (int o = 0; o < out; ++o)
        for (int i = 0; i < in; ++i) {
          const double difference = x[i] - w.parameter(weight + o * in + i);
          y[o] += difference * difference;
          dx[i] += 2 * dy[o] * difference;
          dweight[o * in + i] -= 2 * dy[o] * difference;
        }
      w.expect("rbf y", op.y, lane, y, 32, 1);
      w.expect("rbf dx", op.dx, lane, dx, 64, 1);
      w.expect("rbf dweight", raw, lane, dweight, 32);
    }
    for (int lane = used; lane < L; ++lane) w.expect("rbf idle dweight", raw, lane, Sample(in * out, 0.5));
    w.expect_idle_zero("rbf", op.dx, in);
    w.expect_fences("rbf");
  }
}

// One axis of a convolution: `outputs` places of a kernel with a stride, a dilation and padding, one run for
// each.
struct PlainAxis {
  int size, kernel, stride, dilation, before, after;

  int outputs() const { return (size + before + after - dilation * (kernel - 1) - 1) / stride + 1; }
  int source(int output, int tap) const { return output * stride + tap * dilation - before; }
  bool inside(int output, int tap) const { return source(output, tap) >= 0 && source(output, tap) < size; }

  chainrule::Axis axis(const std::vector<chainrule::Run>& runs) const {
    chainrule::Axis result = {};
    result.runs = runs.data(), result.run_count = int(runs.size());
    result.size = outputs(), result.source_size = size, result.kernel_size = kernel;
    return result;
  }

  std::vector<chainrule::Run> runs() const {
    std::vector<chainrule::Run> result;
    for (int output = 0; output < outputs(); ++output) {
      int first = 0, count = 0;
      while (first < kernel && !inside(output, first)) ++first;
      while (first + count < kernel && inside(output, first + count)) ++count;
      const chainrule::Taps taps = {first, count, count > 0 ? source(output, first) : 0, 1, dilation};
      if (!result.empty()) {  // outputs with the same taps share a run
        chainrule::Run& last = result.back();
        if (last.taps.first == first && last.taps.count == count) {
          ++last.count;
          continue;
        }
      }
      result.push_back({output, 1, 1, stride, taps});
    }
    return result;
  }
};

template <class T, int L>
void local_shape(int used, PlainAxis rows, PlainAxis columns, int in, int out, bool bias) {
  World<T, L> w(used);
  const int64_t kernel = int64_t(in) * rows.kernel * columns.kernel,
                places = int64_t(rows.outputs()) * columns.outputs();
  const int64_t inputs = int64_t(in) * rows.size * columns.size, outputs = out * places,
                weights = outputs * kernel;
  const int64_t weight = w.natural(weights), biases = w.natural(outputs);
  const Place raw_weight = w.random(weights, 0.5, 0.5, 0.5), raw_bias = w.random(outputs, 0.5, 0.5, 0.5);
  const auto row_runs = rows.runs(), column_runs = columns.runs();
  const chainrule::LocalOp op = {
      w.random(inputs),
      w.empty(outputs),
      w.empty(inputs),
      w.gradient(outputs),
      weight,
      bias ? chainrule::OptionalOffset(biases) : chainrule::OptionalOffset(),
      raw_weight.offset,
      bias ? chainrule::OptionalOffset(raw_bias.offset) : chainrule::OptionalOffset(),
      in,
      out,
      rows.axis(row_runs),
      columns.axis(column_runs)};
  operate<OpKind::local_forward, T, L>(op, w.block);
  operate<OpKind::local_backward_input, T, L>(op, w.block);
  operate<OpKind::local_backward_parameters, T, L>(op, w.block);
  for (int lane = 0; lane < used; ++lane) {
    const Sample x = w.sample(op.x, inputs, lane), dy = w.sample(op.dy, outputs, lane);
    Sample y(outputs), dx(inputs), dweight(weights, 0.5), dbias(outputs, 0.5);
    for (int64_t o = 0; o < outputs; ++o) {
      const int p = int(o % places / columns.outputs()), q = int(o % columns.outputs());
      if (bias) y[o] = w.parameter(biases + o), dbias[o] += dy[o];
      for (int64_t tap = 0; tap < kernel; ++tap) {
        const int d = int(tap / (rows.kernel * columns.kernel)), i = int(tap / columns.kernel) % rows.kernel,
                  j = int(tap) % columns.kernel;
        if (!rows.inside(p, i) || !columns.inside(q, j)) continue;
        const int64_t pixel =
            (int64_t(d) * rows.size + rows.source(p, i)) * columns.size + columns.source(q, j);
        y[o] += w.parameter(weight + o * kernel + tap) * x[pixel];
        dx[pixel] += w.parameter(weight + o * kernel + tap) * dy[o];
        dweight[o * kernel + tap] += dy[o] * x[pixel];
      }
    }
    w.expect("local y", op.y, lane, y, 64, 1);
    w.expect("local dx", op.dx, lane, dx, 64, 1);
    w.expect("local dweight", raw_weight, lane, dweight);
    w.expect("local dbias", raw_bias, lane, dbias);
  }
  for (int lane = used; lane < L; ++lane)
    w.expect("local idle dweight", raw_weight, lane, Sample(weights, 0.5));
  w.expect_idle_zero("local", op.dx, inputs);
  w.expect_fences("local");
}

template <class T, int L>
void local(int used) {
  local_shape<T, L>(used, {5, 3, 1, 1, 0, 0}, {4, 2, 1, 1, 0, 0}, 2, 5, true);
  local_shape<T, L>(used, {5, 3, 2, 1, 1, 1}, {7, 3, 1, 2, 2, 2}, 1, 4, false);
  local_shape<T, L>(used, {1, 1, 1, 1, 0, 0}, {1, 1, 1, 1, 0, 0}, 3, 1, true);
}

}  // namespace linear
