// The tiles of a convolution: some filters by some columns, whose sums stay in registers while all taps
// stream past. Each weight enters its multiply-adds as a broadcast, each input vector serves all filters of
// the tile.
#pragma once

#include "convolution.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Columns beside one another, so that few filters still fill the pipeline.
constexpr int columns_of_tile(int filters) {
  const int columns = (kRegisters == 32 ? 20 : 12) / filters;
  return columns < 1 ? 1 : columns > 8 ? 8 : columns;
}

// The vectors of a tile; without `aligned` they may begin at any number.
template <class T, int L, bool aligned>
CHAINRULE_INLINE Vec<T, L> load_as(const T* p) {
  return aligned ? load<T, L>(p) : load_unaligned<T, L>(p);
}
template <class T, int L, bool aligned>
CHAINRULE_INLINE void store_as(T* p, Vec<T, L> v) {
  aligned ? store<T, L>(p, v) : store_unaligned<T, L>(p, v);
}

template <class T, int L, int F, int C, bool aligned = true>
CHAINRULE_INLINE void convolve_tile(const Walk& walk, const T* x, int64_t x_column, const T* w, const T* bias,
                                    T* y, int64_t y_filter, int64_t y_column) {
  Vec<T, L> sums[F][C];
#pragma GCC unroll 16
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 8
    for (int k = 0; k < C; ++k)
      sums[f][k] =
          walk.resumes ? load_as<T, L, aligned>(y + f * y_filter + k * y_column) : broadcast<T, L>(bias[f]);

  for (int c = 0; c < walk.channels; ++c) {
    const T *x_row = x, *w_row = w;
    __builtin_prefetch(w + 8 * walk.w_channel);
    for (int i = 0; i < walk.rows; ++i) {
      const T *x_tap = x_row, *w_tap = w_row;
      for (int j = 0; j < walk.taps; ++j) {
        Vec<T, L> values[C];
#pragma GCC unroll 8
        for (int k = 0; k < C; ++k) values[k] = load_as<T, L, aligned>(x_tap + k * x_column);
#pragma GCC unroll 16
        for (int f = 0; f < F; ++f)
#pragma GCC unroll 8
          for (int k = 0; k < C; ++k) sums[f][k] += values[k] * w_tap[f];
        x_tap += walk.x_tap, w_tap += walk.w_tap;
      }
      x_row += walk.x_row, w_row += walk.w_row;
    }
    x += walk.x_channel, w += walk.w_channel;
  }

#pragma GCC unroll 16
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 8
    for (int k = 0; k < C; ++k) store_as<T, L, aligned>(y + f * y_filter + k * y_column, sums[f][k]);
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
