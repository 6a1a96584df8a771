// Local response normalisation over neighbouring channels.
#pragma once

#include "common.hpp"
#include "vector_math.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// s^-beta; the usual exponents by square roots.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> damping(Vec<T, L> scale, double beta) {
  if (beta == 0.75) {
    const Vec<T, L> root = square_root<T, L>(scale);
    return T(1) / (root * square_root<T, L>(root));
  }
  if (beta == 0.5) return T(1) / square_root<T, L>(scale);
  return pow<T, L>(scale, T(-beta));
}

// y_c = x_c s_c^-beta, s_c = k + alpha / size * sum of x² over the channels c - before .. c + after.
template <class T, int L>
void response_norm_forward(const ResponseNormOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T *y = at<T>(b, op.y), *scale = at<T>(b, op.scale);
  const int64_t channels = op.channels, places = op.places, before = op.size / 2, after = (op.size - 1) / 2;
  const T factor = T(op.alpha / op.size), k = T(op.k);
  const double beta = op.beta;
  for (int64_t channel = 0; channel < channels; ++channel) {
    const int64_t begin = larger(channel - before, 0), end = smaller(channel + after + 1, channels);
    for (int64_t place = 0; place < places; ++place) {
      Vec<T, L> squares = {};
      for (int64_t c = begin; c < end; ++c) {
        const Vec<T, L> near = load<T, L>(x + (c * places + place) * L);
        squares += near * near;
      }
      const Vec<T, L> s = squares * factor + k;
      const int64_t i = (channel * places + place) * L;
      store<T, L>(scale + i, s);
      store<T, L>(y + i, load<T, L>(x + i) * damping<T, L>(s, beta));
    }
  }
}

// dx_c = dy_c s_c^-beta - 2 alpha beta / size x_c sum of dy x s^(-beta-1) over the channels c' that c is
// near: the mirrored window. The first pass leaves the terms of that sum in the place of `scale`, which
// nobody needs after it.
template <class T, int L>
void response_norm_backward(const ResponseNormOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy);
  T *dx = at<T>(b, op.dx), *scale = at<T>(b, op.scale);
  const int64_t channels = op.channels, places = op.places, before = (op.size - 1) / 2, after = op.size / 2;
  const double beta = op.beta;
  for (int64_t i = 0; i < channels * places * L; i += L) {
    const Vec<T, L> s = load<T, L>(scale + i), direct = load<T, L>(dy + i) * damping<T, L>(s, beta);
    store<T, L>(scale + i, direct * load<T, L>(x + i) / s);
    store<T, L>(dx + i, direct);
  }
  const T factor = T(2 * op.alpha * beta / op.size);
  for (int64_t channel = 0; channel < channels; ++channel) {
    const int64_t begin = larger(channel - before, 0), end = smaller(channel + after + 1, channels);
    for (int64_t place = 0; place < places; ++place) {
      Vec<T, L> sum = {};
      for (int64_t c = begin; c < end; ++c) sum += load<T, L>(scale + (c * places + place) * L);
      const int64_t i = (channel * places + place) * L;
      store<T, L>(dx + i, load<T, L>(dx + i) - factor * load<T, L>(x + i) * sum);
    }
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
