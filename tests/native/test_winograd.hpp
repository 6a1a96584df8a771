// Winograd's algorithm, forward and both gradients, from packing the weights to the natural gradient.
#pragma once

#include <algorithm>
#include <utility>

#include "world.hpp"

namespace winograd {

struct Shape {
  int points, groups, in, out;
  int rows, columns, kernel_rows, kernel_columns, padding, strip;

  int out_rows() const { return rows + 2 * padding - kernel_rows + 1; }
  int out_columns() const { return columns + 2 * padding - kernel_columns + 1; }
  int tiles() const { return (out_columns() + points - kernel_columns) / (points + 1 - kernel_columns); }
  int64_t weights() const { return int64_t(groups) * out * in * kernel_rows * kernel_columns; }
  int64_t inputs() const { return int64_t(groups) * in * rows * columns; }
  int64_t outputs() const { return int64_t(groups) * out * out_rows() * out_columns(); }

  chainrule::PackOp pack(int64_t natural, int64_t packed) const {
    chainrule::PackOp op = {};
    op.natural = natural, op.packed = packed;
    op.groups = groups, op.out = out, op.in = in, op.taps = kernel_rows * kernel_columns;
    op.points = points, op.point_taps = kernel_columns;
    return op;
  }
  chainrule::WinogradOp op() const {
    chainrule::WinogradOp op = {};
    op.groups = groups, op.in = in, op.out = out, op.points = points, op.strip = strip;
    op.rows = {nullptr, 0, out_rows(), rows, kernel_rows, 1, padding, 1};
    op.columns = {nullptr, 0, out_columns(), columns, kernel_columns, 1, padding, 1};
    return op;
  }
  chainrule::FinishOp finish(int64_t raw, int64_t natural, int padded_in) const {
    chainrule::FinishOp op = {};
    op.layout = padded_in > 0 ? chainrule::RawLayout::kChannels : chainrule::RawLayout::kNumbers;
    op.raw = raw, op.natural = natural, op.rows = groups * out;
    op.columns = int64_t(in) * kernel_rows * kernel_columns;
    op.taps_rows = kernel_rows, op.taps_columns = kernel_columns, op.padded_in = padded_in;
    op.points = points, op.point_rows = out;
    return op;
  }

