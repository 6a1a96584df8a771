// Max pooling of one sample: along the row, with vectors of neighbouring pixels.
#include "table.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Output columns whose window pixel j lies on the map.
CHAINRULE_INLINE void columns_inside(const PoolOp& op, int j, int64_t& begin, int64_t& end) {
  const int64_t shift = j - op.left;  // input column = q * stride + shift
  begin = shift >= 0 ? 0 : (-shift + op.stride_columns - 1) / op.stride_columns;
  end = shift >= op.columns ? 0 : smaller(op.out_columns, (op.columns - 1 - shift) / op.stride_columns + 1);
}

// The larger of two, and NaN if one is.
template <class T, int W>
CHAINRULE_INLINE Vec<T, W> larger_or_nan(Vec<T, W> a, Vec<T, W> b) {
  return (b > a) | (b != b) ? b : a;
}

// Two vectors as one row of pairs: the larger of each pair.
template <class T>
CHAINRULE_INLINE Vec<T, 8> larger_of_pairs(Vec<T, 8> a, Vec<T, 8> b) {
  return larger_or_nan<T, 8>(__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14),
                             __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15));
}
template <class T>
CHAINRULE_INLINE Vec<T, 4> larger_of_pairs(Vec<T, 4> a, Vec<T, 4> b) {
  return larger_or_nan<T, 4>(__builtin_shufflevector(a, b, 0, 2, 4, 6),
                             __builtin_shufflevector(a, b, 1, 3, 5, 7));
}

// A row of at least W pairs; the last vector ends with the row.
template <class T, int W>
CHAINRULE_INLINE void larger_of_pairs_row(const T* x, int64_t x_row, int rows, T* y, int64_t columns) {
  for (int64_t q = 0; q < columns; q += W) {
    const int64_t first = smaller(q, columns - W);
    Vec<T, W> a = load_unaligned<T, W>(x + 2 * first), b = load_unaligned<T, W>(x + 2 * first + W);
    for (int i = 1; i < rows; ++i) {
      a = larger_or_nan<T, W>(a, load_unaligned<T, W>(x + i * x_row + 2 * first));
      b = larger_or_nan<T, W>(b, load_unaligned<T, W>(x + i * x_row + 2 * first + W));
    }
    store_unaligned<T, W>(y + first, larger_of_pairs<T>(a, b));
  }
}

// Whether windows are pairs of columns beside one another, all inside the map.
CHAINRULE_INLINE bool pools_pairs(const PoolOp& op) {
  return op.kernel_columns == 2 && op.stride_columns == 2 && op.left == 0 && op.top == 0 &&
         op.out_columns >= 4 && 2 * op.out_columns <= op.columns &&
         (op.out_rows - 1) * int64_t(op.stride_rows) + op.kernel_rows <= op.rows;
}

template <class T>
void max_pool_pairs(const PoolOp& op, const Block& b) {
  const auto row = op.out_columns >= 8 ? larger_of_pairs_row<T, 8> : larger_of_pairs_row<T, 4>;
  for (int64_t c = 0; c < op.channels; ++c)
    for (int64_t p = 0; p < op.out_rows; ++p)
      row(at<T>(b, op.x) + (c * op.rows + p * op.stride_rows) * op.columns, op.columns, op.kernel_rows,
          at<T>(b, op.y) + (c * op.out_rows + p) * op.out_columns, op.out_columns);
}

template <class T>
void max_pool_forward_single(const PoolOp& op, const Block& b) {
  if (pools_pairs(op)) return max_pool_pairs<T>(op, b);
  // Window pixels that some window has on the map: a large window with large padding has many that none has.
  const int64_t reach = int64_t(op.out_columns - 1) * op.stride_columns;
  const int first = int(larger(op.left - reach, 0)),
            last = int(smaller(op.kernel_columns, int64_t(op.left) + op.columns));
  for (int64_t c = 0; c < op.channels; ++c)
    for (int64_t p = 0; p < op.out_rows; ++p) {
      T* __restrict y = at<T>(b, op.y) + (c * op.out_rows + p) * op.out_columns;
      for (int64_t q = 0; q < op.out_columns; ++q) y[q] = T(-__builtin_inf());
      const int64_t top = p * op.stride_rows - op.top, row_end = smaller(top + op.kernel_rows, op.rows);
      for (int64_t row = larger(top, 0); row < row_end; ++row) {
        for (int j = first; j < last; ++j) {
          int64_t begin, end;
          columns_inside(op, j, begin, end);
          const T* __restrict x = at<T>(b, op.x) + (c * op.rows + row) * op.columns + j - op.left;
          for (int64_t q = begin; q < end; ++q) {
            const T value = x[q * op.stride_columns];
            y[q] = (value > y[q]) | (value != value) ? value : y[q];
          }
        }
      }
    }
}

// The first pixel of the window that equals y, or is NaN, takes the gradient.
template <class T>
void max_pool_backward_single(const PoolOp& op, const Block& b) {
  T* dx = at<T>(b, op.dx);
  for (int64_t e = 0; e < int64_t(op.channels) * op.rows * op.columns; ++e) dx[e] = 0;
  for (int64_t c = 0; c < op.channels; ++c)
    for (int64_t p = 0; p < op.out_rows; ++p)
      for (int64_t q = 0; q < op.out_columns; ++q) {
        const int64_t output = (c * op.out_rows + p) * op.out_columns + q;
        const T y = at<T>(b, op.y)[output], dy = at<T>(b, op.dy)[output];
        if (dy == 0) continue;
        const int64_t top = p * op.stride_rows - op.top, left = q * op.stride_columns - op.left;
        const int64_t row_end = smaller(top + op.kernel_rows, op.rows),
                      end = smaller(left + op.kernel_columns, op.columns);
        bool found = false;
        for (int64_t row = larger(top, 0); row < row_end && !found; ++row)
          for (int64_t column = larger(left, 0); column < end; ++column) {
            const int64_t pixel = (c * op.rows + row) * op.columns + column;
            const T value = at<T>(b, op.x)[pixel];
            if ((found = value == y || value != value)) {
              dx[pixel] += dy;
              break;
            }
          }
      }
}

template <class T>
void add_single_max_pool(KernelTable& table) {
  add<OpKind::max_pool_forward, max_pool_forward_single<T>>(table);
  add<OpKind::max_pool_backward, max_pool_backward_single<T>>(table);
}

template void add_single_max_pool<float>(KernelTable&);

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
