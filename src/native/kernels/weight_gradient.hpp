// Gradients of weights, in three ways:
//
// lane_gradient.cpp: few channels, large maps. A tile of accumulators, F filters times S taps, each a vector
// of lanes, stays in registers while all places of a run stream past.
//
// single_gradient.cpp: the same for one sample, by vectors of filters.
//
// channel_gradient.cpp: many channels, and dense layers. The input is transposed once, so that a vector holds
// neighbouring channels of one sample; then dw is a matrix product whose inner index is (place, lane), and no
// lanes are left to add.
#pragma once

#include "common.hpp"

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

constexpr int kMostTapsOfTile = 6;

struct GradientWalk {
  int rows, columns;                           // places
  int64_t x_row, x_column, dy_row, dy_column;  // distances in numbers
  int64_t x_tap[kMostTapsOfTile];              // from the first tap's input to each tap's
  int64_t raw_tap[kMostTapsOfTile];            // likewise in the raw gradient
  int64_t dy_filter, raw_filter;
};

// Calls body(walk, source, taps) for tiles of at most S pairs (channel, tap) of one row of taps and one run
// of columns.
template <int L, int S, class Body>
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
  const int tiles = (pairs + S - 1) / S;
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

// Adds to `sums`, an array with a vector of lanes for each weight.
template <class T, int L>
void weight_sums(const WeightGradientOp& op, const T* x, const T* dy, T* sums);

// The lanes of `count` vectors added up, as `count` numbers; written, or added to what is there. Both arrays
// are padded to whole vectors.
template <class T, int L>
void add_up_lanes(const T* sums, T* raw, int64_t count, bool write);

// xt[place][lane][c] = x[c][place][lane] for the channels of one group, zeros from `in` to `padded_in`.
template <class T, int L>
void transpose_channels(const T* x, T* xt, int64_t places, int in, int padded_in);

// All taps of one group, a strip of rows after the other.
template <class T>
void channel_products(const ChannelGradientOp& op, const T* xt, const T* dy, T* raw, int lanes, bool write);

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
