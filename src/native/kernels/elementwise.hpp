// Activations of one number each. All may run in place: an element is read before it is written.
#pragma once

#include "common.hpp"
#include "vector_math.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// y = f(x).
template <class T, int L, class F>
CHAINRULE_INLINE void map_elements(const ElementwiseOp& op, const Block& b, F f) {
  const T* x = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  const int64_t numbers = op.elements * L;
  for (int64_t i = 0; i < numbers; i += L) store<T, L>(y + i, f(load<T, L>(x + i)));
}

// dx = f(dy, saved), where `saved` is the y or x in which the derivative is written.
template <class T, int L, class F>
CHAINRULE_INLINE void map_gradients(const ElementwiseOp& op, const Block& b, Place saved, F f) {
  const T* dy = at<T>(b, op.dy);
  const T* values = at<T>(b, saved);
  T* dx = at<T>(b, op.dx);
  const int64_t numbers = op.elements * L;
  for (int64_t i = 0; i < numbers; i += L) store<T, L>(dx + i, f(load<T, L>(dy + i), load<T, L>(values + i)));
}

// Written so that NaN, for which no comparison is true, stays NaN.
template <class T, int L>
void relu_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T, L>(op, b, [](Vec<T, L> x) { return x < T(0) ? Vec<T, L>{} : x; });
}

template <class T, int L>
void relu_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T, L>(op, b, op.y, [](Vec<T, L> dy, Vec<T, L> y) { return y > T(0) ? dy : Vec<T, L>{}; });
}

template <class T, int L>
void leaky_relu_forward(const ElementwiseOp& op, const Block& b) {
  const T slope = T(op.slope);
  map_elements<T, L>(op, b, [slope](Vec<T, L> x) { return x > T(0) ? x : x * slope; });
}

template <class T, int L>
void leaky_relu_backward(const ElementwiseOp& op, const Block& b) {
  const T slope = T(op.slope);
  map_gradients<T, L>(op, b, op.x, [slope](Vec<T, L> dy, Vec<T, L> x) { return x > T(0) ? dy : dy * slope; });
}

template <class T, int L>
void sigmoid_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T, L>(op, b, [](Vec<T, L> x) { return sigmoid<T, L>(x); });
}

template <class T, int L>
void sigmoid_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T, L>(op, b, op.y, [](Vec<T, L> dy, Vec<T, L> y) { return dy * (y * (T(1) - y)); });
}

template <class T, int L>
void tanh_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T, L>(op, b, [](Vec<T, L> x) { return tanh<T, L>(x); });
}

template <class T, int L>
void tanh_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T, L>(op, b, op.y, [](Vec<T, L> dy, Vec<T, L> y) { return dy * (T(1) - y * y); });
}

constexpr double kAmplitude = 1.7159, kSteepness = 2.0 / 3.0;  // of LeNet-5's squashing function

template <class T, int L>
void scaled_tanh_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T, L>(op, b, [](Vec<T, L> x) { return T(kAmplitude) * tanh<T, L>(T(kSteepness) * x); });
}

template <class T, int L>
void scaled_tanh_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T, L>(op, b, op.y, [](Vec<T, L> dy, Vec<T, L> y) {
    return dy * (T(kSteepness) * (T(kAmplitude) - y * y * T(1 / kAmplitude)));
  });
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
