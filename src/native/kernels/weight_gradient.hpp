// Gradients of weights, two ways.
//
// weight_gradient: few channels, large maps. A tile of accumulators, F filters times S taps, each a vector of
// lanes, stays in registers while all places of a run stream past.
//
// channel_gradient: many channels, and dense layers. The input is turned once, so that a vector holds
// neighbouring channels of one sample; then dw is a matrix product whose inner index is (place, lane), and no
// lanes are left to add.
#pragma once

#include "convolution.hpp"
#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Output rows (or columns) at which tap i lies inside the source, as [begin, end), and the source of the
// first.
struct TapSpan {
  int begin, end, source;
};
CHAINRULE_INLINE TapSpan span_of_tap(const Axis& axis, int tap) {
  const int shift = tap * axis.dilation - axis.padding;  // source = p * stride + shift
  int begin = 0;
  if (shift < 0) begin = (-shift + axis.stride - 1) / axis.stride;
  int end = shift >= axis.source_size ? 0 : (axis.source_size - 1 - shift) / axis.stride + 1;
  if (end > axis.size) end = axis.size;
  if (end < begin) end = begin;
  return {begin, end, begin * axis.stride + shift};
}

// What of a span lies in [begin, end).
CHAINRULE_INLINE TapSpan part_of_span(TapSpan span, const Axis& axis, int begin, int end) {
  if (begin > span.begin) span.source += (begin - span.begin) * axis.stride, span.begin = begin;
  if (end < span.end) span.end = end;
  return span;
}

constexpr int kGradientFilters = kRegisters == 32 ? 4 : 3;
constexpr int kGradientTaps = kRegisters == 32 ? 6 : 3;

struct GradientWalk {
  int rows, columns;                           // places
  int64_t x_row, x_column, dy_row, dy_column;  // distances in numbers
  int64_t x_tap[kGradientTaps];                // from the first tap's input to each tap's
  int64_t raw_tap[kGradientTaps];              // likewise in the raw gradient
  int64_t dy_filter, raw_filter;
};

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
  static constexpr GradientTile<T> tiles[] = {
      gradient_tile<T, L, F, 1>, gradient_tile<T, L, F, 2>, gradient_tile<T, L, F, 3>,
#if defined(__AVX512F__) || defined(__aarch64__)
      gradient_tile<T, L, F, 4>, gradient_tile<T, L, F, 5>, gradient_tile<T, L, F, 6>,
#endif
  };
  return tiles[taps - 1];
}

template <class T, int L>
CHAINRULE_INLINE GradientTile<T> gradient_tile_for(int filters, int taps) {
  switch (filters) {
    case 1:
      return gradient_tile_for<T, L, 1>(taps);
    case 2:
      return gradient_tile_for<T, L, 2>(taps);
    case 3:
      return gradient_tile_for<T, L, 3>(taps);
    default:
      return gradient_tile_for<T, L, kGradientFilters>(taps);
  }
}

