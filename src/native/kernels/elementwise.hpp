// Activations of one number each. All may run in place: an element is read before it is written.
#pragma once

#include "common.hpp"
#include "vector_math.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Calls body<W>(i) for all numbers, W of them at a time: whole vectors, whatever the lanes, then lanes.
template <class T, int L, class Body>
CHAINRULE_INLINE void for_numbers(int64_t elements, Body body) {
  constexpr int N = kChannelVector<T>;
  const int64_t numbers = elements * L;
  int64_t i = 0;
  for (; i + N <= numbers; i += N) body.template operator()<N>(i);
  if constexpr (L < N)
    for (; i < numbers; i += L) body.template operator()<L>(i);
}

// y = f(x).
template <class T, int L, class F>
CHAINRULE_INLINE void map_elements(const ElementwiseOp& op, const Block& b, F f) {
  const T* x = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  for_numbers<T, L>(op.elements, [&]<int W>(int64_t i) {
    store<T, W>(y + i, f.template operator()<W>(load<T, W>(x + i)));
  });
}

// dx = f(dy, saved), where `saved` is the y or x in which the derivative is written.
template <class T, int L, class F>
CHAINRULE_INLINE void map_gradients(const ElementwiseOp& op, const Block& b, Place saved, F f) {
  const T* dy = at<T>(b, op.dy);
  const T* values = at<T>(b, saved);
  T* dx = at<T>(b, op.dx);
  for_numbers<T, L>(op.elements, [&]<int W>(int64_t i) {
    store<T, W>(dx + i, f.template operator()<W>(load<T, W>(dy + i), load<T, W>(values + i)));
  });
}

// Written so that NaN, for which no comparison is true, stays NaN.
template <class T, int L>
void relu_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T, L>(op, b, []<int W>(Vec<T, W> x) { return x < T(0) ? Vec<T, W>{} : x; });
}

template <class T, int L>
void relu_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T, L>(op, b, op.y,
                      []<int W>(Vec<T, W> dy, Vec<T, W> y) { return y > T(0) ? dy : Vec<T, W>{}; });
}

template <class T, int L>
void leaky_relu_forward(const ElementwiseOp& op, const Block& b) {
  const T slope = T(op.slope);
  map_elements<T, L>(op, b, [slope]<int W>(Vec<T, W> x) { return x > T(0) ? x : x * slope; });
}

template <class T, int L>
void leaky_relu_backward(const ElementwiseOp& op, const Block& b) {
  const T slope = T(op.slope);
  map_gradients<T, L>(op, b, op.x,
                      [slope]<int W>(Vec<T, W> dy, Vec<T, W> x) { return x > T(0) ? dy : dy * slope; });
}

template <class T, int L>
void sigmoid_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T, L>(op, b, []<int W>(Vec<T, W> x) { return sigmoid<T, W>(x); });
}

template <class T, int L>
void sigmoid_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T, L>(op, b, op.y, []<int W>(Vec<T, W> dy, Vec<T, W> y) { return dy * (y * (T(1) - y)); });
}

template <class T, int L>
void tanh_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T, L>(op, b, []<int W>(Vec<T, W> x) { return tanh<T, W>(x); });
}

template <class T, int L>
void tanh_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T, L>(op, b, op.y, []<int W>(Vec<T, W> dy, Vec<T, W> y) { return dy * (T(1) - y * y); });
}

constexpr double kAmplitude = 1.7159, kSteepness = 2.0 / 3.0;  // of LeNet-5's squashing function

template <class T, int L>
void scaled_tanh_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T, L>(op, b, []<int W>(Vec<T, W> x) { return T(kAmplitude) * tanh<T, W>(T(kSteepness) * x); });
}

template <class T, int L>
void scaled_tanh_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T, L>(op, b, op.y, []<int W>(Vec<T, W> dy, Vec<T, W> y) {
    return dy * (T(kSteepness) * (T(kAmplitude) - y * y * T(1 / kAmplitude)));
  });
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
