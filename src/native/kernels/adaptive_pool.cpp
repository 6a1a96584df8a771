// Mean pooling to a given size: of n pixels, output i of m averages those from floor(i n / m) to before
// ceil((i + 1) n / m).
#include "table.hpp"
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

template <class T>
void adaptive_pool_forward(const AdaptivePoolOp& op, const Block& b) {
  const T* map = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  const int lanes = b.lanes;
  for (int32_t channel = 0; channel < op.channels; ++channel, map += int64_t{op.rows} * op.columns * lanes)
    for_adaptive_windows<T>(op, [&](Span rows, Span columns, T factor) {
      Lanes<T> sum = {};
      for_area(op, rows, columns, [&](int64_t pixel) { sum += load_first(map + pixel * lanes, lanes); });
      store_first<T>(y, sum * factor, lanes);
      y += lanes;
    });
}

// Windows of equal size tile the map, and each pixel is written once; others may share pixels, and add.
template <class T>
void adaptive_pool_backward(const AdaptivePoolOp& op, const Block& b) {
  const bool tiles = op.rows % op.out_rows == 0 && op.columns % op.out_columns == 0;
  const int lanes = b.lanes;
  const int64_t pixels = int64_t{op.rows} * op.columns;
  const T* dy = at<T>(b, op.dy);
  T* map = at<T>(b, op.dx);
  for (int32_t channel = 0; channel < op.channels; ++channel, map += pixels * lanes) {
    if (!tiles) write_zeros(map, pixels * lanes);
    for_adaptive_windows<T>(op, [&](Span rows, Span columns, T factor) {
      const Lanes<T> share = load_first(dy, lanes) * factor;
      for_area(op, rows, columns, [&](int64_t pixel) {
        T* to = map + pixel * lanes;
        store_first<T>(to, tiles ? share : load_first(to, lanes) + share, lanes);
      });
      dy += lanes;
    });
  }
}

template <class T>
void add_adaptive_pool(KernelTable& table) {
  add<OpKind::adaptive_pool_forward, adaptive_pool_forward<T>>(table);
  add<OpKind::adaptive_pool_backward, adaptive_pool_backward<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_adaptive_pool<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
