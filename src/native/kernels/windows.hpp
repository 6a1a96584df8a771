// Windows that slide over maps: the loops that all pooling kernels share. What a kernel does with the pixels
// of a window is a small struct of its own (see `max_pool.hpp`), which the compiler melts into these loops.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// The pixels begin .. end of one axis under a window, and the place in the window of the first of them.
struct Span {
  int32_t begin, end, place;
};

CHAINRULE_INLINE Span span_of(int32_t output, int32_t stride, int32_t before, int32_t kernel, int32_t size) {
  const int32_t origin = output * stride - before;
  const int32_t begin = origin < 0 ? 0 : origin;
  const int32_t end = origin + kernel < size ? origin + kernel : size;
  return {begin, end, begin - origin};
}

CHAINRULE_INLINE Span row_span(const PoolOp& op, int32_t row) {
  return span_of(row, op.stride_rows, op.top, op.kernel_rows, op.rows);
}

CHAINRULE_INLINE Span column_span(const PoolOp& op, int32_t column) {
  return span_of(column, op.stride_columns, op.left, op.kernel_columns, op.columns);
}

// Square windows of 2 or 3 that stay on the map get loops of fixed length: nearly all pooling is of this
// kind. Gives that size, or 0.
CHAINRULE_INLINE int fixed_size(const PoolOp& op) {
  const int size = op.kernel_rows;
  const bool inside = op.top == 0 && op.left == 0 && (op.out_rows - 1) * op.stride_rows + size <= op.rows &&
                      (op.out_columns - 1) * op.stride_columns + size <= op.columns;
  return inside && op.kernel_columns == size && (size == 2 || size == 3) ? size : 0;
}

// Calls f(pixel, place) for the pixels of a window in row-major order: the pixel's index in the map and the
// place's index in the window. kSize: the fixed size, or 0.
template <int kSize, class F>
CHAINRULE_INLINE void for_pixels(const PoolOp& op, Span rows, Span columns, F f) {
  const int64_t corner = int64_t{rows.begin} * op.columns + columns.begin;
  const int32_t height = kSize > 0 ? kSize : rows.end - rows.begin;
  const int32_t width = kSize > 0 ? kSize : columns.end - columns.begin;
  const int32_t place = rows.place * op.kernel_columns + columns.place;
  for (int32_t i = 0; i < height; ++i)
    for (int32_t j = 0; j < width; ++j)
      f(corner + int64_t{i} * op.columns + j, place + i * op.kernel_columns + j);
}

// One output after another: y = finish(state after take(pixel) for all pixels, channel).
template <class T, int L, int kSize, class Window>
CHAINRULE_INLINE void pool_loops(const PoolOp op, const Block& b, const Window& window) {
  const T* map = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  for (int32_t channel = 0; channel < op.channels; ++channel, map += int64_t{op.rows} * op.columns * L)
    for (int32_t row = 0; row < op.out_rows; ++row) {
      const Span rows = row_span(op, row);
      for (int32_t column = 0; column < op.out_columns; ++column, y += L) {
        Vec<T, L> state = window.begin();
        for_pixels<kSize>(op, rows, column_span(op, column), [&](int64_t pixel, int32_t place) {
          window.take(state, load<T, L>(map + pixel * L), place);
        });
        store<T, L>(y, window.finish(state, channel));
      }
    }
}

template <class T, int L, class Window>
CHAINRULE_INLINE void pool_forward(const PoolOp& op, const Block& b, const Window& window) {
  switch (fixed_size(op)) {
    case 2:
      return pool_loops<T, L, 2>(op, b, window);
    case 3:
      return pool_loops<T, L, 3>(op, b, window);
    default:
      return pool_loops<T, L, 0>(op, b, window);
  }
}

template <class T, int L>
CHAINRULE_INLINE void write_zeros(T* p, int64_t elements) {
  for (int64_t i = 0; i < elements * L; i += L) store<T, L>(p + i, Vec<T, L>{});
}

// Windows that overlap add what flows back to their pixels; others write it, and dx is touched once only.
template <class T, int L, int kSize, bool kOverlap, class Window>
CHAINRULE_INLINE void unpool_loops(const PoolOp op, const Block& b, const Window& window) {
  const int64_t pixels = int64_t{op.rows} * op.columns;
  int64_t output = 0;
  for (int32_t channel = 0; channel < op.channels; ++channel) {
    T* map = at<T>(b, op.dx) + channel * pixels * L;
    if (kOverlap) write_zeros<T, L>(map, pixels);
    int32_t next_row = 0;  // the first row, and below the first column, that no window has reached yet
    for (int32_t row = 0; row < op.out_rows; ++row) {
      const Span rows = row_span(op, row);
      if (!kOverlap)
        write_zeros<T, L>(map + int64_t{next_row} * op.columns * L,
                          int64_t{rows.begin - next_row} * op.columns);
      next_row = rows.end;
      int32_t next_column = 0;
      const auto close_gap = [&](int32_t end) {
        if (!kOverlap && next_column < end)
          for (int32_t r = rows.begin; r < rows.end; ++r)
            write_zeros<T, L>(map + (int64_t{r} * op.columns + next_column) * L, end - next_column);
      };
      for (int32_t column = 0; column < op.out_columns; ++column, ++output) {
        const Span columns = column_span(op, column);
        close_gap(columns.begin);
        next_column = columns.end;
        auto state = window.begin(output, channel);
        for_pixels<kSize>(op, rows, columns, [&](int64_t pixel, int32_t place) {
          Vec<T, L> dx = window.give(state, channel * pixels + pixel, place);
          if (kOverlap) dx += load<T, L>(map + pixel * L);
          store<T, L>(map + pixel * L, dx);
        });
      }
      close_gap(op.columns);
    }
    if (!kOverlap)
      write_zeros<T, L>(map + int64_t{next_row} * op.columns * L, int64_t{op.rows - next_row} * op.columns);
  }
}

template <class T, int L, bool kOverlap, class Window>
CHAINRULE_INLINE void unpool(const PoolOp& op, const Block& b, const Window& window) {
  switch (fixed_size(op)) {
    case 2:
      return unpool_loops<T, L, 2, kOverlap>(op, b, window);
    case 3:
      return unpool_loops<T, L, 3, kOverlap>(op, b, window);
    default:
      return unpool_loops<T, L, 0, kOverlap>(op, b, window);
  }
}

template <class T, int L, class Window>
CHAINRULE_INLINE void pool_backward(const PoolOp& op, const Block& b, const Window& window) {
  if (op.stride_rows < op.kernel_rows || op.stride_columns < op.kernel_columns)
    unpool<T, L, true>(op, b, window);
  else
    unpool<T, L, false>(op, b, window);
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
