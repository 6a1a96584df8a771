// Convolution of one sample. There are no samples to lie side by side, so a vector holds neighbouring
// filters: the weights are packed that way already, and each input number is broadcast. Vectors may reach
// beyond the last filter; what they read there is never stored. Where filters are few and rows long, a vector
// holds neighbouring pixels of a row instead.
#include "convolution_tiles.hpp"
#include "table.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Columns of filters, `column` numbers each, go to where they belong; the numbers of filters that do not
// exist are left behind.
template <class T>
__attribute__((noinline)) void store_columns(const T* numbers, int columns, int column, const T* bias, T* y,
                                             int64_t y_filter, int64_t y_column, int filters) {
  for (int k = 0; k < columns; ++k, numbers += column)
    for (int f = 0; f < filters; ++f) y[f * y_filter + k * y_column] = numbers[f] + bias[f];
}

// C columns times V vectors of filters. Where that is too few sums to keep the pipeline busy, U channels at a
// time have sums of their own.
template <class T, int C, int V>
CHAINRULE_INLINE void single_tile(const Walk& walk, const T* x, int64_t x_column, const T* w, const T* bias,
                                  T* y, int64_t y_filter, int64_t y_column, int filters) {
  constexpr int N = kChannelVector<T>, U = C * V >= 4 ? 1 : 4 / (C * V);
  Vec<T, N> sums[U][C][V] = {};
  const auto add_channels = [&]<int M>() {
    const T *x_row = x, *w_row = w;
    for (int i = 0; i < walk.rows; ++i) {
      const T *x_tap = x_row, *w_tap = w_row;
      for (int j = 0; j < walk.taps; ++j) {
#pragma GCC unroll 4
        for (int u = 0; u < M; ++u)
#pragma GCC unroll 8
          for (int v = 0; v < V; ++v) {
            const Vec<T, N> weights = load_unaligned<T, N>(w_tap + u * walk.w_channel + v * N);
#pragma GCC unroll 8
            for (int k = 0; k < C; ++k) sums[u][k][v] += weights * x_tap[u * walk.x_channel + k * x_column];
          }
        x_tap += walk.x_tap, w_tap += walk.w_tap;
      }
      x_row += walk.x_row, w_row += walk.w_row;
    }
    x += M * walk.x_channel, w += M * walk.w_channel;
  };
  int c = 0;
  for (; c + U <= walk.channels; c += U) add_channels.template operator()<U>();
  if constexpr (U > 1)
    for (; c < walk.channels; ++c) add_channels.template operator()<1>();
  T numbers[C][V * N];
#pragma GCC unroll 8
  for (int k = 0; k < C; ++k)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
#pragma GCC unroll 4
      for (int u = 1; u < U; ++u) sums[0][k][v] += sums[u][k][v];
      store_unaligned<T, N>(numbers[k] + v * N, sums[0][k][v]);
    }
  store_columns(numbers[0], C, V * N, bias, y, y_filter, y_column, filters);
}

// All columns of a run, in tiles of at most C, as even as can be.
template <class T, int C, int V>
CHAINRULE_INLINE void single_tiles(const Walk& walk, const T* x, int64_t x_column, const T* w, const T* bias,
                                   T* y, int64_t y_filter, int64_t y_column, int columns, int filters) {
  const int tiles = (columns + C - 1) / C;
  for (int t = 0; t < tiles; ++t) {
    const int q = t * columns / tiles, count = (t + 1) * columns / tiles - q;
    const auto tile = [&]<int Count>() {
      single_tile<T, Count, V>(walk, x + q * x_column, x_column, w, bias, y + q * y_column, y_filter,
                               y_column, filters);
    };
    if constexpr (C >= 8) {
      if (count == 8) tile.template operator()<8>();
      if (count == 7) tile.template operator()<7>();
      if (count == 6) tile.template operator()<6>();
      if (count == 5) tile.template operator()<5>();
    }
    if constexpr (C >= 4) {
      if (count == 4) tile.template operator()<4>();
      if (count == 3) tile.template operator()<3>();
    }
    if constexpr (C >= 2)
      if (count == 2) tile.template operator()<2>();
    if (count == 1) tile.template operator()<1>();
  }
}

template <class T, int V>
__attribute__((noinline)) void single_run(const Walk& walk, const T* x, int64_t x_column, const T* w,
                                          const T* bias, T* y, int64_t y_filter, int64_t y_column,
                                          int columns, int filters) {
  single_tiles<T,
               V == 1   ? 8
               : V == 2 ? 4
                        : 1,
               V>(walk, x, x_column, w, bias, y, y_filter, y_column, columns, filters);
}

