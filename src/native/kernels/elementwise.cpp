// Activations of one number each. All may run in place: an element is read before it is written.
#include "table.hpp"
#include "vector_math.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// y = f(x).
template <class T, class F>
CHAINRULE_INLINE void map_elements(const ElementwiseOp& op, const Block& b, F f) {
  const T* x = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  for_vectors<T>(op.elements * b.lanes,
                 [&](int64_t i, int64_t count) { store_first(y + i, f(load_first(x + i, count)), count); });
}

// dx = f(dy, saved), where `saved` is the y or x in which the derivative is written.
template <class T, class F>
CHAINRULE_INLINE void map_gradients(const ElementwiseOp& op, const Block& b, Place saved, F f) {
  const T* dy = at<T>(b, op.dy);
  const T* values = at<T>(b, saved);
  T* dx = at<T>(b, op.dx);
  for_vectors<T>(op.elements * b.lanes, [&](int64_t i, int64_t count) {
    store_first(dx + i, f(load_first(dy + i, count), load_first(values + i, count)), count);
  });
}

// Written so that NaN, for which no comparison is true, stays NaN.
template <class T>
void relu_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T>(op, b, [](Lanes<T> x) { return x < T(0) ? Lanes<T>{} : x; });
}

template <class T>
void relu_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T>(op, b, op.y, [](Lanes<T> dy, Lanes<T> y) { return y > T(0) ? dy : Lanes<T>{}; });
}

template <class T>
void leaky_relu_forward(const ElementwiseOp& op, const Block& b) {
  const T slope = T(op.slope);
  map_elements<T>(op, b, [slope](Lanes<T> x) { return x > T(0) ? x : x * slope; });
}

template <class T>
void leaky_relu_backward(const ElementwiseOp& op, const Block& b) {
  const T slope = T(op.slope);
  map_gradients<T>(op, b, op.x, [slope](Lanes<T> dy, Lanes<T> x) { return x > T(0) ? dy : dy * slope; });
}

template <class T>
void sigmoid_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T>(op, b, [](Lanes<T> x) { return sigmoid<T, kChannelVector<T>>(x); });
}

template <class T>
void sigmoid_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T>(op, b, op.y, [](Lanes<T> dy, Lanes<T> y) { return dy * (y * (T(1) - y)); });
}

template <class T>
void tanh_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T>(op, b, [](Lanes<T> x) { return tanh<T, kChannelVector<T>>(x); });
}

template <class T>
void tanh_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T>(op, b, op.y, [](Lanes<T> dy, Lanes<T> y) { return dy * (T(1) - y * y); });
}

constexpr double kAmplitude = 1.7159, kSteepness = 2.0 / 3.0;  // of LeNet-5's squashing function

template <class T>
void scaled_tanh_forward(const ElementwiseOp& op, const Block& b) {
  map_elements<T>(op, b,
                  [](Lanes<T> x) { return T(kAmplitude) * tanh<T, kChannelVector<T>>(T(kSteepness) * x); });
}

template <class T>
void scaled_tanh_backward(const ElementwiseOp& op, const Block& b) {
  map_gradients<T>(op, b, op.y, [](Lanes<T> dy, Lanes<T> y) {
    return dy * (T(kSteepness) * (T(kAmplitude) - y * y * T(1 / kAmplitude)));
  });
}

template <class T>
void add_elementwise(KernelTable& table) {
  add<OpKind::relu_forward, relu_forward<T>>(table);
  add<OpKind::relu_backward, relu_backward<T>>(table);
  add<OpKind::leaky_relu_forward, leaky_relu_forward<T>>(table);
  add<OpKind::leaky_relu_backward, leaky_relu_backward<T>>(table);
  add<OpKind::sigmoid_forward, sigmoid_forward<T>>(table);
  add<OpKind::sigmoid_backward, sigmoid_backward<T>>(table);
  add<OpKind::tanh_forward, tanh_forward<T>>(table);
  add<OpKind::tanh_backward, tanh_backward<T>>(table);
  add<OpKind::scaled_tanh_forward, scaled_tanh_forward<T>>(table);
  add<OpKind::scaled_tanh_backward, scaled_tanh_backward<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_elementwise<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
