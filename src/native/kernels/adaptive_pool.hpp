// Mean pooling to a given size: of n pixels, output i of m averages those from floor(i n / m) to before
// ceil((i + 1) n / m).
#pragma once

#include "windows.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

CHAINRULE_INLINE Span adaptive_span(int64_t output, int64_t outputs, int64_t size) {
  return {int32_t(output * size / outputs), int32_t(((output + 1) * size + outputs - 1) / outputs), 0};
}

// Calls f(pixel) for the pixels of rows x columns in a map.
template <class F>
CHAINRULE_INLINE void for_area(const AdaptivePoolOp& op, Span rows, Span columns, F f) {
  for (int64_t row = rows.begin; row < rows.end; ++row)
    for (int64_t column = columns.begin; column < columns.end; ++column) f(row * op.columns + column);
}

// Calls f(rows, columns, 1 / area) for the windows of a map, one output after another.
template <class T, class F>
CHAINRULE_INLINE void for_adaptive_windows(const AdaptivePoolOp& op, F f) {
  for (int32_t row = 0; row < op.out_rows; ++row) {
    const Span rows = adaptive_span(row, op.out_rows, op.rows);
    for (int32_t column = 0; column < op.out_columns; ++column) {
      const Span columns = adaptive_span(column, op.out_columns, op.columns);
      f(rows, columns, T(1.0 / (double(rows.end - rows.begin) * (columns.end - columns.begin))));
    }
  }
}

template <class T, int L>
void adaptive_pool_forward(const AdaptivePoolOp& op, const Block& b) {
  const T* map = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  for (int32_t channel = 0; channel < op.channels; ++channel, map += int64_t{op.rows} * op.columns * L)
    for_adaptive_windows<T>(op, [&](Span rows, Span columns, T factor) {
      Vec<T, L> sum = {};
      for_area(op, rows, columns, [&](int64_t pixel) { sum += load<T, L>(map + pixel * L); });
      store<T, L>(y, sum * factor);
      y += L;
    });
}

// Windows of equal size tile the map, and each pixel is written once; others may share pixels, and add.
template <class T, int L, bool kTiles>
CHAINRULE_INLINE void adaptive_unpool(const AdaptivePoolOp& op, const Block& b) {
  const int64_t pixels = int64_t{op.rows} * op.columns;
  const T* dy = at<T>(b, op.dy);
  T* map = at<T>(b, op.dx);
  for (int32_t channel = 0; channel < op.channels; ++channel, map += pixels * L) {
    if (!kTiles) write_zeros<T, L>(map, pixels);
    for_adaptive_windows<T>(op, [&](Span rows, Span columns, T factor) {
      const Vec<T, L> share = load<T, L>(dy) * factor;
      for_area(op, rows, columns, [&](int64_t pixel) {
        store<T, L>(map + pixel * L, kTiles ? share : load<T, L>(map + pixel * L) + share);
      });
      dy += L;
    });
  }
}

template <class T, int L>
void adaptive_pool_backward(const AdaptivePoolOp& op, const Block& b) {
  if (op.rows % op.out_rows == 0 && op.columns % op.out_columns == 0)
    adaptive_unpool<T, L, true>(op, b);
  else
    adaptive_unpool<T, L, false>(op, b);
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
