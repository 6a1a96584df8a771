// Pooling by the Lp norm: y = (sum x^p)^(1/p), with |x| for x if p is no integer. A negative sum (odd p) has
// its real root. Powers 1 and 2 of p, by far the most used, need no logarithm.
#pragma once

#include "vector_math.hpp"
#include "windows.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

enum class Norm : int32_t { kOne, kTwo, kInteger, kReal };

CHAINRULE_INLINE Norm norm_kind(double p) {
  if (p == 1) return Norm::kOne;
  if (p == 2) return Norm::kTwo;
  return p < 0x1p62 && p == double(int64_t(p)) ? Norm::kInteger : Norm::kReal;
}

// x^n by squaring.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> integer_power(Vec<T, L> x, int64_t n) {
  Vec<T, L> result = broadcast<T, L>(1);
  for (; n > 0; n /= 2, x *= x)
    if (n % 2 != 0) result *= x;
  return result;
}

template <class T, int L, Norm kNorm>
CHAINRULE_INLINE Vec<T, L> norm_power(Vec<T, L> x, double p) {
  switch (kNorm) {
    case Norm::kOne:
      return x;
    case Norm::kTwo:
      return x * x;
    case Norm::kInteger:
      return integer_power<T, L>(x, int64_t(p));
    default:
      return pow<T, L>(absolute<T, L>(x), T(p));
  }
}

template <class T, int L, Norm kNorm>
struct PixelNorm {
  double p;

  CHAINRULE_INLINE Vec<T, L> begin() const { return Vec<T, L>{}; }
  CHAINRULE_INLINE void take(Vec<T, L>& sum, Vec<T, L> x, int32_t) const {
    sum += norm_power<T, L, kNorm>(x, p);
  }
  CHAINRULE_INLINE Vec<T, L> finish(Vec<T, L> sum, int32_t) const {
    if (kNorm == Norm::kOne) return sum;
    if (kNorm == Norm::kTwo) return square_root<T, L>(sum);
    return with_sign<T, L>(pow<T, L>(absolute<T, L>(sum), T(1 / p)), sum);
  }
};

// dx = dy (x / y)^(p - 1), which keeps the sign of x / y if p is no integer; 0 where y is 0, which has
// no derivative.
template <class T, int L, Norm kNorm>
struct NormShare {
  const T *x, *y, *dy;
  double p;

  struct State {
    Vec<T, L> dy, inverse;
  };
  CHAINRULE_INLINE State begin(int64_t output, int32_t) const {
    const Vec<T, L> value = load<T, L>(dy + output * L);
    if (kNorm == Norm::kOne) return {value, value};
    const Vec<T, L> norm = load<T, L>(y + output * L), zero = {};
    return {norm == T(0) ? zero : value, T(1) / (norm == T(0) ? zero + T(1) : norm)};
  }
  CHAINRULE_INLINE Vec<T, L> give(const State& state, int64_t pixel, int32_t) const {
    if (kNorm == Norm::kOne) return state.dy;
    const Vec<T, L> ratio = load<T, L>(x + pixel * L) * state.inverse;
    if (kNorm == Norm::kReal)
      return state.dy * with_sign<T, L>(pow<T, L>(absolute<T, L>(ratio), T(p - 1)), ratio);
    return state.dy * (kNorm == Norm::kTwo ? ratio : integer_power<T, L>(ratio, int64_t(p) - 1));
  }
};

// Where powers are the cost, the general loops will do: they are long code when powers are melted into them.
template <class T, int L, Norm kNorm>
CHAINRULE_INLINE void norm_pool_forward(const PoolOp& op, const Block& b) {
  const PixelNorm<T, L, kNorm> window = {op.norm};
  if constexpr (kNorm == Norm::kOne || kNorm == Norm::kTwo)
    pool_forward<T, L>(op, b, window);
  else
    pool_loops<T, L, 0>(op, b, window);
}

template <class T, int L, Norm kNorm>
CHAINRULE_INLINE void norm_pool_backward(const PoolOp& op, const Block& b) {
  const NormShare<T, L, kNorm> window = {at<T>(b, op.x), at<T>(b, op.y), at<T>(b, op.dy), op.norm};
  if constexpr (kNorm == Norm::kOne || kNorm == Norm::kTwo)
    pool_backward<T, L>(op, b, window);
  else
    unpool_loops<T, L, 0, true>(op, b, window);  // adding to zeros is right for windows apart, too
}

template <class T, int L>
void lp_pool_forward(const PoolOp& op, const Block& b) {
  switch (norm_kind(op.norm)) {
    case Norm::kOne:
      return norm_pool_forward<T, L, Norm::kOne>(op, b);
    case Norm::kTwo:
      return norm_pool_forward<T, L, Norm::kTwo>(op, b);
    case Norm::kInteger:
      return norm_pool_forward<T, L, Norm::kInteger>(op, b);
    case Norm::kReal:
      return norm_pool_forward<T, L, Norm::kReal>(op, b);
  }
}

template <class T, int L>
void lp_pool_backward(const PoolOp& op, const Block& b) {
  switch (norm_kind(op.norm)) {
    case Norm::kOne:
      return norm_pool_backward<T, L, Norm::kOne>(op, b);
    case Norm::kTwo:
      return norm_pool_backward<T, L, Norm::kTwo>(op, b);
    case Norm::kInteger:
      return norm_pool_backward<T, L, Norm::kInteger>(op, b);
    case Norm::kReal:
      return norm_pool_backward<T, L, Norm::kReal>(op, b);
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