// Calls body(walk, source, taps) for tiles of at most S pairs (channel, tap) of one row of taps and one run
// of columns.
template <int L, class Body>
CHAINRULE_INLINE void for_taps_of_row(const WeightGradientOp& op, const TapSpan& rows, const Run& columns,
                                      int tap_row, Body body) {
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  GradientWalk walk;
  walk.rows = rows.end - rows.begin, walk.columns = columns.count;
  walk.x_row = int64_t(op.rows.stride) * op.columns.source_size * L;
  walk.x_column = int64_t(op.columns.stride) * L;
  walk.dy_row = int64_t(op.columns.size) * L, walk.dy_column = L;
  walk.dy_filter = map * L, walk.raw_filter = op.in * kernel * L;
  const int64_t source = (int64_t(rows.source) * op.columns.source_size + columns.taps.source) * L;
  const int64_t first_tap = int64_t(tap_row) * op.columns.kernel_size + columns.taps.first;
  if (walk.columns < walk.rows) {  // the inner loop goes the longer way
    const int rows_before = walk.rows;
    walk.rows = walk.columns, walk.columns = rows_before;
    const int64_t x_before = walk.x_row, dy_before = walk.dy_row;
    walk.x_row = walk.x_column, walk.x_column = x_before;
    walk.dy_row = walk.dy_column, walk.dy_column = dy_before;
  }
  const int pairs = op.in * columns.taps.count;
  const int tiles = (pairs + kGradientTaps - 1) / kGradientTaps;
  int c = 0, j = 0;
  for (int t = 0; t < tiles; ++t) {
    const int count = int64_t(t + 1) * pairs / tiles - int64_t(t) * pairs / tiles;
    for (int s = 0; s < count; ++s) {
      walk.x_tap[s] = (c * source_map + int64_t(j) * columns.taps.source_step) * L;
      walk.raw_tap[s] = (c * kernel + first_tap + j) * L;
      if (++j == columns.taps.count) j = 0, ++c;
    }
    body(walk, source, count);
  }
}

// The same for F filters by vectors of lanes.
template <class T, int L>
CHAINRULE_INLINE void gradient_of_tap_row(const WeightGradientOp& op, const T* x, const T* dy, T* raw,
                                          int filters, int tap_row, const TapSpan& rows, const Run& columns) {
  dy += (int64_t(rows.begin) * op.columns.size + columns.begin) * L;
  for_taps_of_row<L>(op, rows, columns, tap_row, [&](const GradientWalk& walk, int64_t source, int taps) {
    gradient_tile_for<T, L>(filters, taps)(walk, x + source, dy, raw);
  });
}

// The lanes of `count` vectors added up, as `count` numbers; written, or added to what is there. Both arrays
// are padded to whole vectors.
template <class T, int L>
CHAINRULE_INLINE void add_up_lanes(const T* sums, T* raw, int64_t count, bool write) {
  for (int64_t i = 0; i < count; i += L) {
    Vec<T, L> rows[L];
#pragma GCC unroll 16
    for (int k = 0; k < L; ++k) rows[k] = load<T, L>(sums + (i + k) * L);
    const Vec<T, L> total = sum_of_lanes<T, L>(rows);
    store<T, L>(raw + i, write ? total : load<T, L>(raw + i) + total);
  }
}

