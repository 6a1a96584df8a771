// Gradients of weights by vectors of channels.
#include "products.hpp"
#include "table.hpp"
#include "transpose.hpp"
#include "weight_gradient.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

struct ProductWalk {
  bool write;  // rather than add to what is there
  int rows, columns, lanes;
  int64_t xt_row, xt_column, xt_lane, dy_row, dy_filter, raw_filter;
};

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
  return with_size_of_product<T>(filters, []<int F>() -> ProductTile<T> { return product_tile<T, F, V>; });
}

// Enough rows at a time that loading and storing the accumulators is cheap, few enough that they stay in
// cache.
CHAINRULE_INLINE int rows_of_product(const ChannelGradientOp& op, int64_t lanes) {
  return int(larger(1, 512 / (op.columns.size * lanes)));
}

// The part of dw that output rows [begin, end) give, for one tap.
template <class T>
CHAINRULE_INLINE void product_of_tap(const ChannelGradientOp& op, const T* xt, const T* dy, T* raw, int lanes,
                                     int tap_row, int tap_column, int begin, int end, bool write) {
  const TapSpan rows = part_of_span(span_of_tap(op.rows, tap_row), op.rows, begin, end);
  const TapSpan columns = span_of_tap(op.columns, tap_column);
  if (rows.begin >= rows.end || columns.begin >= columns.end) return;
  const int64_t taps = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int64_t xt_pixel = int64_t(lanes) * op.padded_in, xt_line = op.columns.source_size * xt_pixel;
  const ProductWalk walk = {write,
                            rows.end - rows.begin,
                            columns.end - columns.begin,
                            lanes,
                            op.rows.stride * xt_line,
                            op.columns.stride * xt_pixel,
                            op.padded_in,
                            int64_t(op.columns.size) * lanes,
                            map * lanes,
                            taps * op.padded_in};
  xt += rows.source * xt_line + columns.source * xt_pixel;
  dy += (int64_t(rows.begin) * op.columns.size + columns.begin) * lanes;
  raw += (int64_t(tap_row) * op.columns.kernel_size + tap_column) * op.padded_in;
  constexpr int N = kChannelVector<T>;
  const int vectors = op.padded_in / N;
  const int vector_tiles = (vectors + kProductVectors - 1) / kProductVectors;
  for (int f = 0, filters; f < op.out; f += filters) {
    filters = size_of_product<T>(op.out - f);
    for (int u = 0; u < vector_tiles; ++u) {
      const int64_t v = int64_t(u) * vectors / vector_tiles, v_next = int64_t(u + 1) * vectors / vector_tiles;
      const auto tile = v_next - v == 1   ? product_tile_for<T, 1>(filters)
                        : v_next - v == 2 ? product_tile_for<T, 2>(filters)
                                          : product_tile_for<T, 3>(filters);
      tile(walk, xt + v * N, dy + f * walk.dy_filter, raw + f * walk.raw_filter + v * N);
    }
  }
}

}  // namespace

template <class T, int L>
void transpose_channels(const T* x, T* xt, int64_t places, int in, int padded_in) {
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

template <class T>
void channel_products(const ChannelGradientOp& op, const T* xt, const T* dy, T* raw, int lanes, bool write) {
  const int per_strip = rows_of_product(op, lanes);
  for (int begin = 0; begin < op.rows.size; begin += per_strip)
    for (int i = 0; i < op.rows.kernel_size; ++i)
      for (int j = 0; j < op.columns.kernel_size; ++j)
        product_of_tap<T>(op, xt, dy, raw, lanes, i, j, begin, begin + per_strip, write);
}

template <class T, int L>
void channel_gradient(const ChannelGradientOp& op, const Block& b) {
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int64_t taps = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  T* xt = at<T>(b, op.xt);
  for (int g = 0; g < op.groups; ++g) {
    transpose_channels<T, L>(at<T>(b, op.x) + g * op.in * source_map * L, xt, source_map, op.in,
                             op.padded_in);
    T* raw = gradients<T>(b, op.raw) + g * op.out * taps * op.padded_in;
    const bool write = op.starts && b.fresh, at_once = taps == 1 && rows_of_product(op, L) >= op.rows.size;
    if (write && !at_once)
      for (int64_t i = 0; i < op.out * taps * op.padded_in; i += kChannelVector<T>)
        store<T, kChannelVector<T>>(raw + i, Vec<T, kChannelVector<T>>{});
    channel_products<T>(op, xt, at<T>(b, op.dy) + g * op.out * map * L, raw, L, write && at_once);
  }
}

template <class T, int L>
void transpose_input(const TransposeInputOp& op, const Block& b) {
  transpose_channels<T, L>(at<T>(b, op.x), at<T>(b, op.xt), 1, op.in, op.padded_in);
}

template <class T, int L>
void add_channel_gradient(KernelTable& table) {
  add<OpKind::channel_gradient, channel_gradient<T, L>>(table);
  add<OpKind::transpose_input, transpose_input<T, L>>(table);
}

#define CHAINRULE_INSTANTIATE(T, L)                       \
  template void add_channel_gradient<T, L>(KernelTable&); \
  template void transpose_channels<T, L>(const T*, T*, int64_t, int, int);
CHAINRULE_FOR_LANES(CHAINRULE_INSTANTIATE)
#undef CHAINRULE_INSTANTIATE
#define CHAINRULE_INSTANTIATE(T) \
  template void channel_products<T>(const ChannelGradientOp&, const T*, const T*, T*, int, bool);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
