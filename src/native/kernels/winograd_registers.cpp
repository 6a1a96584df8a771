// Winograd's algorithm forward where the inputs of a few rows, at the points, fit into the nearest cache: the
// sums at all points of a tile stay in registers, and what leaves them are outputs, or already the maxima of
// pairs of rows and columns. Nothing at the points is stored but the inputs.
#include "table.hpp"
#include "vector_math.hpp"
#include "winograd.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

constexpr int kNearBytes = 16 * 1024;  // of inputs at the points, over which all filters pass in turn

// One row of outputs for one tile of filters. Distances in numbers: `v_*` in the inputs at the points
// [channel][row][tile][point], w_channel in the weights [channel][kernel row][point][filter of the tile].
struct PointSums {
  int channels, taps, tiles, columns;
  int64_t v_channel, v_row, w_channel, y_filter;
  bool pairs, first;  // pairs: of outputs; their maxima are written by the first row, the second joins in
};

template <class T, int L, int M>
CHAINRULE_INLINE void store_outputs(const Vec<T, L> (&outputs)[M], T shift, int columns, T* y) {
#pragma GCC unroll 8
  for (int j = 0; j < M; ++j)
    if (j < columns) store<T, L>(y + j * L, outputs[j] + shift);
}

// Rounding keeps the order of numbers, so the bias may as well be added to the maximum. Winners are numbered
// in the order of the pixels, and the first among equals wins.
template <class T, int L, int M, bool kWinners>
CHAINRULE_INLINE void store_maxima(const Vec<T, L> (&outputs)[M], T shift, int columns, bool first, T* y,
                                   T* winners) {
  using V = Vec<T, L>;
#pragma GCC unroll 4
  for (int j = 0; j + 1 < M; j += 2, y += L, winners += kWinners ? L : 0) {
    if (j + 1 >= columns) return;
    const auto right = beats<T, L>(outputs[j + 1], outputs[j]);
    V largest = right ? outputs[j + 1] : outputs[j], winner = right ? V{} + T(1) : V{};
    if (!first) {
      const V above = load<T, L>(y);
      const auto below = beats<T, L>(largest, above);
      largest = (below ? largest : above) + shift;
      if (kWinners) winner = below ? winner + T(2) : load<T, L>(winners);
    }
    store<T, L>(y, largest);
    if (kWinners) store<T, L>(winners, winner);
  }
}

template <class T, int L, int P, int M, int F>
__attribute__((noinline)) void point_sums(const PointSums& walk, const T* v, const T* w, const T* bias, T* y,
                                          T* winners) {
  int columns = walk.columns;
  for (int t = 0; t < walk.tiles; ++t, columns -= M, v += P * L) {
    Vec<T, L> sums[F][P] = {};
    const T *v_channel = v, *w_channel = w;
    for (int c = 0; c < walk.channels; ++c) {
      const T *v_row = v_channel, *w_row = w_channel;
      for (int i = 0; i < walk.taps; ++i) {
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) {
          Vec<T, L> value = load<T, L>(v_row + p * L);
          keep_in_register(value);
#pragma GCC unroll 3
          for (int f = 0; f < F; ++f) sums[f][p] += value * w_row[p * F + f];
        }
        v_row += walk.v_row, w_row += P * F;
      }
      v_channel += walk.v_channel, w_channel += walk.w_channel;
    }
#pragma GCC unroll 3
    for (int f = 0; f < F; ++f) {
      Vec<T, L> outputs[M];
      points_to_outputs<T, L, P, M>(sums[f], outputs);
      const T shift = bias == nullptr ? T(0) : bias[f];
      T* to = y + f * walk.y_filter;
      if (!walk.pairs)
        store_outputs<T, L, M>(outputs, shift, columns, to);
      else if (winners == nullptr)
        store_maxima<T, L, M, false>(outputs, shift, columns, walk.first, to, nullptr);
      else
        store_maxima<T, L, M, true>(outputs, shift, columns, walk.first, to, winners + f * walk.y_filter);
    }
    y += (walk.pairs ? M / 2 : M) * L;
    if (winners != nullptr) winners += M / 2 * L;
  }
}

template <class T>
using PointSumsOf = void (*)(const PointSums&, const T* v, const T* w, const T* bias, T* y, T* winners);

// By two or three filters: one alone does without.
template <class T, int L, int P, int M>
CHAINRULE_INLINE PointSumsOf<T> point_sums_for(int filters) {
  return filters == 2 ? point_sums<T, L, P, M, 2> : point_sums<T, L, P, M, kPointFilters>;
}

template <class T, int L>
CHAINRULE_INLINE PointSumsOf<T> point_sums_for(const WinogradOp& op, int filters) {
  if (op.points == 6) return point_sums_for<T, L, 6, 4>(filters);
  return op.columns.kernel_size == 3 ? point_sums_for<T, L, 8, 6>(filters)
                                     : point_sums_for<T, L, 8, 4>(filters);
}

}  // namespace

template <class T, int L>
void strip_in_registers(const WinogradOp& op, const Strip& strip, const T* points, const T* w, const T* bias,
                        T* y, T* winners) {
  const FilterTiles filters(op.out);
  const int side = op.pairs ? 2 : 1, out_rows = op.rows.size / side, out_columns = op.columns.size / side;
  const int width = tiles_of_row(op), outputs = outputs_of_tile(op), kernel_rows = op.rows.kernel_size;
  const int64_t tile = int64_t(op.points) * L,
                inputs_of_tile = op.in * kernel_rows * tile * int64_t(sizeof(T));
  const int near = int(larger(1, kNearBytes / inputs_of_tile));
  PointSums walk;
  walk.channels = op.in, walk.pairs = op.pairs;
  walk.v_channel = strip.columns.source_size * tile, walk.v_row = width * tile;
  walk.y_filter = int64_t(out_rows) * out_columns * L;
  for (int r = 0; r < strip.columns.run_count; ++r) {
    const Run& run = strip.columns.runs[r];
    walk.taps = run.taps.count;
    for (int place = 0; place < run.count; place += width) {
      const int row = strip.begin + (run.begin + place) / width;
      if (row / side >= out_rows) return;
      walk.first = row % side == 0;
      for (int t = 0; t < width; t += near) {
        walk.tiles = int(smaller(near, width - t)), walk.columns = op.columns.size - t * outputs;
        const T* v = points + (run.taps.source + place + t) * tile;
        const int64_t corner = (int64_t(row / side) * out_columns + t * outputs / side) * L;
        for (int k = 0; k < filters.count; ++k) {
          const int first = filters.begin(k), size = filters.size(k);
          walk.w_channel = int64_t(kernel_rows) * op.points * size;
          point_sums_for<T, L>(op, size)(
              walk, v, w + (int64_t(first) * op.in * kernel_rows + run.taps.first * size) * op.points,
              bias == nullptr ? nullptr : bias + first, y + first * walk.y_filter + corner,
              winners == nullptr ? nullptr : winners + first * walk.y_filter + corner);
        }
      }
    }
  }
}

#define CHAINRULE_INSTANTIATE(T, L)                                                                         \
  template void strip_in_registers<T, L>(const WinogradOp&, const Strip&, const T*, const T*, const T*, T*, \
                                         T*);
#if defined(__AVX512F__) || defined(__aarch64__)
CHAINRULE_FOR_MANY_LANES(CHAINRULE_INSTANTIATE)
#endif

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
