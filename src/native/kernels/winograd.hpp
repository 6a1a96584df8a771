// Parts of Winograd's algorithm that have translation units of their own: see winograd.cpp for the whole, and
// winograd_points.hpp for the idea.
#pragma once

#include "winograd_points.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Rows [begin, end) of all channels of a map, and their values at the points:
// [point][channel][row - begin][tile], or with the points `together` [channel][row - begin][tile][point].
// Tile t of the sources begins at column t M - padding.
struct PointsWalk {
  int channels, rows, columns, begin, end, tiles, outputs, padding;  // outputs: of a tile
  bool together;
};

template <class T>
struct PointsTransforms {
  using Transform = void (*)(const PointsWalk&, T* map, T* points, const T* bias_or_winners);
  Transform read_sources, read_outputs, read_pairs, write_outputs, write_sources;
};

// From sources and outputs to the points and back: see winograd_transforms.cpp.
template <class T, int L>
const PointsTransforms<T>& transforms_for(const WinogradOp& op);

// Result rows [begin, end), the source rows that reach them, and the convolution from these to those. At a
// point, rows of tiles follow each other in memory: they are one long row, in which the next row's tap is
// `tiles` further.
struct Strip {
  int begin, end, source_begin, source_end;
  Axis rows, columns;

  Strip(const WinogradOp& op, int first, int tiles, bool backward) : begin(first) {
    const Axis& axis = op.rows;
    const int size = backward ? axis.source_size : axis.size, kernel = axis.kernel_size;
    const int source_size = backward ? axis.size : axis.source_size;
    const int padding = backward ? kernel - 1 - axis.padding : axis.padding;
    end = int(smaller(begin + op.strip, size));
    source_begin = int(smaller(larger(0, begin - padding), source_size));
    source_end = int(larger(source_begin, smaller(source_size, end - padding + kernel - 1)));
    int run_count = 0;
    for (int row = begin; row < end; ++row) {
      const int tap = int(larger(0, padding - row));
      const int count = int(larger(0, smaller(kernel, source_size + padding - row) - tap));
      const int first_tap = backward ? kernel - 1 - tap : tap;
      if (run_count > 0 && runs_[run_count - 1].taps.first == first_tap &&
          runs_[run_count - 1].taps.count == count) {
        runs_[run_count - 1].count += tiles;
        continue;
      }
      const int source = count == 0 ? 0 : (row - padding + tap - source_begin) * tiles;
      runs_[run_count++] = {
          (row - begin) * tiles, tiles, 1, 1, {first_tap, count, source, backward ? -1 : 1, tiles}};
    }
    rows = {&row_, 1, 1, 1, 1, 1, 0, 1};
    columns = {runs_,
               run_count,
               (end - begin) * tiles,
               (source_end - source_begin) * tiles,
               kernel,
               1,
               (padding - begin + source_begin) * tiles,
               tiles};
  }
  Strip(const Strip&) = delete;  // the axes point into it

 private:
  Run row_ = {0, 1, 1, 0, {0, 1, 0, 1, 1}}, runs_[kMostStripRows];
};

CHAINRULE_INLINE int outputs_of_tile(const WinogradOp& op) { return op.points + 1 - op.columns.kernel_size; }
CHAINRULE_INLINE int tiles_of_row(const WinogradOp& op) {
  return (op.columns.size + outputs_of_tile(op) - 1) / outputs_of_tile(op);
}

// The outputs of a strip from its inputs at the points: see winograd_registers.cpp.
template <class T, int L>
void strip_in_registers(const WinogradOp& op, const Strip& strip, const T* points, const T* w, const T* bias,
                        T* y, T* winners);

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
