// Euclidean radial basis function units: y is the squared distance to each centre.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// y_o = sum_i (x_i - w_oi)², for kOutputs neighbouring units: they share the loads of x, and their sums do
// not wait for each other.
template <class T, int L, int kOutputs>
CHAINRULE_INLINE void distances(const T* x, const T* weight, int64_t in, T* y) {
  Vec<T, L> sums[kOutputs] = {};
  for (int64_t i = 0; i < in; ++i) {
    const Vec<T, L> value = load<T, L>(x + i * L);
    for (int k = 0; k < kOutputs; ++k) {
      const Vec<T, L> difference = value - weight[k * in + i];
      sums[k] += difference * difference;
    }
  }
  for (int k = 0; k < kOutputs; ++k) store<T, L>(y + k * L, sums[k]);
}

template <class T, int L>
void rbf_forward(const RbfOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *weight = parameters<T>(b, op.weight);
  T* y = at<T>(b, op.y);
  const int64_t in = op.in, out = op.out;
  int64_t o = 0;
  for (; o + 4 <= out; o += 4) distances<T, L, 4>(x, weight + o * in, in, y + o * L);
  for (; o < out; ++o) distances<T, L, 1>(x, weight + o * in, in, y + o * L);
}

// dx_i = sum_o 2 dy_o (x_i - w_oi).
template <class T, int L>
void rbf_backward_input(const RbfOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy), *weight = parameters<T>(b, op.weight);
  T* dx = at<T>(b, op.dx);
  const int64_t in = op.in, out = op.out;
  for (int64_t i = 0; i < in; ++i) {
    const Vec<T, L> value = load<T, L>(x + i * L);
    Vec<T, L> sum = {};
    for (int64_t o = 0; o < out; ++o) sum += load<T, L>(dy + o * L) * (value - weight[o * in + i]);
    store<T, L>(dx + i * L, sum + sum);
  }
}

// dw_oi += -2 dy_o (x_i - w_oi).
template <class T, int L>
void rbf_backward_weight(const RbfOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy), *weight = parameters<T>(b, op.weight);
  T* raw = gradients<T>(b, op.raw_weight);
  const int64_t in = op.in, out = op.out;
  for (int64_t o = 0; o < out; ++o) {
    const Vec<T, L> factor = T(2) * load<T, L>(dy + o * L);
    for (int64_t i = 0; i < in; ++i, raw += L)
      store<T, L>(raw, load<T, L>(raw) + factor * (weight[o * in + i] - load<T, L>(x + i * L)));
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
