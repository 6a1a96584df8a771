// Max pooling of one sample: plain loops along the row, which compilers turn into vectors of neighbouring
// pixels.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Output columns whose window pixel j lies on the map.
CHAINRULE_INLINE void columns_inside(const PoolOp& op, int j, int64_t& begin, int64_t& end) {
  const int64_t shift = j - op.left;  // input column = q * stride + shift
  begin = shift >= 0 ? 0 : (-shift + op.stride_columns - 1) / op.stride_columns;
  end = shift >= op.columns ? 0 : smaller(op.out_columns, (op.columns - 1 - shift) / op.stride_columns + 1);
}

template <class T>
void max_pool_forward_single(const PoolOp& op, const Block& b) {
  for (int64_t c = 0; c < op.channels; ++c)
    for (int64_t p = 0; p < op.out_rows; ++p) {
      T* __restrict y = at<T>(b, op.y) + (c * op.out_rows + p) * op.out_columns;
      for (int64_t q = 0; q < op.out_columns; ++q) y[q] = T(-__builtin_inf());
      for (int i = 0; i < op.kernel_rows; ++i) {
        const int64_t row = p * op.stride_rows - op.top + i;
        if (row < 0 || row >= op.rows) continue;
        for (int j = 0; j < op.kernel_columns; ++j) {
          int64_t begin, end;
          columns_inside(op, j, begin, end);
          const T* __restrict x = at<T>(b, op.x) + (c * op.rows + row) * op.columns + j - op.left;
          if (op.stride_columns == 2)
            for (int64_t q = begin; q < end; ++q)
              y[q] = (x[2 * q] > y[q]) | (x[2 * q] != x[2 * q]) ? x[2 * q] : y[q];
          else
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

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
