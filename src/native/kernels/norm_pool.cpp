// Pooling by the Lp norm: y = (sum x^p)^(1/p), with |x| for x if p is no integer. A negative sum (odd p) has
// its real root. Powers 1 and 2 of p, by far the most used, need no logarithm.
#include "table.hpp"
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
template <class T>
__attribute__((noinline)) Lanes<T> integer_power(Lanes<T> x, int64_t n) {
  Lanes<T> result = broadcast_lanes(T(1));
  for (; n > 0; n /= 2, x *= x)
    if (n % 2 != 0) result *= x;
  return result;
}

// |x|^p
template <class T>
__attribute__((noinline)) Lanes<T> real_power(Lanes<T> x, T p) {
  constexpr int N = kChannelVector<T>;
  return pow<T, N>(absolute<T, N>(x), p);
}

template <class T>
struct PixelNorm {
  Norm norm;
  double p;

  CHAINRULE_INLINE Lanes<T> begin() const { return Lanes<T>{}; }
  CHAINRULE_INLINE void take(Lanes<T>& sum, Lanes<T> x, int32_t) const {
    sum += norm == Norm::kOne       ? x
           : norm == Norm::kTwo     ? x * x
           : norm == Norm::kInteger ? integer_power<T>(x, int64_t(p))
                                    : real_power<T>(x, T(p));
  }
  CHAINRULE_INLINE Lanes<T> finish(Lanes<T> sum, int32_t) const {
    if (norm == Norm::kOne) return sum;
    if (norm == Norm::kTwo) return square_root<T, kChannelVector<T>>(sum);
    return with_sign<T, kChannelVector<T>>(real_power<T>(sum, T(1 / p)), sum);
  }
};

// dx = dy (x / y)^(p - 1), which keeps the sign of x / y if p is no integer; 0 where y is 0, which has
// no derivative.
template <class T>
struct NormShare {
  AnyLanes<T> access;
  const T *x, *y, *dy;
  Norm norm;
  double p;

  struct State {
    Lanes<T> dy, inverse;
  };
  CHAINRULE_INLINE State begin(int64_t output, int32_t) const {
    const Lanes<T> value = access.load_at(dy + output * access.lanes);
    if (norm == Norm::kOne) return {value, value};
    const Lanes<T> size = access.load_at(y + output * access.lanes), zero = {};
    return {size == T(0) ? zero : value, T(1) / (size == T(0) ? zero + T(1) : size)};
  }
  CHAINRULE_INLINE Lanes<T> give(const State& state, int64_t pixel, int32_t) const {
    if (norm == Norm::kOne) return state.dy;
    const Lanes<T> ratio = access.load_at(x + pixel * access.lanes) * state.inverse;
    if (norm == Norm::kTwo) return state.dy * ratio;
    if (norm == Norm::kInteger) return state.dy * integer_power<T>(ratio, int64_t(p) - 1);
    return state.dy * with_sign<T, kChannelVector<T>>(real_power<T>(ratio, T(p - 1)), ratio);
  }
};

template <class T>
void lp_pool_forward(const PoolOp& op, const Block& b) {
  pool_forward<T>(op, b, PixelNorm<T>{norm_kind(op.norm), op.norm});
}

template <class T>
void lp_pool_backward(const PoolOp& op, const Block& b) {
  pool_backward<T>(op, b,
                   NormShare<T>{AnyLanes<T>(b), at<T>(b, op.x), at<T>(b, op.y), at<T>(b, op.dy),
                                norm_kind(op.norm), op.norm});
}

template <class T>
void add_norm_pool(KernelTable& table) {
  add<OpKind::lp_pool_forward, lp_pool_forward<T>>(table);
  add<OpKind::lp_pool_backward, lp_pool_backward<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_norm_pool<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
