// Pooling by fixed weights, by norms, with trained weights, and to a given size; and, in a file of its
// own, by maximum.
#pragma once

#include "max_pool.hpp"
#include "vector_math.hpp"
#include "windows.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// The sum of a window, times `factor` if the same weight stands at every place.
template <class T, int L>
struct WindowSum {
  T factor;

  CHAINRULE_INLINE Vec<T, L> begin() const { return Vec<T, L>{}; }
  CHAINRULE_INLINE void take(Vec<T, L>& sum, Vec<T, L> x, int32_t) const { sum += x; }
  CHAINRULE_INLINE Vec<T, L> finish(Vec<T, L> sum, int32_t) const { return sum * factor; }
};

template <class T, int L>
struct WeightedSum {
  const double* weights;

  CHAINRULE_INLINE Vec<T, L> begin() const { return Vec<T, L>{}; }
  CHAINRULE_INLINE void take(Vec<T, L>& sum, Vec<T, L> x, int32_t place) const {
    sum += x * T(weights[place]);
  }
  CHAINRULE_INLINE Vec<T, L> finish(Vec<T, L> sum, int32_t) const { return sum; }
};

template <class T, int L>
struct EqualShare {
  const T* dy;
  T factor;

  CHAINRULE_INLINE Vec<T, L> begin(int64_t output, int32_t) const {
    return load<T, L>(dy + output * L) * factor;
  }
  CHAINRULE_INLINE Vec<T, L> give(Vec<T, L> share, int64_t, int32_t) const { return share; }
};

template <class T, int L>
struct WeightedShare {
  const T* dy;
  const double* weights;

  CHAINRULE_INLINE Vec<T, L> begin(int64_t output, int32_t) const { return load<T, L>(dy + output * L); }
  CHAINRULE_INLINE Vec<T, L> give(Vec<T, L> dy, int64_t, int32_t place) const {
    return dy * T(weights[place]);
  }
};

CHAINRULE_INLINE bool all_equal(const PoolOp& op) {
  for (int32_t place = 1; place < op.kernel_rows * op.kernel_columns; ++place)
    if (op.weights[place] != op.weights[0]) return false;
  return true;
}

template <class T, int L>
void weighted_pool_forward(const PoolOp& op, const Block& b) {
  if (all_equal(op))
    pool_forward<T, L>(op, b, WindowSum<T, L>{T(op.weights[0])});
  else
    pool_forward<T, L>(op, b, WeightedSum<T, L>{op.weights});
}

template <class T, int L>
void weighted_pool_backward(const PoolOp& op, const Block& b) {
  const T* dy = at<T>(b, op.dy);
  if (all_equal(op))
    pool_backward<T, L>(op, b, EqualShare<T, L>{dy, T(op.weights[0])});
  else
    pool_backward<T, L>(op, b, WeightedShare<T, L>{dy, op.weights});
}

// y = weight * sum + bias, for each map its own.
template <class T, int L>
struct TrainedSum {
  const T *weight, *bias;

  CHAINRULE_INLINE Vec<T, L> begin() const { return Vec<T, L>{}; }
  CHAINRULE_INLINE void take(Vec<T, L>& sum, Vec<T, L> x, int32_t) const { sum += x; }
  CHAINRULE_INLINE Vec<T, L> finish(Vec<T, L> sum, int32_t channel) const {
    return sum * weight[channel] + bias[channel];
  }
};

template <class T, int L>
struct TrainedShare {
  const T *dy, *weight;

  CHAINRULE_INLINE Vec<T, L> begin(int64_t output, int32_t channel) const {
    return load<T, L>(dy + output * L) * weight[channel];
  }
  CHAINRULE_INLINE Vec<T, L> give(Vec<T, L> share, int64_t, int32_t) const { return share; }
};

template <class T, int L>
void trainable_pool_forward(const PoolOp& op, const Block& b) {
  pool_forward<T, L>(op, b, TrainedSum<T, L>{parameters<T>(b, op.weight), parameters<T>(b, op.bias)});
}

template <class T, int L>
void trainable_pool_backward_input(const PoolOp& op, const Block& b) {
  pool_backward<T, L>(op, b, TrainedShare<T, L>{at<T>(b, op.dy), parameters<T>(b, op.weight)});
}

// dweight = sum dy (sum of the window), dbias = sum dy: each where it is wanted. The sums of the windows are
// made again rather than stored.
template <class T, int L>
void trainable_pool_backward_parameters(const PoolOp& op, const Block& b) {
  const T *map = at<T>(b, op.x), *dy = at<T>(b, op.dy);
  T *raw_weight = gradients<T>(b, op.raw_weight), *raw_bias = gradients<T>(b, op.raw_bias);
  for (int32_t channel = 0; channel < op.channels; ++channel, map += int64_t{op.rows} * op.columns * L) {
    Vec<T, L> weight = {}, bias = {};
    for (int32_t row = 0; row < op.out_rows; ++row) {
      const Span rows = row_span(op, row);
      for (int32_t column = 0; column < op.out_columns; ++column, dy += L) {
        Vec<T, L> sum = {};
        for_pixels<0>(op, rows, column_span(op, column),
                      [&](int64_t pixel, int32_t) { sum += load<T, L>(map + pixel * L); });
        weight += load<T, L>(dy) * sum;
        bias += load<T, L>(dy);
      }
    }
    const auto add = [&](T* raw, Vec<T, L> sum) {
      if (raw != nullptr) store<T, L>(raw + channel * L, load<T, L>(raw + channel * L) + sum);
    };
    add(raw_weight, weight), add(raw_bias, bias);
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE

#include "adaptive_pool.hpp"
#include "norm_pool.hpp"
