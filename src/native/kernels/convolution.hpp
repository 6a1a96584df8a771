// Convolution with run-time shapes, cut into runs of columns for a tile of filters: see
// convolution_tiles.hpp.
//
// A dense layer is the same on a map of one pixel. The input gradient is the same with transposed weights,
// whose taps walk backwards over dy: the rotation of the kernel, done by the direction of the walk. Taps that
// would fall on the padding, or on the zeros that a stride leaves, are not in the runs: nothing is multiplied
// by a known zero.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

constexpr int kMaxFilters = kRegisters == 32 ? kTileFilters : 12;

// Distances in numbers. A tap of the window: `x_*` in the source, `w_*` in the weights.
struct Walk {
  int channels, rows, taps;
  int64_t x_channel, x_row, x_tap, w_channel, w_row, w_tap;
  bool resumes;  // the outputs hold the sums over other channels, rather than beginning with the bias
};

template <class T>
using ConvolveRun = void (*)(const Walk&, const T*, int64_t, const T*, const T*, T*, int64_t, int64_t, int);

// All columns of a run, for so many filters: see convolution.cpp.
template <class T, int L>
ConvolveRun<T> convolve_run_for(int filters);
template <class T>
using ConvolveRunFor = ConvolveRun<T> (*)(int filters);

// As many zeros as there are filters in a tile.
template <class T>
constexpr T kNoBias[8 * kChannelVector<T>] = {};

// Calls body(walk, source, tap, place, columns) for every run of columns in one output row: where the source,
// the weights and the output begin. Distances in the source count `lanes` numbers a pixel.
template <class Body>
CHAINRULE_INLINE void for_runs_of_row(const ConvolveOp& op, const Run& rows, int row, int64_t lanes,
                                      Body body) {
  const int64_t kernel = int64_t(op.rows.kernel_size) * op.columns.kernel_size;
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t source_row = rows.taps.source + int64_t(row) * rows.source_move;
  for (int r = 0; r < op.columns.run_count; ++r) {
    const Run& columns = op.columns.runs[r];
    const Walk walk = {op.in,
                       rows.taps.count,
                       columns.taps.count,
                       source_map * lanes,
                       int64_t(rows.taps.source_step) * op.columns.source_size * lanes,
                       int64_t(columns.taps.source_step) * lanes,
                       kernel * op.out,
                       int64_t(rows.taps.tap_step) * op.columns.kernel_size * op.out,
                       int64_t(columns.taps.tap_step) * op.out,
                       false};
    body(walk, (source_row * op.columns.source_size + columns.taps.source) * lanes,
         int64_t(rows.taps.first) * op.columns.kernel_size + columns.taps.first,
         int64_t(rows.begin + row * rows.step) * op.columns.size + columns.begin, columns);
  }
}

template <class Body>
CHAINRULE_INLINE void for_rows(const Axis& rows, Body body) {
  for (int r = 0; r < rows.run_count; ++r)
    for (int row = 0; row < rows.runs[r].count; ++row) body(rows.runs[r], row);
}

// All groups of a convolution.
template <class T, int L>
void convolve_maps(const ConvolveOp& op, const T* x, const T* w, const T* bias, T* y);

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
