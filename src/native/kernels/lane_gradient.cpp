// Gradients of weights by vectors of lanes, and their sums over the lanes.
#include "table.hpp"
#include "transpose.hpp"
#include "weight_gradient.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

template <class T>
constexpr int kGradientFilters = !kManyTiles<T>     ? 2
                                 : kRegisters == 32 ? 4
                                                    : 3;
template <class T>
constexpr int kGradientTaps = kManyTiles<T> && kRegisters == 32 ? kMostTapsOfTile : 3;

template <class T, int L, int F, int S>
__attribute__((noinline)) void gradient_tile(const GradientWalk& walk, const T* x, const T* dy, T* raw) {
  Vec<T, L> sums[F][S];
#pragma GCC unroll 4
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 6
    for (int s = 0; s < S; ++s) sums[f][s] = load<T, L>(raw + f * walk.raw_filter + walk.raw_tap[s]);
  for (int p = 0; p < walk.rows; ++p) {
    const T *xq = x, *dyq = dy;
    for (int q = 0; q < walk.columns; ++q) {
      Vec<T, L> deltas[F];
#pragma GCC unroll 4
      for (int f = 0; f < F; ++f) deltas[f] = load<T, L>(dyq + f * walk.dy_filter);
#pragma GCC unroll 6
      for (int s = 0; s < S; ++s) {
        const Vec<T, L> value = load<T, L>(xq + walk.x_tap[s]);
#pragma GCC unroll 4
        for (int f = 0; f < F; ++f) sums[f][s] += deltas[f] * value;
      }
      xq += walk.x_column, dyq += walk.dy_column;
    }
    x += walk.x_row, dy += walk.dy_row;
  }
#pragma GCC unroll 4
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 6
    for (int s = 0; s < S; ++s) store<T, L>(raw + f * walk.raw_filter + walk.raw_tap[s], sums[f][s]);
}

template <class T>
using GradientTile = void (*)(const GradientWalk&, const T*, const T*, T*);

template <class T, int L, int F>
CHAINRULE_INLINE GradientTile<T> gradient_tile_for(int taps) {
  if constexpr (kGradientTaps<T> == 6) {
    if (taps == 6) return gradient_tile<T, L, F, 6>;
    if (taps == 5) return gradient_tile<T, L, F, 5>;
    if (taps == 4) return gradient_tile<T, L, F, 4>;
  }
  return taps == 3   ? gradient_tile<T, L, F, 3>
         : taps == 2 ? gradient_tile<T, L, F, 2>
                     : gradient_tile<T, L, F, 1>;
}

template <class T, int L>
CHAINRULE_INLINE GradientTile<T> gradient_tile_for(int filters, int taps) {
  if constexpr (kGradientFilters<T> > 3)
    if (filters == 4) return gradient_tile_for<T, L, 4>(taps);
  if constexpr (kGradientFilters<T> > 2)
    if (filters == 3) return gradient_tile_for<T, L, 3>(taps);
  return filters == 2 ? gradient_tile_for<T, L, 2>(taps) : gradient_tile_for<T, L, 1>(taps);
}

// Filters by vectors of lanes, for one row of taps.
template <class T, int L>
CHAINRULE_INLINE void gradient_of_tap_row(const WeightGradientOp& op, const T* x, const T* dy, T* raw,
                                          int filters, int tap_row, const TapSpan& rows, const Run& columns) {
  dy += (int64_t(rows.begin) * op.columns.size + columns.begin) * L;
  for_taps_of_row<L, kGradientTaps<T>>(op, rows, columns, tap_row,
                                       [&](const GradientWalk& walk, int64_t source, int taps) {
                                         gradient_tile_for<T, L>(filters, taps)(walk, x + source, dy, raw);
                                       });
}

}  // namespace

template <class T, int L>
void add_up_lanes(const T* sums, T* raw, int64_t count, bool write) {
  for (int64_t i = 0; i < count; i += L) {
    Vec<T, L> rows[L];
#pragma GCC unroll 16
    for (int k = 0; k < L; ++k) rows[k] = load<T, L>(sums + (i + k) * L);
    const Vec<T, L> total = sum_of_lanes<T, L>(rows);
    store<T, L>(raw + i, write ? total : load<T, L>(raw + i) + total);
  }
}

template <class T, int L>
void weight_sums(const WeightGradientOp& op, const T* x, const T* dy, T* sums) {
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int tiles = (op.out + kGradientFilters<T> - 1) / kGradientFilters<T>;
  for (int g = 0; g < op.groups; ++g)
    for (int t = 0; t < tiles; ++t) {
      const int first = int64_t(t) * op.out / tiles, next = int64_t(t + 1) * op.out / tiles;
      const T* tile_x = x + g * op.in * source_map * L;
      const T* tile_dy = dy + (g * op.out + first) * map * L;
      T* tile_sums = sums + (g * op.out + first) * op.in * kernel * L;
      for (int r = 0; r < op.columns.run_count; ++r) {
        const Run& columns = op.columns.runs[r];
        if (columns.taps.count == 0) continue;
        // So many rows at a time that dy stays in the nearest cache while all rows of taps pass over it; the
        // narrow runs at the border stay there anyway.
        const int per_strip = columns.count < 8 ? op.rows.size : int(larger(1, 128 / columns.count));
        for (int begin = 0; begin < op.rows.size; begin += per_strip)
          for (int i = 0; i < op.rows.kernel_size; ++i) {
            const TapSpan rows = part_of_span(span_of_tap(op.rows, i), op.rows, begin, begin + per_strip);
            if (rows.begin < rows.end)
              gradient_of_tap_row<T, L>(op, tile_x, tile_dy, tile_sums, next - first, i, rows, columns);
          }
      }
    }
}

template <class T, int L>
void weight_gradient(const WeightGradientOp& op, const Block& b) {
  const int64_t weights = int64_t(op.groups) * op.out * op.in * op.rows.kernel_size * op.columns.kernel_size;
  T* sums = at<T>(b, op.sums);
  for (int64_t i = 0; i < (weights + L - 1) / L * L; ++i) store<T, L>(sums + i * L, Vec<T, L>{});
  weight_sums<T, L>(op, at<T>(b, op.x), at<T>(b, op.dy), sums);
  add_up_lanes<T, L>(sums, gradients<T>(b, op.raw), weights, op.starts && b.fresh);
}

template <class T, int L>
void add_lane_gradient(KernelTable& table) {
  add<OpKind::weight_gradient, weight_gradient<T, L>>(table);
}

#define CHAINRULE_INSTANTIATE(T, L)                              \
  template void add_lane_gradient<T, L>(KernelTable&);           \
  template void add_up_lanes<T, L>(const T*, T*, int64_t, bool); \
  template void weight_sums<T, L>(const WeightGradientOp&, const T*, const T*, T*);
CHAINRULE_FOR_MANY_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
