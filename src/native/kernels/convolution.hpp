// Convolution with run-time shapes. A tile of accumulators, `F` filters times `C` columns, stays in registers
// while all taps stream past: each weight enters its multiply-adds as a broadcast, each input vector serves F
// filters.
//
// A dense layer is the same on a map of one pixel. The input gradient is the same with transposed weights,
// whose taps walk backwards over dy: the rotation of the kernel, done by the direction of the walk. Taps that
// would fall on the padding, or on the zeros that a stride leaves, are not in the runs: nothing is multiplied
// by a known zero.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

constexpr int kMaxFilters = kRegisters == 32 ? kTileFilters : 12;

// Columns beside one another, so that few filters still fill the pipeline.
constexpr int columns_of_tile(int filters) {
  const int columns = (kRegisters == 32 ? 20 : 12) / filters;
  return columns < 1 ? 1 : columns > 8 ? 8 : columns;
}

// Distances in numbers. A tap of the window: `x_*` in the source, `w_*` in the weights.
struct Walk {
  int channels, rows, taps;
  int64_t x_channel, x_row, x_tap, w_channel, w_row, w_tap;
  bool resumes;  // the outputs hold the sums over other channels, rather than beginning with the bias
};

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
      sums[f][k] = walk.resumes ? load_as<T, L, aligned>(y + f * y_filter + k * y_column)
                                : broadcast<T, L>(bias == nullptr ? T(0) : bias[f]);

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

// All columns of a run, for F filters.
template <class T, int L, int F>
__attribute__((noinline)) void convolve_run(const Walk& walk, const T* x, int64_t x_column, const T* w,
                                            const T* bias, T* y, int64_t y_filter, int64_t y_column,
                                            int columns) {
  constexpr int C = columns_of_tile(F);
  int q = 0;
  if constexpr (C > 1) {
    for (; q + C <= columns; q += C)
      convolve_tile<T, L, F, C>(walk, x + q * x_column, x_column, w, bias, y + q * y_column, y_filter,
                                y_column);
    if constexpr (C > 3)
      for (; q + C / 2 <= columns; q += C / 2)
        convolve_tile<T, L, F, C / 2>(walk, x + q * x_column, x_column, w, bias, y + q * y_column, y_filter,
                                      y_column);
  }
  for (; q < columns; ++q)
    convolve_tile<T, L, F, 1>(walk, x + q * x_column, x_column, w, bias, y + q * y_column, y_filter,
                              y_column);
}

template <class T>
using ConvolveRun = void (*)(const Walk&, const T*, int64_t, const T*, const T*, T*, int64_t, int64_t, int);

template <class T, int L>
CHAINRULE_INLINE ConvolveRun<T> convolve_run_for(int filters) {
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

// Calls body(walk, source, tap, place, columns) for every run of columns in one output row: where the source,
// the weights and the output begin. Distances in the source count L numbers a pixel.
template <int L, class Body>
CHAINRULE_INLINE void for_runs_of_row(const ConvolveOp& op, const Run& rows, int row, Body body) {
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t source_row = rows.taps.source + int64_t(row) * rows.source_move;
  for (int r = 0; r < op.columns.run_count; ++r) {
    const Run& columns = op.columns.runs[r];
    const Walk walk = {op.in,
                       rows.taps.count,
                       columns.taps.count,
                       source_map * L,
                       int64_t(rows.taps.source_step) * op.columns.source_size * L,
                       int64_t(columns.taps.source_step) * L,
                       kernel * op.out,
                       int64_t(rows.taps.tap_step) * op.columns.kernel_size * op.out,
                       int64_t(columns.taps.tap_step) * op.out,
                       false};
    body(walk, (source_row * op.columns.source_size + columns.taps.source) * L,
         int64_t(rows.taps.first) * op.columns.kernel_size + columns.taps.first,
         int64_t(rows.begin + row * rows.step) * op.columns.size + columns.begin, columns);
  }
}

// Filters first .. first + count of one group, at one output row.
template <class T, int L>
CHAINRULE_INLINE void convolve_row(const ConvolveOp& op, const T* x, const T* w, const T* bias, T* y,
                                   int first, int count, const Run& rows, int row) {
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const ConvolveRun<T> run = convolve_run_for<T, L>(count);
  for_runs_of_row<L>(op, rows, row,
                     [&](const Walk& walk, int64_t source, int64_t tap, int64_t place, const Run& columns) {
                       run(walk, x + source, int64_t(columns.source_move) * L, w + tap * op.out + first,
                           bias == nullptr ? nullptr : bias + first, y + (first * map + place) * L, map * L,
                           int64_t(columns.step) * L, columns.count);
                     });
}

template <class Body>
CHAINRULE_INLINE void for_rows(const Axis& rows, Body body) {
  for (int r = 0; r < rows.run_count; ++r)
    for (int row = 0; row < rows.runs[r].count; ++row) body(rows.runs[r], row);
}

template <class T, int L>
void convolve_maps(const ConvolveOp& op, const T* x, const T* w, const T* bias, T* y) {
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size;
  const int tiles = (op.out + kMaxFilters - 1) / kMaxFilters;
  for (int g = 0; g < op.groups; ++g) {
    const auto tile_of_row = [&](int t, const Run& rows, int row) {
      const int first = int64_t(t) * op.out / tiles, next = int64_t(t + 1) * op.out / tiles;
      convolve_row<T, L>(op, x, w, bias, y, first, next - first, rows, row);
    };
    if (op.filters_outer)
      for (int t = 0; t < tiles; ++t)
        for_rows(op.rows, [&](const Run& rows, int row) { tile_of_row(t, rows, row); });
    else
      for_rows(op.rows, [&](const Run& rows, int row) {
        for (int t = 0; t < tiles; ++t) tile_of_row(t, rows, row);
      });
    x += op.in * source_map * L, y += op.out * map * L, w += op.in * kernel * op.out;
    if (bias != nullptr) bias += op.out;
  }
}

template <class T, int L>
void convolve_lanes(const ConvolveOp& op, const Block& b) {
  convolve_maps<T, L>(op, at<T>(b, op.x), parameters<T>(b, op.weight), parameters<T>(b, op.bias),
                      at<T>(b, op.y));
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
