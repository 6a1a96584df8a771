// Max pooling. The place of the maximum is not stored: going back, it is the first pixel of the window
// that equals y.
#pragma once

#include "single_max_pool.hpp"
#include "vector_math.hpp"
#include "windows.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// A NaN wins over any number; pixels outside the map are skipped.
template <class T, int L>
struct LargestPixel {
  CHAINRULE_INLINE Vec<T, L> begin() const { return broadcast<T, L>(T(-__builtin_inf())); }
  CHAINRULE_INLINE void take(Vec<T, L>& largest, Vec<T, L> x, int32_t) const {
    largest = maximum<T, L>(x, largest);
  }
  CHAINRULE_INLINE Vec<T, L> finish(Vec<T, L> largest, int32_t) const { return largest; }
};

// The winner takes the whole gradient and leaves none for the pixels after it.
template <class T, int L>
struct WinnersShare {
  const T *x, *y, *dy;

  struct State {
    Vec<T, L> y, left;
  };
  CHAINRULE_INLINE State begin(int64_t output, int32_t) const {
    return {load<T, L>(y + output * L), load<T, L>(dy + output * L)};
  }
  CHAINRULE_INLINE Vec<T, L> give(State& state, int64_t pixel, int32_t) const {
    const Vec<T, L> value = load<T, L>(x + pixel * L), zero = {};
    const auto won = (value == state.y) | (value != value);  // NaN in a window is its winner
    const Vec<T, L> share = won ? state.left : zero;
    state.left = won ? zero : state.left;
    return share;
  }
};

template <class T, int L>
void max_pool_forward(const PoolOp& op, const Block& b) {
  if constexpr (L == 1)
    max_pool_forward_single<T>(op, b);
  else
    pool_forward<T, L>(op, b, LargestPixel<T, L>{});
}

template <class T, int L>
void max_pool_backward(const PoolOp& op, const Block& b) {
  if constexpr (L == 1)
    max_pool_backward_single<T>(op, b);
  else
    pool_backward<T, L>(op, b, WinnersShare<T, L>{at<T>(b, op.x), at<T>(b, op.y), at<T>(b, op.dy)});
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