// Adds to `sums`, an array with a vector of lanes for each weight.
template <class T, int L>
CHAINRULE_INLINE void weight_sums(const WeightGradientOp& op, const T* x, const T* dy, T* sums) {
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int tiles = (op.out + kGradientFilters - 1) / kGradientFilters;
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
void weight_gradient_lanes(const WeightGradientOp& op, const Block& b) {
  const int64_t weights = int64_t(op.groups) * op.out * op.in * op.rows.kernel_size * op.columns.kernel_size;
  T* sums = at<T>(b, op.sums);
  for (int64_t i = 0; i < (weights + L - 1) / L * L; ++i) store<T, L>(sums + i * L, Vec<T, L>{});
  weight_sums<T, L>(op, at<T>(b, op.x), at<T>(b, op.dy), sums);
  add_up_lanes<T, L>(sums, gradients<T>(b, op.raw), weights, op.starts && b.fresh);
}

// One sample: dy is turned, so that a vector holds neighbouring filters at one place, and the input is
// broadcast. A tile of S taps keeps its sums in registers.
template <class T, int S>
__attribute__((noinline)) void single_gradient_tile(const GradientWalk& walk, int64_t padded_out, int filters,
                                                    const T* x, const T* turned, T* raw) {
  constexpr int N = kChannelVector<T>;
  Vec<T, N> sums[S] = {};
  for (int p = 0; p < walk.rows; ++p) {
    const T *xq = x, *deltas = turned;
    for (int q = 0; q < walk.columns; ++q) {
      const Vec<T, N> delta = load<T, N>(deltas);
#pragma GCC unroll 6
      for (int s = 0; s < S; ++s) sums[s] += delta * xq[walk.x_tap[s]];
      xq += walk.x_column, deltas += walk.dy_column * padded_out;
    }
    x += walk.x_row, turned += walk.dy_row * padded_out;
  }
  for (int s = 0; s < S; ++s) {
    T numbers[N];
    store_unaligned<T, N>(numbers, sums[s]);
    for (int f = 0; f < filters; ++f) raw[f * walk.raw_filter + walk.raw_tap[s]] += numbers[f];
  }
}

template <class T>
CHAINRULE_INLINE auto single_gradient_tile_for(int taps) {
  using Tile = void (*)(const GradientWalk&, int64_t, int, const T*, const T*, T*);
  static constexpr Tile tiles[] = {
      single_gradient_tile<T, 1>, single_gradient_tile<T, 2>, single_gradient_tile<T, 3>,
#if defined(__AVX512F__) || defined(__aarch64__)
      single_gradient_tile<T, 4>, single_gradient_tile<T, 5>, single_gradient_tile<T, 6>,
#endif
  };
  return tiles[taps - 1];
}

template <class T>
void weight_gradient_single(const WeightGradientOp& op, const Block& b) {
  constexpr int N = kChannelVector<T>;
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int64_t padded_out = (op.out + N - 1) / N * N;
  T *turned = at<T>(b, op.sums), *all = gradients<T>(b, op.raw);
  if (op.starts && b.fresh)
    for (int64_t i = 0; i < op.groups * op.out * op.in * kernel; ++i) all[i] = 0;
  for (int g = 0; g < op.groups; ++g) {
    const T* dy = at<T>(b, op.dy) + g * op.out * map;
    for (int64_t place = 0; place < map; ++place)
      for (int64_t o = 0; o < padded_out; ++o)
        turned[place * padded_out + o] = o < op.out ? dy[o * map + place] : T(0);
    for (int first = 0; first < op.out; first += N)
      for (int i = 0; i < op.rows.kernel_size; ++i) {
        const TapSpan rows = span_of_tap(op.rows, i);
        for (int r = 0; r < op.columns.run_count && rows.begin < rows.end; ++r) {
          const Run& columns = op.columns.runs[r];
          if (columns.taps.count == 0) continue;
          const T* deltas =
              turned + first + (int64_t(rows.begin) * op.columns.size + columns.begin) * padded_out;
          for_taps_of_row<1>(op, rows, columns, i, [&](const GradientWalk& walk, int64_t source, int count) {
            single_gradient_tile_for<T>(count)(walk, padded_out, int(smaller(op.out - first, N)),
                                               at<T>(b, op.x) + g * op.in * source_map + source, deltas,
                                               all + (int64_t(g) * op.out + first) * op.in * kernel);
          });
        }
      }
  }
}

template <class T, int L>
void weight_gradient(const WeightGradientOp& op, const Block& b) {
  if constexpr (L == 1)
    weight_gradient_single<T>(op, b);
  else
    weight_gradient_lanes<T, L>(op, b);
}

// --- many channels
// -----------------------------------------------------------------------------------------------

constexpr int kProductVectors = 3;
constexpr int kProductFilters = kRegisters == 32 ? 8 : 4;

// xt[place][lane][c] = x[c][place][lane] for the channels of one group, zeros from `in` to `padded_in`.
template <class T, int L>
CHAINRULE_INLINE void turn_channels(const T* x, T* xt, int64_t places, int in, int padded_in) {
  for (int64_t place = 0; place < places; ++place)
    for (int c = 0; c < padded_in; c += L) {
      Vec<T, L> rows[L];
#pragma GCC unroll 16
      for (int k = 0; k < L; ++k)
        rows[k] = c + k < in ? load<T, L>(x + ((c + k) * places + place) * L) : Vec<T, L>{};
      transpose<T, L>(rows);
#pragma GCC unroll 16
      for (int lane = 0; lane < L; ++lane) store<T, L>(xt + (place * L + lane) * padded_in + c, rows[lane]);
    }
}

struct ProductWalk {
  bool write;  // rather than add to what is there
  int rows, columns, lanes;
  int64_t xt_row, xt_column, xt_lane, dy_row, dy_filter, raw_filter;
};

// sums[f] += the sum over lanes of deltas[f][lane] values[lane], where values have V vectors of channels.
template <class T, int F, int V>
CHAINRULE_INLINE void add_products(Vec<T, kChannelVector<T>> (&sums)[F][V], const T* values,
                                   int64_t value_step, const T* deltas, int64_t delta_step, int lanes) {
  constexpr int N = kChannelVector<T>;
  for (int lane = 0; lane < lanes; ++lane, values += value_step) {
    Vec<T, N> value[V];
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) value[v] = load<T, N>(values + v * N);
#pragma GCC unroll 8
    for (int f = 0; f < F; ++f)
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) sums[f][v] += value[v] * deltas[f * delta_step + lane];
  }
}

