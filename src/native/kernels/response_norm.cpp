// Local response normalisation over neighbouring channels.
#include "table.hpp"
#include "vector_math.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// s^-beta; the usual exponents by square roots.
template <class T>
CHAINRULE_INLINE Lanes<T> damping(Lanes<T> scale, double beta) {
  constexpr int N = kChannelVector<T>;
  if (beta == 0.75) {
    const Lanes<T> root = square_root<T, N>(scale);
    return T(1) / (root * square_root<T, N>(root));
  }
  if (beta == 0.5) return T(1) / square_root<T, N>(scale);
  return pow<T, N>(scale, T(-beta));
}

// y_c = x_c s_c^-beta, s_c = k + alpha / size * sum of x² over the channels c - before .. c + after.
template <class T>
void response_norm_forward(const ResponseNormOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T *y = at<T>(b, op.y), *scale = at<T>(b, op.scale);
  const int64_t channels = op.channels, numbers = int64_t{op.places} * b.lanes;  // of a channel
  const int64_t before = op.size / 2, after = (op.size - 1) / 2;
  const T factor = T(op.alpha / op.size), k = T(op.k);
  const double beta = op.beta;
  for (int64_t channel = 0; channel < channels; ++channel) {
    const int64_t begin = larger(channel - before, 0), end = smaller(channel + after + 1, channels);
    for_vectors<T>(numbers, [&](int64_t column, int64_t count) {
      Lanes<T> squares = {};
      for (int64_t c = begin; c < end; ++c) {
        const Lanes<T> near = load_first(x + c * numbers + column, count);
        squares += near * near;
      }
      const Lanes<T> s = squares * factor + k;
      const int64_t i = channel * numbers + column;
      store_first(scale + i, s, count);
      store_first(y + i, load_first(x + i, count) * damping<T>(s, beta), count);
    });
  }
}

// dx_c = dy_c s_c^-beta - 2 alpha beta / size x_c sum of dy x s^(-beta-1) over the channels c' that c is
// near: the mirrored window. The first pass leaves the terms of that sum in the place of `scale`, which
// nobody needs after it.
template <class T>
void response_norm_backward(const ResponseNormOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy);
  T *dx = at<T>(b, op.dx), *scale = at<T>(b, op.scale);
  const int64_t channels = op.channels, numbers = int64_t{op.places} * b.lanes;
  const int64_t before = (op.size - 1) / 2, after = op.size / 2;
  const double beta = op.beta;
  for_vectors<T>(channels * numbers, [&](int64_t i, int64_t count) {
    const Lanes<T> s = load_first(scale + i, count), direct = load_first(dy + i, count) * damping<T>(s, beta);
    store_first(scale + i, direct * load_first(x + i, count) / s, count);
    store_first(dx + i, direct, count);
  });
  const T factor = T(2 * op.alpha * beta / op.size);
  for (int64_t channel = 0; channel < channels; ++channel) {
    const int64_t begin = larger(channel - before, 0), end = smaller(channel + after + 1, channels);
    for_vectors<T>(numbers, [&](int64_t column, int64_t count) {
      Lanes<T> sum = {};
      for (int64_t c = begin; c < end; ++c) sum += load_first(scale + c * numbers + column, count);
      const int64_t i = channel * numbers + column;
      store_first(dx + i, load_first(dx + i, count) - factor * load_first(x + i, count) * sum, count);
    });
  }
}

template <class T>
void add_response_norm(KernelTable& table) {
  add<OpKind::response_norm_forward, response_norm_forward<T>>(table);
  add<OpKind::response_norm_backward, response_norm_backward<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_response_norm<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