  // body(output, weight, input) for every product that lies inside the map.
  template <class Body>
  void for_products(Body body) const {
    for (int o = 0; o < groups * out; ++o)
      for (int p = 0; p < out_rows(); ++p)
        for (int q = 0; q < out_columns(); ++q)
          for (int c = 0; c < in; ++c)
            for (int i = 0; i < kernel_rows; ++i)
              for (int j = 0; j < kernel_columns; ++j) {
                const int row = p + i - padding, column = q + j - padding;
                if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
                body((int64_t(o) * out_rows() + p) * out_columns() + q,
                     ((int64_t(o) * in + c) * kernel_rows + i) * kernel_columns + j,
                     (int64_t(o / out * in + c) * rows + row) * columns + column);
              }
  }
};

template <class T, int L>
void shape(int used, const Shape& s) {
  World<T, L> w(used);
  const int N = table_of<T, L>().channel_vector;
  const int padded_in = s.in >= N ? (s.in + N - 1) / N * N : 0;
  const int64_t packed = s.weights() / s.kernel_columns * s.points;
  const int64_t raws = packed / s.in * (padded_in > 0 ? padded_in : s.in);
  const int64_t weight = w.natural(s.weights()), bias = w.natural(s.groups * s.out);
  const int64_t forward = w.natural(packed), backward = w.natural(packed), raw = w.natural(raws),
                natural = w.natural(s.weights());
  T* numbers = static_cast<T*>(w.block.gradients);
  for (const bool back : {false, true}) {
    chainrule::PackOp pack = s.pack(weight, back ? backward : forward);
    pack.backward = back;
    table_of<T, L>().pack(pack, numbers, 0, s.groups * s.out);
  }
  const int64_t values = int64_t(s.points) * s.tiles(), halo = s.kernel_rows - 1;
  const int64_t strip_rows = s.strip + halo;
  chainrule::WinogradOp op = s.op();
  const Place x = w.random(s.inputs()), dy = w.gradient(s.outputs());
  const Place y = w.empty(s.outputs()), dx = w.empty(s.inputs());

  op.source = x, op.result = y, op.weight = forward, op.bias = bias;
  op.source_points = w.empty(strip_rows * s.in * values),
  op.result_points = w.empty(s.strip * s.out * values);
  operate<OpKind::winograd_forward, T, L>(op, w.block);
  op.source = dy, op.result = dx, op.weight = backward, op.bias = {};
  op.source_points = w.empty(strip_rows * s.out * values),
  op.result_points = w.empty(s.strip * s.in * values);
  operate<OpKind::winograd_backward_input, T, L>(op, w.block);
  op.source = x, op.result = dy, op.raw = raw, op.padded_in = padded_in, op.starts = true;
  op.source_points = w.empty(strip_rows * s.in * values),
  op.result_points = w.empty(s.strip * s.out * values);
  op.transposed = w.empty(padded_in > 0 ? strip_rows * s.tiles() * padded_in : (raws + L - 1) / L * L);
  w.block.fresh = true;
  operate<OpKind::winograd_weight_gradient, T, L>(op, w.block);
  w.block.fresh = false;  // a second block of the shard adds to the first
  operate<OpKind::winograd_weight_gradient, T, L>(op, w.block);
  const chainrule::FinishOp finish = s.finish(raw, natural, padded_in);
  table_of<T, L>().finish(finish, numbers, 0, 1, numbers, 0, finish.rows);

  Sample dweight(s.weights());
  const int64_t map = int64_t(s.out_rows()) * s.out_columns();
  const double terms = s.in * s.kernel_rows * s.kernel_columns;
  for (int lane = 0; lane < used; ++lane) {
    const Sample in = w.sample(x, s.inputs(), lane), delta = w.sample(dy, s.outputs(), lane);
    Sample out(s.outputs()), back(s.inputs());
    for (int64_t e = 0; e < s.outputs(); ++e) out[e] = w.parameter(bias + e / map);
    s.for_products([&](int64_t o, int64_t k, int64_t i) {
      out[o] += w.parameter(weight + k) * in[i];
      back[i] += w.parameter(weight + k) * delta[o];
      dweight[k] += 2 * in[i] * delta[o];
    });
    w.expect("winograd y", y, lane, out, 256, terms);
    w.expect("winograd dx", dx, lane, back, 256, terms / s.in * s.out);
  }
  const double epsilon = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;
  for (int64_t k = 0; k < s.weights(); ++k)
    if (!(std::abs(w.parameter(natural + k) - dweight[k]) <= 256 * epsilon * 2 * used * double(map)))
      return fail("winograd dweight " + std::to_string(k) + ": " + text(w.parameter(natural + k)) +
                  " instead of " + text(dweight[k]));
  w.expect_idle_zero("winograd", dx, s.inputs());
  w.expect_fences("winograd");
}

// The gradients, from those of the maxima of pairs of rows and columns.
template <class T, int L>
void back_through_pairs(World<T, L>& w, int used, const Shape& s, Place x, Place winners) {
  const int rows = s.out_rows() / 2, columns = s.out_columns() / 2;
  const int64_t packed = s.weights() / s.kernel_columns * s.points;
  const int64_t weight = w.natural(s.weights()), at_points = w.natural(packed), raw = w.natural(packed),
                natural = w.natural(s.weights());
  T* numbers = static_cast<T*>(w.block.gradients);
  chainrule::PackOp pack = s.pack(weight, at_points);
  pack.backward = true;
  table_of<T, L>().pack(pack, numbers, 0, s.groups * s.out);

  const int64_t values = int64_t(s.points) * s.tiles(), strip_rows = s.strip + s.kernel_rows - 1;
  const Place dy = w.gradient(int64_t(s.groups) * s.out * rows * columns), dx = w.empty(s.inputs());
  chainrule::WinogradOp op = s.op();
  op.pairs = true, op.winners = winners;
  op.source = dy, op.result = dx, op.weight = at_points, op.bias = {};
  op.source_points = w.empty(strip_rows * s.out * values);
  op.result_points = w.empty(s.strip * s.in * values);
  operate<OpKind::winograd_backward_input, T, L>(op, w.block);
  op.source = x, op.result = dy, op.raw = raw, op.starts = true, w.block.fresh = true;
  op.source_points = w.empty(strip_rows * s.in * values);
  op.result_points = w.empty(s.strip * s.out * values);
  op.transposed = w.empty((packed + L - 1) / L * L);
  operate<OpKind::winograd_weight_gradient, T, L>(op, w.block);
  const chainrule::FinishOp finish = s.finish(raw, natural, 0);
  table_of<T, L>().finish(finish, numbers, 0, 1, numbers, 0, finish.rows);

  Sample dweight(s.weights());
  const double terms = double(s.out) * s.kernel_rows * s.kernel_columns;
  for (int lane = 0; lane < used; ++lane) {
    const Sample in = w.sample(x, s.inputs(), lane);
    const Sample won = w.sample(winners, int64_t(s.groups) * s.out * rows * columns, lane);
    const Sample flowing = w.sample(dy, int64_t(s.groups) * s.out * rows * columns, lane);
    Sample delta(s.outputs()), back(s.inputs());
    for (int64_t e = 0; e < int64_t(flowing.size()); ++e) {
      const int64_t o = e / (rows * columns), p = e / columns % rows, q = e % columns;
      const int winner = int(won[e]);
      delta[(o * s.out_rows() + 2 * p + winner / 2) * s.out_columns() + 2 * q + winner % 2] = flowing[e];
    }
    s.for_products([&](int64_t o, int64_t k, int64_t i) {
      back[i] += w.parameter(weight + k) * delta[o];
      dweight[k] += in[i] * delta[o];
    });
    w.expect("winograd dx through pairs", dx, lane, back, 256, terms);
  }
  const double epsilon = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;
  for (int64_t k = 0; k < s.weights(); ++k)
    if (!(std::abs(w.parameter(natural + k) - dweight[k]) <=
          256 * epsilon * used * double(s.out_rows() * s.out_columns())))
      return fail("winograd dweight through pairs " + std::to_string(k) + ": " +
                  text(w.parameter(natural + k)) + " instead of " + text(dweight[k]));
  w.expect_fences("winograd through pairs");
}

// The forward pass whose sums stay in registers, down to the outputs or to the maxima of pairs.
template <class T, int L>
void in_registers(int used, const Shape& s, bool pairs) {
  World<T, L> w(used);
  const int64_t packed = s.weights() / s.kernel_columns * s.points;
  const int64_t weight = w.natural(s.weights()), bias = w.natural(s.groups * s.out);
  const int64_t at_points = w.natural(packed);
  chainrule::PackOp pack = s.pack(weight, at_points);
  pack.in_registers = true;
  table_of<T, L>().pack(pack, static_cast<T*>(w.block.gradients), 0, s.groups * s.out);

  const int side = pairs ? 2 : 1, rows = s.out_rows() / side, columns = s.out_columns() / side;
  const int64_t pooled = int64_t(s.groups) * s.out * rows * columns;
  chainrule::WinogradOp op = s.op();
  op.in_registers = true, op.pairs = pairs, op.weight = at_points, op.bias = bias;
  const Place winners = w.empty(pooled);
  if (pairs) op.winners = winners;
  const Place x = w.random(s.inputs()), y = w.empty(pooled);
  op.source = x, op.result = y;
  op.source_points = w.empty(int64_t(s.strip + s.kernel_rows - 1) * s.in * s.points * s.tiles());
  operate<OpKind::winograd_forward, T, L>(op, w.block);

  const int64_t map = int64_t(s.out_rows()) * s.out_columns();
  for (int lane = 0; lane < used; ++lane) {
    const Sample in = w.sample(x, s.inputs(), lane);
    Sample out(s.outputs());
    for (int64_t e = 0; e < s.outputs(); ++e) out[e] = w.parameter(bias + e / map);
    s.for_products([&](int64_t o, int64_t k, int64_t i) { out[o] += w.parameter(weight + k) * in[i]; });
    Sample expected;
    for (int o = 0; o < s.groups * s.out; ++o)
      for (int p = 0; p < rows; ++p)
        for (int q = 0; q < columns; ++q) {
          const auto at = [&](int i, int j) {
            return out[(int64_t(o) * s.out_rows() + p * side + i) * s.out_columns() + q * side + j];
          };
          expected.push_back(pairs ? std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)}) : at(0, 0));
        }
    if (pairs) {
      const Sample won = w.sample(winners, pooled, lane);
      for (int64_t e = 0; e < pooled; ++e) {
        const int64_t o = e / (rows * columns), p = e / columns % rows, q = e % columns;
        const int winner = int(won[e]);
        const double best =
            winner < 0 || winner > 3
                ? std::nan("")
                : out[(o * s.out_rows() + 2 * p + winner / 2) * s.out_columns() + 2 * q + winner % 2];
        if (!(best >= expected[e] - 1e-4)) return fail("winograd winner " + std::to_string(e));
      }
    }
    w.expect(pairs ? "winograd pairs" : "winograd in registers", y, lane, expected, 256,
             s.in * s.kernel_rows * s.kernel_columns);
  }
  w.expect_fences("winograd in registers");
  if (pairs) back_through_pairs<T, L>(w, used, s, op.source, winners);
}

