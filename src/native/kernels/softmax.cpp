// Softmax over the classes, apart for each place and lane. May run in place.
#include "table.hpp"
#include "vector_math.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// y_i = exp(x_i - max) / sum exp(x_j - max): nothing overflows.
template <class T>
void softmax_forward(const SoftmaxOp& op, const Block& b) {
  constexpr int N = kChannelVector<T>;
  const int64_t end = op.classes, stride = int64_t{op.places} * b.lanes;
  for_vectors<T>(stride, [&](int64_t column, int64_t count) {
    const T* x = at<T>(b, op.x) + column;
    T* y = at<T>(b, op.y) + column;
    Lanes<T> largest = load_first(x, count), sum = {};
    for (int64_t k = 1; k < end; ++k) largest = maximum<T, N>(load_first(x + k * stride, count), largest);
    for (int64_t k = 0; k < end; ++k) {
      const Lanes<T> e = exp<T, N>(load_first(x + k * stride, count) - largest);
      sum += e;
      store_first(y + k * stride, e, count);
    }
    for (int64_t k = 0; k < end; ++k) {
      const Lanes<T> e = load_first(y + k * stride, count);
      store_first(y + k * stride, e / sum, count);
    }
  });
}

// dx_i = y_i (dy_i - sum dy_j y_j).
template <class T>
void softmax_backward(const SoftmaxOp& op, const Block& b) {
  const int64_t end = op.classes, stride = int64_t{op.places} * b.lanes;
  for_vectors<T>(stride, [&](int64_t column, int64_t count) {
    const T *y = at<T>(b, op.y) + column, *dy = at<T>(b, op.dy) + column;
    T* dx = at<T>(b, op.dx) + column;
    Lanes<T> sum = {};
    for (int64_t k = 0; k < end; ++k)
      sum += load_first(dy + k * stride, count) * load_first(y + k * stride, count);
    for (int64_t k = 0; k < end; ++k) {
      const Lanes<T> gradient = load_first(dy + k * stride, count) - sum;
      store_first(dx + k * stride, load_first(y + k * stride, count) * gradient, count);
    }
  });
}

template <class T>
void add_softmax(KernelTable& table) {
  add<OpKind::softmax_forward, softmax_forward<T>>(table);
  add<OpKind::softmax_backward, softmax_backward<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_softmax<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
