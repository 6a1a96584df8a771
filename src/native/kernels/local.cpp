// Convolution with a kernel of its own for every output place. Nothing is used twice but x, so the weights'
// way through memory is the cost, and each kernel reads them once, in their order.
#include "table.hpp"

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
template <class T, int kFilters>
CHAINRULE_INLINE void local_outputs(const LocalOp& op, const Block& b, int32_t filter, int64_t place,
                                    Taps rows, Taps columns) {
  const LocalSizes sizes = local_sizes(op);
  const T* x = at<T>(b, op.x);
  const int64_t first = filter * sizes.places + place, next = sizes.places * sizes.kernel;
  const T *weight = parameters<T>(b, op.weight) + first * sizes.kernel, *bias = parameters<T>(b, op.bias);
  const int lanes = b.lanes;
  Lanes<T> sums[kFilters] = {};
  for (int k = 0; k < kFilters && bias != nullptr; ++k) sums[k] += bias[first + k * sizes.places];
  for_taps(op, rows, columns, [&](int64_t tap, int64_t pixel) {
    const Lanes<T> value = load_first(x + pixel * lanes, lanes);
    for (int k = 0; k < kFilters; ++k) sums[k] += value * weight[k * next + tap];
  });
  for (int k = 0; k < kFilters; ++k)
    store_first(at<T>(b, op.y) + (first + k * sizes.places) * lanes, sums[k], lanes);
}

template <class T>
void local_forward(const LocalOp& op, const Block& b) {
  int32_t filter = 0;
  for (; filter + 4 <= op.out; filter += 4)
    for_places(op, [&](int64_t place, Taps rows, Taps columns) {
      local_outputs<T, 4>(op, b, filter, place, rows, columns);
    });
  for (; filter < op.out; ++filter)
    for_places(op, [&](int64_t place, Taps rows, Taps columns) {
      local_outputs<T, 1>(op, b, filter, place, rows, columns);
    });
}

// Every output sends its dy back through its own kernel.
template <class T>
void local_backward_input(const LocalOp& op, const Block& b) {
  const LocalSizes sizes = local_sizes(op);
  const T *dy = at<T>(b, op.dy), *weights = parameters<T>(b, op.weight);
  T* dx = at<T>(b, op.dx);
  const int64_t inputs = int64_t{op.in} * op.rows.source_size * op.columns.source_size;
  const int lanes = b.lanes;
  for (int64_t i = 0; i < inputs * lanes; ++i) dx[i] = 0;
  for (int64_t filter = 0; filter < op.out; ++filter)
    for_places(op, [&](int64_t place, Taps rows, Taps columns) {
      const int64_t output = filter * sizes.places + place;
      const T* weight = weights + output * sizes.kernel;
      const Lanes<T> gradient = load_first(dy + output * lanes, lanes);
      for_taps(op, rows, columns, [&](int64_t tap, int64_t pixel) {
        T* to = dx + pixel * lanes;
        store_first(to, load_first(to, lanes) + gradient * weight[tap], lanes);
      });
    });
}

// dw += dy x for every tap of every place, db += dy: each where it is wanted.
template <class T>
void local_backward_parameters(const LocalOp& op, const Block& b) {
  const LocalSizes sizes = local_sizes(op);
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy);
  T *raw_weights = gradients<T>(b, op.raw_weight), *raw_bias = gradients<T>(b, op.raw_bias);
  const int lanes = b.lanes;
  for (int64_t filter = 0; filter < op.out && raw_weights != nullptr; ++filter)
    for_places(op, [&](int64_t place, Taps rows, Taps columns) {
      const int64_t output = filter * sizes.places + place;
      T* raw = raw_weights + output * sizes.kernel * lanes;
      const Lanes<T> gradient = load_first(dy + output * lanes, lanes);
      for_taps(op, rows, columns, [&](int64_t tap, int64_t pixel) {
        T* to = raw + tap * lanes;
        store_first(to, load_first(to, lanes) + gradient * load_first(x + pixel * lanes, lanes), lanes);
      });
    });
  for (int64_t i = 0; i < op.out * sizes.places * lanes && raw_bias != nullptr; ++i) raw_bias[i] += dy[i];
}

template <class T>
void add_local(KernelTable& table) {
  add<OpKind::local_forward, local_forward<T>>(table);
  add<OpKind::local_backward_input, local_backward_input<T>>(table);
  add<OpKind::local_backward_parameters, local_backward_parameters<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_local<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