template <class T, int L>
void run(int used) {
  for (const auto& [points, columns] : {std::pair(6, 3), std::pair(8, 3), std::pair(8, 5)}) {
    const int side = columns / 2;
    shape<T, L>(used, {points, 1, 1, 2, 6, 9, 5, columns, side, 4});
    shape<T, L>(used, {points, 1, 3, 7, 5, 7, 3, columns, 1, 2});
    shape<T, L>(used, {points, 2, 2, 3, 4, 5, 1, columns, 0, 3});
    shape<T, L>(used, {points, 1, 2, 1, 7, 11, 2, columns, 1, 32});
    shape<T, L>(used, {points, 1, 17, 3, 3, 4, 3, columns, 2, 2});
    if (table_of<T, L>().registers == 32)
      for (const bool pairs : {false, true}) {
        in_registers<T, L>(used, {points, 1, 1, 6, 6, 29, 5, columns, side, 32}, pairs);
        in_registers<T, L>(used, {points, 1, 3, 7, 9, 13, 5, columns, side, 3}, pairs);
        in_registers<T, L>(used, {points, 2, 2, 4, 5, 7, 3, columns, 1, 2}, pairs);
        in_registers<T, L>(used, {points, 1, 2, 2, 1, 2, 3, columns, 2, 1}, pairs);
        in_registers<T, L>(used, {points, 1, 17, 5, 4, 5, 1, columns, 0, 3}, pairs);
        in_registers<T, L>(used, {points, 1, 2, 2, 7, 11, 2, columns, 1, 32}, pairs);
      }
  }
}

}  // namespace winograd
