// Euclidean radial basis function units: y is the squared distance to each centre.
#include "table.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// y_o = sum_i (x_i - w_oi)², for kOutputs neighbouring units: they share the loads of x, and their sums do
// not wait for each other.
template <class T, int kOutputs>
CHAINRULE_INLINE void distances(const T* x, const T* weight, int64_t in, int lanes, T* y) {
  Lanes<T> sums[kOutputs] = {};
  for (int64_t i = 0; i < in; ++i) {
    const Lanes<T> value = load_first(x + i * lanes, lanes);
    for (int k = 0; k < kOutputs; ++k) {
      const Lanes<T> difference = value - weight[k * in + i];
      sums[k] += difference * difference;
    }
  }
  for (int k = 0; k < kOutputs; ++k) store_first(y + k * lanes, sums[k], lanes);
}

template <class T>
void rbf_forward(const RbfOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *weight = parameters<T>(b, op.weight);
  T* y = at<T>(b, op.y);
  const int lanes = b.lanes;
  const int64_t in = op.in, out = op.out;
  int64_t o = 0;
  for (; o + 4 <= out; o += 4) distances<T, 4>(x, weight + o * in, in, lanes, y + o * lanes);
  for (; o < out; ++o) distances<T, 1>(x, weight + o * in, in, lanes, y + o * lanes);
}

// dx_i = sum_o 2 dy_o (x_i - w_oi).
template <class T>
void rbf_backward_input(const RbfOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy), *weight = parameters<T>(b, op.weight);
  T* dx = at<T>(b, op.dx);
  const int lanes = b.lanes;
  const int64_t in = op.in, out = op.out;
  for (int64_t i = 0; i < in; ++i) {
    const Lanes<T> value = load_first(x + i * lanes, lanes);
    Lanes<T> sum = {};
    for (int64_t o = 0; o < out; ++o) sum += load_first(dy + o * lanes, lanes) * (value - weight[o * in + i]);
    store_first(dx + i * lanes, sum + sum, lanes);
  }
}

// dw_oi += -2 dy_o (x_i - w_oi).
template <class T>
void rbf_backward_weight(const RbfOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy), *weight = parameters<T>(b, op.weight);
  T* raw = gradients<T>(b, op.raw_weight);
  const int lanes = b.lanes;
  const int64_t in = op.in, out = op.out;
  for (int64_t o = 0; o < out; ++o) {
    const Lanes<T> factor = T(2) * load_first(dy + o * lanes, lanes);
    for (int64_t i = 0; i < in; ++i, raw += lanes) {
      const Lanes<T> away = weight[o * in + i] - load_first(x + i * lanes, lanes);
      store_first(raw, load_first(raw, lanes) + factor * away, lanes);
    }
  }
}

template <class T>
void add_rbf(KernelTable& table) {
  add<OpKind::rbf_forward, rbf_forward<T>>(table);
  add<OpKind::rbf_backward_input, rbf_backward_input<T>>(table);
  add<OpKind::rbf_backward_weight, rbf_backward_weight<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_rbf<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