template <class T, int F, int V>
__attribute__((noinline)) void product_tile(const ProductWalk& walk, const T* xt, const T* dy, T* raw) {
  constexpr int N = kChannelVector<T>;
  Vec<T, N> sums[F][V];
#pragma GCC unroll 16
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v)
      sums[f][v] = walk.write ? Vec<T, N>{} : load<T, N>(raw + f * walk.raw_filter + v * N);
  for (int p = 0; p < walk.rows; ++p)
    for (int q = 0; q < walk.columns; ++q)
      add_products<T>(sums, xt + p * walk.xt_row + q * walk.xt_column, walk.xt_lane,
                      dy + p * walk.dy_row + int64_t(q) * walk.lanes, walk.dy_filter, walk.lanes);
#pragma GCC unroll 16
  for (int f = 0; f < F; ++f)
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) store<T, N>(raw + f * walk.raw_filter + v * N, sums[f][v]);
}

template <class T>
using ProductTile = void (*)(const ProductWalk&, const T*, const T*, T*);

template <class T, int V>
CHAINRULE_INLINE ProductTile<T> product_tile_for(int filters) {
  static constexpr ProductTile<T> tiles[] = {
      product_tile<T, 1, V>, product_tile<T, 2, V>, product_tile<T, 3, V>, product_tile<T, 4, V>,
#if defined(__AVX512F__) || defined(__aarch64__)
      product_tile<T, 5, V>, product_tile<T, 6, V>, product_tile<T, 7, V>, product_tile<T, 8, V>,
#endif
  };
  return tiles[filters - 1];
}

template <class T>
CHAINRULE_INLINE ProductTile<T> product_tile_for(int filters, int vectors) {
  switch (vectors) {
    case 1:
      return product_tile_for<T, 1>(filters);
    case 2:
      return product_tile_for<T, 2>(filters);
    default:
      return product_tile_for<T, 3>(filters);
  }
}

// Enough rows at a time that loading and storing the accumulators is cheap, few enough that they stay in
// cache.
template <int L>
CHAINRULE_INLINE int rows_of_product(const ChannelGradientOp& op) {
  return int(larger(1, 512 / (int64_t(op.columns.size) * L)));
}

