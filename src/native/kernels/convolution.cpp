// Blocks of many lanes: the plain sum. One lane, and weights that do not stay in cache, have files of their
// own.
#include "convolution.hpp"

#include "convolution_tiles.hpp"
#include "table.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

// Whether tiles have F filters. Each size is paid for in code and in time to build: where only some are made,
// the others are made of two.
template <class T>
constexpr bool is_size_of_tile(int filters) {
  return kManyTiles<T> || filters <= 2 || filters == 4 || filters == 8;
}

// The larger of the two.
template <class T>
constexpr int larger_part(int filters) {
  int size = (filters + 1) / 2;
  while (!is_size_of_tile<T>(size)) ++size;
  return size;
}

// All columns of a run, for F filters.
template <class T, int L, int F>
__attribute__((noinline)) void convolve_run(const Walk& walk, const T* x, int64_t x_column, const T* w,
                                            const T* bias, T* y, int64_t y_filter, int64_t y_column,
                                            int columns) {
  if constexpr (!is_size_of_tile<T>(F)) {
    constexpr int first = larger_part<T>(F);
    convolve_run<T, L, first>(walk, x, x_column, w, bias, y, y_filter, y_column, columns);
    convolve_run<T, L, F - first>(walk, x, x_column, w + first, bias + first, y + first * y_filter, y_filter,
                                  y_column, columns);
    return;
  }
  constexpr int C = columns_of_tile(F);
  const auto tile = [&]<int count>(int q) {
    convolve_tile<T, L, F, count>(walk, x + q * x_column, x_column, w, bias, y + q * y_column, y_filter,
                                  y_column);
  };
  int q = 0;
  if constexpr (C > 1)
    for (; q + C <= columns; q += C) tile.template operator()<C>(q);
  if constexpr (C > 3 && kManyTiles<T>)
    for (; q + C / 2 <= columns; q += C / 2) tile.template operator()<C / 2>(q);
  for (; q < columns; ++q) tile.template operator()<1>(q);
}

// Filters first .. first + count of one group, at one output row.
template <class T>
CHAINRULE_INLINE void convolve_row(const ConvolveOp& op, const T* x, const T* w, const T* bias, T* y,
                                   int first, ConvolveRun<T> run, const Run& rows, int row, int64_t lanes) {
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  for_runs_of_row(op, rows, row, lanes,
                  [&](const Walk& walk, int64_t source, int64_t tap, int64_t place, const Run& columns) {
                    run(walk, x + source, columns.source_move * lanes, w + tap * op.out + first,
                        bias == nullptr ? kNoBias<T> : bias + first, y + (first * map + place) * lanes,
                        map * lanes, columns.step * lanes, columns.count);
                  });
}

template <class T>
__attribute__((noinline)) void convolve_groups(const ConvolveOp& op, const T* x, const T* w, const T* bias,
                                               T* y, int64_t lanes, ConvolveRunFor<T> run_for) {
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int tiles = (op.out + kMaxFilters - 1) / kMaxFilters;
  for (int g = 0; g < op.groups; ++g) {
    const auto tile_of_row = [&](int t, const Run& rows, int row) {
      const int first = int64_t(t) * op.out / tiles, next = int64_t(t + 1) * op.out / tiles;
      convolve_row<T>(op, x, w, bias, y, first, run_for(next - first), rows, row, lanes);
    };
    if (op.filters_outer)
      for (int t = 0; t < tiles; ++t)
        for_rows(op.rows, [&](const Run& rows, int row) { tile_of_row(t, rows, row); });
    else
      for_rows(op.rows, [&](const Run& rows, int row) {
        for (int t = 0; t < tiles; ++t) tile_of_row(t, rows, row);
      });
    x += op.in * source_map * lanes, y += op.out * map * lanes, w += op.in * kernel * op.out;
    if (bias != nullptr) bias += op.out;
  }
}

}  // namespace

template <class T, int L>
ConvolveRun<T> convolve_run_for(int filters) {
  static constexpr ConvolveRun<T> runs[] = {
      convolve_run<T, L, 1>,  convolve_run<T, L, 2>,  convolve_run<T, L, 3>,  convolve_run<T, L, 4>,
      convolve_run<T, L, 5>,  convolve_run<T, L, 6>,  convolve_run<T, L, 7>,  convolve_run<T, L, 8>,
      convolve_run<T, L, 9>,  convolve_run<T, L, 10>, convolve_run<T, L, 11>, convolve_run<T, L, 12>,
#if defined(__AVX512F__) || defined(__aarch64__)
      convolve_run<T, L, 13>, convolve_run<T, L, 14>, convolve_run<T, L, 15>, convolve_run<T, L, 16>,
#endif
  };
  return runs[filters - 1];
}

template <class T, int L>
void convolve_maps(const ConvolveOp& op, const T* x, const T* w, const T* bias, T* y) {
  convolve_groups<T>(op, x, w, bias, y, L, convolve_run_for<T, L>);
}

template <class T, int L>
void convolve(const ConvolveOp& op, const Block& b) {
  convolve_maps<T, L>(op, at<T>(b, op.x), parameters<T>(b, op.weight), parameters<T>(b, op.bias),
                      at<T>(b, op.y));
}

template <class T, int L>
void add_convolution(KernelTable& table) {
  add<OpKind::convolve, convolve<T, L>>(table);
}

#define CHAINRULE_INSTANTIATE(T, L)                    \
  template void add_convolution<T, L>(KernelTable&);   \
  template ConvolveRun<T> convolve_run_for<T, L>(int); \
  template void convolve_maps<T, L>(const ConvolveOp&, const T*, const T*, const T*, T*);
CHAINRULE_FOR_MANY_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
