// Convolution with a kernel of its own for every output place. Nothing is used twice but x, so the weights'
// way through memory is the cost, and each kernel reads them once, in their order.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Calls f(output index, taps) for every output of an axis: a run's outputs share their taps but for
// the source.
template <class F>
CHAINRULE_INLINE void for_outputs(const Axis& axis, F f) {
  for (int32_t r = 0; r < axis.run_count; ++r) {
    const Run& run = axis.runs[r];
    Taps taps = run.taps;
    for (int32_t k = 0; k < run.count; ++k, taps.source += run.source_move) f(run.begin + k * run.step, taps);
  }
}

// Calls f(output place, row taps, column taps) for every output place.
template <class F>
CHAINRULE_INLINE void for_places(const LocalOp& op, F f) {
  for_outputs(op.rows, [&](int32_t row, Taps rows) {
    for_outputs(op.columns, [&](int32_t column, Taps columns) {
      f(int64_t{row} * op.columns.size + column, rows, columns);
    });
  });
}

// Calls f(weight, pixel) for the taps of one output place and filter: offsets from that place's
// kernel, and in x.
template <class F>
CHAINRULE_INLINE void for_taps(const LocalOp& op, Taps rows, Taps columns, F f) {
  const int64_t kernel = int64_t{op.rows.kernel_size} * op.columns.kernel_size;
  const int64_t map = int64_t{op.rows.source_size} * op.columns.source_size;
  for (int64_t channel = 0; channel < op.in; ++channel)
    for (int32_t i = 0; i < rows.count; ++i) {
      const int64_t tap_row =
          channel * kernel + int64_t{rows.first + i * rows.tap_step} * op.columns.kernel_size;
      const int64_t source_row =
          channel * map + int64_t{rows.source + i * rows.source_step} * op.columns.source_size;
      for (int32_t j = 0; j < columns.count; ++j)
        f(tap_row + columns.first + j * columns.tap_step,
          source_row + columns.source + j * columns.source_step);
    }
}

// How the weights of one filter, and of one output place, follow each other.
struct LocalSizes {
  int64_t places, kernel;
};

CHAINRULE_INLINE LocalSizes local_sizes(const LocalOp& op) {
  return {int64_t{op.rows.size} * op.columns.size,
          int64_t{op.in} * op.rows.kernel_size * op.columns.kernel_size};
}

// y_o = bias_o + sum w x for kFilters neighbouring filters at one place: they share the loads of x, and their
// sums do not wait for each other.
template <class T, int L, int kFilters>
CHAINRULE_INLINE void local_outputs(const LocalOp& op, const Block& b, int32_t filter, int64_t place,
                                    Taps rows, Taps columns) {
  const LocalSizes sizes = local_sizes(op);
  const T* x = at<T>(b, op.x);
  const int64_t first = filter * sizes.places + place, next = sizes.places * sizes.kernel;
  const T *weight = parameters<T>(b, op.weight) + first * sizes.kernel, *bias = parameters<T>(b, op.bias);
  Vec<T, L> sums[kFilters] = {};
  for (int k = 0; k < kFilters && bias != nullptr; ++k) sums[k] += bias[first + k * sizes.places];
  for_taps(op, rows, columns, [&](int64_t tap, int64_t pixel) {
    const Vec<T, L> value = load<T, L>(x + pixel * L);
    for (int k = 0; k < kFilters; ++k) sums[k] += value * weight[k * next + tap];
  });
  for (int k = 0; k < kFilters; ++k) store<T, L>(at<T>(b, op.y) + (first + k * sizes.places) * L, sums[k]);
}

template <class T, int L>
void local_forward(const LocalOp& op, const Block& b) {
  int32_t filter = 0;
  for (; filter + 4 <= op.out; filter += 4)
    for_places(op, [&](int64_t place, Taps rows, Taps columns) {
      local_outputs<T, L, 4>(op, b, filter, place, rows, columns);
    });
  for (; filter < op.out; ++filter)
    for_places(op, [&](int64_t place, Taps rows, Taps columns) {
      local_outputs<T, L, 1>(op, b, filter, place, rows, columns);
    });
}

// Every output sends its dy back through its own kernel.
template <class T, int L>
void local_backward_input(const LocalOp& op, const Block& b) {
  const LocalSizes sizes = local_sizes(op);
  const T *dy = at<T>(b, op.dy), *weights = parameters<T>(b, op.weight);
  T* dx = at<T>(b, op.dx);
  const int64_t inputs = int64_t{op.in} * op.rows.source_size * op.columns.source_size;
  for (int64_t i = 0; i < inputs; ++i) store<T, L>(dx + i * L, Vec<T, L>{});
  for (int64_t filter = 0; filter < op.out; ++filter)
    for_places(op, [&](int64_t place, Taps rows, Taps columns) {
      const int64_t output = filter * sizes.places + place;
      const T* weight = weights + output * sizes.kernel;
      const Vec<T, L> gradient = load<T, L>(dy + output * L);
      for_taps(op, rows, columns, [&](int64_t tap, int64_t pixel) {
        store<T, L>(dx + pixel * L, load<T, L>(dx + pixel * L) + gradient * weight[tap]);
      });
    });
}

// dw += dy x for every tap of every place, db += dy: each where it is wanted.
template <class T, int L>
void local_backward_parameters(const LocalOp& op, const Block& b) {
  const LocalSizes sizes = local_sizes(op);
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy);
  T *raw_weights = gradients<T>(b, op.raw_weight), *raw_bias = gradients<T>(b, op.raw_bias);
  for (int64_t filter = 0; filter < op.out && raw_weights != nullptr; ++filter)
    for_places(op, [&](int64_t place, Taps rows, Taps columns) {
      const int64_t output = filter * sizes.places + place;
      T* raw = raw_weights + output * sizes.kernel * L;
      const Vec<T, L> gradient = load<T, L>(dy + output * L);
      for_taps(op, rows, columns, [&](int64_t tap, int64_t pixel) {
        store<T, L>(raw + tap * L, load<T, L>(raw + tap * L) + gradient * load<T, L>(x + pixel * L));
      });
    });
  for (int64_t i = 0; i < op.out * sizes.places * L && raw_bias != nullptr; i += L)
    store<T, L>(raw_bias + i, load<T, L>(raw_bias + i) + load<T, L>(dy + i));
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
