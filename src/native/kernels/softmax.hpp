// Softmax over the classes, apart for each place. May run in place.
#pragma once

#include "common.hpp"
#include "vector_math.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// y_i = exp(x_i - max) / sum exp(x_j - max): nothing overflows.
template <class T, int L>
void softmax_forward(const SoftmaxOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  const int64_t classes = op.classes, places = op.places, stride = places * L;
  for (int64_t place = 0; place < places; ++place, x += L, y += L) {
    Vec<T, L> largest = load<T, L>(x), sum = {};
    for (int64_t k = 1; k < classes; ++k) largest = maximum<T, L>(load<T, L>(x + k * stride), largest);
    for (int64_t k = 0; k < classes; ++k) {
      const Vec<T, L> e = exp<T, L>(load<T, L>(x + k * stride) - largest);
      sum += e;
      store<T, L>(y + k * stride, e);
    }
    for (int64_t k = 0; k < classes; ++k) store<T, L>(y + k * stride, load<T, L>(y + k * stride) / sum);
  }
}

// dx_i = y_i (dy_i - sum dy_j y_j).
template <class T, int L>
void softmax_backward(const SoftmaxOp& op, const Block& b) {
  const T *y = at<T>(b, op.y), *dy = at<T>(b, op.dy);
  T* dx = at<T>(b, op.dx);
  const int64_t classes = op.classes, places = op.places, stride = places * L;
  for (int64_t place = 0; place < places; ++place, y += L, dy += L, dx += L) {
    Vec<T, L> sum = {};
    for (int64_t k = 0; k < classes; ++k) sum += load<T, L>(dy + k * stride) * load<T, L>(y + k * stride);
    for (int64_t k = 0; k < classes; ++k)
      store<T, L>(dx + k * stride, load<T, L>(y + k * stride) * (load<T, L>(dy + k * stride) - sum));
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
