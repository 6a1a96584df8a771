// Gradients of weights for one sample.
#include "table.hpp"
#include "weight_gradient.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

constexpr int kTapsOfTile = kRegisters == 32 ? kMostTapsOfTile : 3;

// One sample: dy is transposed, so that a vector holds neighbouring filters at one place, and the input is
// broadcast. A tile of S taps keeps its sums in registers.
template <class T, int S>
__attribute__((noinline)) void single_gradient_tile(const GradientWalk& walk, int64_t padded_out, int filters,
                                                    const T* x, const T* deltas_of_places, T* raw) {
  constexpr int N = kChannelVector<T>;
  Vec<T, N> sums[S] = {};
  for (int p = 0; p < walk.rows; ++p) {
    const T *xq = x, *deltas = deltas_of_places;
    for (int q = 0; q < walk.columns; ++q) {
      const Vec<T, N> delta = load<T, N>(deltas);
#pragma GCC unroll 6
      for (int s = 0; s < S; ++s) sums[s] += delta * xq[walk.x_tap[s]];
      xq += walk.x_column, deltas += walk.dy_column * padded_out;
    }
    x += walk.x_row, deltas_of_places += walk.dy_row * padded_out;
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

}  // namespace

template <class T>
void weight_gradient_single(const WeightGradientOp& op, const Block& b) {
  constexpr int N = kChannelVector<T>;
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int64_t padded_out = (op.out + N - 1) / N * N;
  T *deltas_of_places = at<T>(b, op.sums), *all = gradients<T>(b, op.raw);
  if (op.starts && b.fresh)
    for (int64_t i = 0; i < op.groups * op.out * op.in * kernel; ++i) all[i] = 0;
  for (int g = 0; g < op.groups; ++g) {
    const T* dy = at<T>(b, op.dy) + g * op.out * map;
    for (int64_t place = 0; place < map; ++place)
      for (int64_t o = 0; o < padded_out; ++o)
        deltas_of_places[place * padded_out + o] = o < op.out ? dy[o * map + place] : T(0);
    for (int first = 0; first < op.out; first += N)
      for (int i = 0; i < op.rows.kernel_size; ++i) {
        const TapSpan rows = span_of_tap(op.rows, i);
        for (int r = 0; r < op.columns.run_count && rows.begin < rows.end; ++r) {
          const Run& columns = op.columns.runs[r];
          if (columns.taps.count == 0) continue;
          const T* deltas =
              deltas_of_places + first + (int64_t(rows.begin) * op.columns.size + columns.begin) * padded_out;
          for_taps_of_row<1, kTapsOfTile>(
              op, rows, columns, i, [&](const GradientWalk& walk, int64_t source, int count) {
                single_gradient_tile_for<T>(count)(walk, padded_out, int(smaller(op.out - first, N)),
                                                   at<T>(b, op.x) + g * op.in * source_map + source, deltas,
                                                   all + (int64_t(g) * op.out + first) * op.in * kernel);
              });
        }
      }
  }
}

template <class T>
void add_single_gradient(KernelTable& table) {
  add<OpKind::weight_gradient, weight_gradient_single<T>>(table);
}

template void add_single_gradient<float>(KernelTable&);

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
