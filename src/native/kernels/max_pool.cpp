// Max pooling. The place of the maximum is not stored: going back, it is the first pixel of the window
// that equals y.
#include "table.hpp"
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

// Square windows of 2 or 3 that stay on the map get loops of fixed length: nearly all pooling is of this
// kind. Gives that size, or 0.
CHAINRULE_INLINE int fixed_size(const PoolOp& op) {
  const int size = op.kernel_rows;
  const bool inside = op.top == 0 && op.left == 0 && (op.out_rows - 1) * op.stride_rows + size <= op.rows &&
                      (op.out_columns - 1) * op.stride_columns + size <= op.columns;
  return inside && op.kernel_columns == size && (size == 2 || size == 3) ? size : 0;
}

template <class T, int L>
void max_pool_forward(const PoolOp& op, const Block& b) {
  const LargestPixel<T, L> window;
  const FixedLanes<T, L> access;
  switch (fixed_size(op)) {
    case 2:
      return pool_loops<2>(op, b, access, window);
    case 3:
      return pool_loops<3>(op, b, access, window);
    default:
      return pool_loops<0>(op, b, access, window);
  }
}

// Most windows of 2 lie apart, most of 3 overlap.
template <class T, int L>
void max_pool_backward(const PoolOp& op, const Block& b) {
  const WinnersShare<T, L> window = {at<T>(b, op.x), at<T>(b, op.y), at<T>(b, op.dy)};
  const FixedLanes<T, L> access;
  const bool overlap = windows_overlap(op);
  const int size = fixed_size(op);
  if (size == 2 && !overlap)
    unpool_loops<2>(op, b, access, window, false);
  else if (size == 3 && overlap)
    unpool_loops<3>(op, b, access, window, true);
  else
    unpool_loops<0>(op, b, access, window, overlap);
}

template <class T, int L>
void add_max_pool(KernelTable& table) {
  add<OpKind::max_pool_forward, max_pool_forward<T, L>>(table);
  add<OpKind::max_pool_backward, max_pool_backward<T, L>>(table);
}

#define CHAINRULE_INSTANTIATE(T, L) template void add_max_pool<T, L>(KernelTable&);
CHAINRULE_FOR_MANY_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