// The part of dw that output rows [begin, end) give, for one tap.
template <class T, int L>
CHAINRULE_INLINE void product_of_tap(const ChannelGradientOp& op, const T* xt, const T* dy, T* raw,
                                     int tap_row, int tap_column, int begin, int end, bool write) {
  const TapSpan rows = part_of_span(span_of_tap(op.rows, tap_row), op.rows, begin, end);
  const TapSpan columns = span_of_tap(op.columns, tap_column);
  if (rows.begin >= rows.end || columns.begin >= columns.end) return;
  const int64_t taps = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int64_t xt_pixel = int64_t(L) * op.padded_in, xt_line = op.columns.source_size * xt_pixel;
  const ProductWalk walk = {write,
                            rows.end - rows.begin,
                            columns.end - columns.begin,
                            L,
                            op.rows.stride * xt_line,
                            op.columns.stride * xt_pixel,
                            op.padded_in,
                            int64_t(op.columns.size) * L,
                            map * L,
                            taps * op.padded_in};
  xt += rows.source * xt_line + columns.source * xt_pixel;
  dy += (int64_t(rows.begin) * op.columns.size + columns.begin) * L;
  raw += (int64_t(tap_row) * op.columns.kernel_size + tap_column) * op.padded_in;
  constexpr int N = kChannelVector<T>;
  const int vectors = op.padded_in / N;
  const int vector_tiles = (vectors + kProductVectors - 1) / kProductVectors;
  const int filter_tiles = (op.out + kProductFilters - 1) / kProductFilters;
  for (int t = 0; t < filter_tiles; ++t) {
    const int64_t f = int64_t(t) * op.out / filter_tiles, f_next = int64_t(t + 1) * op.out / filter_tiles;
    for (int u = 0; u < vector_tiles; ++u) {
      const int64_t v = int64_t(u) * vectors / vector_tiles, v_next = int64_t(u + 1) * vectors / vector_tiles;
      product_tile_for<T>(int(f_next - f), int(v_next - v))(walk, xt + v * N, dy + f * walk.dy_filter,
                                                            raw + f * walk.raw_filter + v * N);
    }
  }
}

// All taps of one group, a strip of rows after the other.
template <class T, int L>
CHAINRULE_INLINE void channel_products(const ChannelGradientOp& op, const T* xt, const T* dy, T* raw,
                                       bool write = false) {
  const int per_strip = rows_of_product<L>(op);
  for (int begin = 0; begin < op.rows.size; begin += per_strip)
    for (int i = 0; i < op.rows.kernel_size; ++i)
      for (int j = 0; j < op.columns.kernel_size; ++j)
        product_of_tap<T, L>(op, xt, dy, raw, i, j, begin, begin + per_strip, write);
}

template <class T, int L>
void channel_gradient(const ChannelGradientOp& op, const Block& b) {
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int64_t taps = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  T* xt = at<T>(b, op.xt);
  for (int g = 0; g < op.groups; ++g) {
    turn_channels<T, L>(at<T>(b, op.x) + g * op.in * source_map * L, xt, source_map, op.in, op.padded_in);
    T* raw = gradients<T>(b, op.raw) + g * op.out * taps * op.padded_in;
    const bool write = op.starts && b.fresh, at_once = taps == 1 && rows_of_product<L>(op) >= op.rows.size;
    if (write && !at_once)
      for (int64_t i = 0; i < op.out * taps * op.padded_in; i += kChannelVector<T>)
        store<T, kChannelVector<T>>(raw + i, Vec<T, kChannelVector<T>>{});
    channel_products<T, L>(op, xt, at<T>(b, op.dy) + g * op.out * map * L, raw, write && at_once);
  }
}

template <class T, int L>
void bias_gradient(const BiasGradientOp& op, const Block& b) {
  const T* dy = at<T>(b, op.dy);
  T* raw = gradients<T>(b, op.raw);
  for (int o = 0; o < op.out; ++o) {
    Vec<T, L> sums[4] = {};
    int64_t p = 0;
    for (; p + 4 <= op.places; p += 4)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) sums[k] += load<T, L>(dy + (p + k) * L);
    for (; p < op.places; ++p) sums[0] += load<T, L>(dy + p * L);
    T* target = raw + (op.shared ? 0 : int64_t(o) * L);
    store<T, L>(target, load<T, L>(target) + ((sums[0] + sums[1]) + (sums[2] + sums[3])));
    dy += int64_t(op.places) * L;
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
