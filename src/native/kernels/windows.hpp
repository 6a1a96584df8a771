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

// How the numbers of a pixel are reached: as many lanes as are known when this is compiled, or any.
template <class T, int L>
struct FixedLanes {
  using Number = T;
  using Vector = Vec<T, L>;
  static constexpr int64_t lanes = L;

  static CHAINRULE_INLINE Vector load_at(const T* p) { return load<T, L>(p); }
  static CHAINRULE_INLINE void store_at(T* p, Vector v) { store<T, L>(p, v); }
};

template <class T>
struct AnyLanes {
  using Number = T;
  using Vector = Lanes<T>;
  int64_t lanes;

  explicit AnyLanes(const Block& b) : lanes(b.lanes) {}
  CHAINRULE_INLINE Vector load_at(const T* p) const { return load_first(p, lanes); }
  CHAINRULE_INLINE void store_at(T* p, Vector v) const { store_first(p, v, lanes); }
};

// Calls f(pixel, place) for the pixels of a window in row-major order: the pixel's index in the map and the
// place's index in the window. kSize: the fixed size, or 0.
template <int kSize, class F>
CHAINRULE_INLINE void for_pixels(const PoolOp& op, Span rows, Span columns, F f) {
  const int64_t corner = int64_t{rows.begin} * op.columns + columns.begin;
  const int32_t height = kSize > 0 ? kSize : rows.end - rows.begin;
  const int32_t width = kSize > 0 ? kSize : columns.end - columns.begin;
  const int64_t place = int64_t{rows.place} * op.kernel_columns + columns.place;
  for (int32_t i = 0; i < height; ++i)
    for (int32_t j = 0; j < width; ++j)
      f(corner + int64_t{i} * op.columns + j, int32_t(place + int64_t{i} * op.kernel_columns + j));
}

// One output after another: y = finish(state after take(pixel) for all pixels, channel).
template <int kSize, class Access, class Window>
CHAINRULE_INLINE void pool_loops(const PoolOp op, const Block& b, const Access access, const Window& window) {
  using T = typename Access::Number;
  const T* map = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  const int64_t numbers = int64_t{op.rows} * op.columns * access.lanes;
  for (int32_t channel = 0; channel < op.channels; ++channel, map += numbers)
    for (int32_t row = 0; row < op.out_rows; ++row) {
      const Span rows = row_span(op, row);
      for (int32_t column = 0; column < op.out_columns; ++column, y += access.lanes) {
        auto state = window.begin();
        for_pixels<kSize>(op, rows, column_span(op, column), [&](int64_t pixel, int32_t place) {
          window.take(state, access.load_at(map + pixel * access.lanes), place);
        });
        access.store_at(y, window.finish(state, channel));
      }
    }
}

template <class T>
CHAINRULE_INLINE void write_zeros(T* p, int64_t numbers) {
  if (numbers > 0) __builtin_memset(p, 0, numbers * sizeof(T));
}

// Whether windows share pixels.
CHAINRULE_INLINE bool windows_overlap(const PoolOp& op) {
  return op.stride_rows < op.kernel_rows || op.stride_columns < op.kernel_columns;
}

// Windows that overlap add what flows back to their pixels; others write it, and dx is touched once only.
template <int kSize, class Access, class Window>
CHAINRULE_INLINE void unpool_loops(const PoolOp op, const Block& b, const Access access, const Window& window,
                                   bool overlap) {
  using T = typename Access::Number;
  const int64_t pixels = int64_t{op.rows} * op.columns, lanes = access.lanes;
  int64_t output = 0;
  for (int32_t channel = 0; channel < op.channels; ++channel) {
    T* map = at<T>(b, op.dx) + channel * pixels * lanes;
    if (overlap) write_zeros(map, pixels * lanes);
    int32_t next_row = 0;  // the first row, and below the first column, that no window has reached yet
    for (int32_t row = 0; row < op.out_rows; ++row) {
      const Span rows = row_span(op, row);
      if (!overlap)
        write_zeros(map + int64_t{next_row} * op.columns * lanes,
                    int64_t{rows.begin - next_row} * op.columns * lanes);
      next_row = rows.end;
      int32_t next_column = 0;
      const auto close_gap = [&](int32_t end) {
        if (!overlap && next_column < end)
          for (int32_t r = rows.begin; r < rows.end; ++r)
            write_zeros(map + (int64_t{r} * op.columns + next_column) * lanes,
                        int64_t{end - next_column} * lanes);
      };
      for (int32_t column = 0; column < op.out_columns; ++column, ++output) {
        const Span columns = column_span(op, column);
        close_gap(columns.begin);
        next_column = columns.end;
        auto state = window.begin(output, channel);
        for_pixels<kSize>(op, rows, columns, [&](int64_t pixel, int32_t place) {
          T* to = map + pixel * lanes;
          auto dx = window.give(state, channel * pixels + pixel, place);
          if (overlap) dx += access.load_at(to);
          access.store_at(to, dx);
        });
      }
      close_gap(op.columns);
    }
    if (!overlap)
      write_zeros(map + int64_t{next_row} * op.columns * lanes,
                  int64_t{op.rows - next_row} * op.columns * lanes);
  }
}

// For blocks of any lanes, and windows of any size.
template <class T, class Window>
CHAINRULE_INLINE void pool_forward(const PoolOp& op, const Block& b, const Window& window) {
  pool_loops<0>(op, b, AnyLanes<T>(b), window);
}

template <class T, class Window>
CHAINRULE_INLINE void pool_backward(const PoolOp& op, const Block& b, const Window& window) {
  unpool_loops<0>(op, b, AnyLanes<T>(b), window, windows_overlap(op));
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