// A run of at least N neighbouring pixels, two vectors at a time. The last vector ends with the run, and
// computes again what the one before it has in common with it.
template <class T, int F>
__attribute__((noinline)) void pixel_run(const Walk& walk, const T* x, const T* w, const T* bias, T* y,
                                         int64_t y_filter, int columns) {
  constexpr int N = kChannelVector<T>;
  for (int q = 0; q < columns; q += 2 * N) {
    const int left = columns - q;
    if (left > N) {
      const int64_t second = smaller(N, left - N);
      convolve_tile<T, N, F, 2, false>(walk, x + q, second, w, bias, y + q, y_filter, second);
    } else {
      const int last = columns - N;
      convolve_tile<T, N, F, 1, false>(walk, x + last, 0, w, bias, y + last, y_filter, 0);
    }
  }
}

constexpr int kPixelFilters = kRegisters == 32 ? 8 : 4;

template <class T>
CHAINRULE_INLINE auto pixel_run_for(int filters) {
  using PixelRun = void (*)(const Walk&, const T*, const T*, const T*, T*, int64_t, int);
  static constexpr PixelRun runs[] = {
      pixel_run<T, 1>, pixel_run<T, 2>, pixel_run<T, 3>, pixel_run<T, 4>,
#if defined(__AVX512F__) || defined(__aarch64__)
      pixel_run<T, 5>, pixel_run<T, 6>, pixel_run<T, 7>, pixel_run<T, 8>,
#endif
  };
  return runs[filters - 1];
}

// Filters 0 .. `filters` over a run, by pixels.
template <class T>
CHAINRULE_INLINE void pixel_runs(const Walk& walk, const T* x, const T* w, const T* bias, T* y,
                                 int64_t y_filter, int columns, int filters) {
  for (int f = 0; f < filters; f += kPixelFilters)
    pixel_run_for<T>(int(smaller(filters - f, kPixelFilters)))(walk, x, w + f, bias + f, y + f * y_filter,
                                                               y_filter, columns);
}

// Whether vectors of pixels are fewer than vectors of filters.
template <class T>
CHAINRULE_INLINE bool by_pixels(const Run& columns, int filters) {
  constexpr int64_t N = kChannelVector<T>;
  return columns.step == 1 && columns.source_move == 1 && columns.count >= N &&
         (columns.count + N - 1) / N * filters < (filters + N - 1) / N * columns.count;
}

template <class T>
void convolve_single(const ConvolveOp& op, const Block& b) {
  constexpr int N = kChannelVector<T>;
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  // On a map of one pixel only filters can keep the pipeline busy.
  const int vectors = map == 1 ? 8 : 2;
  for (int g = 0; g < op.groups; ++g)
    for (int first = 0; first < op.out; first += vectors * N) {
      const int filters = int(smaller(op.out - first, int64_t(vectors) * N));
      const T* w = parameters<T>(b, op.weight) + g * op.in * kernel * op.out + first;
      const T* biases = parameters<T>(b, op.bias);
      const T* bias = biases == nullptr ? kNoBias<T> : biases + g * op.out + first;
      const auto run = filters > 4 * N   ? single_run<T, 8>
                       : filters > 2 * N ? single_run<T, 4>
                       : filters > N     ? single_run<T, 2>
                                         : single_run<T, 1>;
      const T* x = at<T>(b, op.x) + g * op.in * source_map;
      T* y = at<T>(b, op.y) + (int64_t(g) * op.out + first) * map;
      for (int r = 0; r < op.rows.run_count; ++r)
        for (int row = 0; row < op.rows.runs[r].count; ++row)
          for_runs_of_row(
              op, op.rows.runs[r], row, 1,
              [&](const Walk& walk, int64_t source, int64_t tap, int64_t place, const Run& columns) {
                if (by_pixels<T>(columns, filters))
                  pixel_runs<T>(walk, x + source, w + tap * op.out, bias, y + place, map, columns.count,
                                filters);
                else
                  run(walk, x + source, columns.source_move, w + tap * op.out, bias, y + place, map,
                      columns.step, columns.count, filters);
              });
    }
}

// Long rows of pixels want a border of zeros rather than border pixels of their own.
template <class T>
void pad(const PadOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  for (int64_t i = 0; i < int64_t(op.channels) * op.padded_rows * op.padded_columns; ++i) y[i] = 0;
  y += int64_t(op.top) * op.padded_columns + op.left;
  for (int64_t c = 0; c < op.channels; ++c)
    for (int64_t row = 0; row < op.rows; ++row)
      for (int64_t i = 0; i < op.columns; ++i)
        y[(c * op.padded_rows + row) * op.padded_columns + i] = x[(c * op.rows + row) * op.columns + i];
}

template <class T>
void add_single_convolution(KernelTable& table) {
  add<OpKind::convolve, convolve_single<T>>(table);
  add<OpKind::pad, pad<T>>(table);
}

template void add_single_convolution<float>(KernelTable&);

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
