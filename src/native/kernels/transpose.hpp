// L x L numbers transposed in registers: log2(L) rounds of interleaving pairs of rows.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

template <class T>
CHAINRULE_INLINE void interleave(Vec<T, 1>&, Vec<T, 1>&) {}  // one lane is its own transpose
template <class T>
CHAINRULE_INLINE void interleave(Vec<T, 2>& a, Vec<T, 2>& b) {
  const Vec<T, 2> low = __builtin_shufflevector(a, b, 0, 2), high = __builtin_shufflevector(a, b, 1, 3);
  a = low, b = high;
}
template <class T>
CHAINRULE_INLINE void interleave(Vec<T, 4>& a, Vec<T, 4>& b) {
  const Vec<T, 4> low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                  high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  a = low, b = high;
}
template <class T>
CHAINRULE_INLINE void interleave(Vec<T, 8>& a, Vec<T, 8>& b) {
  const Vec<T, 8> low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11),
                  high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  a = low, b = high;
}
template <class T>
CHAINRULE_INLINE void interleave(Vec<T, 16>& a, Vec<T, 16>& b) {
  const Vec<T, 16> low =
                       __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
                   high = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
                                                  15, 31);
  a = low, b = high;
}

// rows[i][j] <-> rows[j][i]. Interleaving row i with row i + L/2 is a rotation of the index bits (row,
// column); after log2(L) rotations rows and columns have changed places.
template <class T, int L>
CHAINRULE_INLINE void transpose(Vec<T, L> (&rows)[L]) {
#pragma GCC unroll 4
  for (int round = 1; round < L; round *= 2) {
    Vec<T, L> next[L];
#pragma GCC unroll 16
    for (int i = 0; i < L / 2; ++i) {
      Vec<T, L> a = rows[i], b = rows[i + L / 2];
      interleave<T>(a, b);
      next[2 * i] = a, next[2 * i + 1] = b;
    }
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i) rows[i] = next[i];
  }
}

// Lane i of the result is the sum of all lanes of row i, in a fixed order. Two rows become one that holds the
// halves of both, added.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> sum_of_lanes(Vec<T, L> (&rows)[L]) {
#pragma GCC unroll 4
  for (int width = L / 2; width > 0; width /= 2)
#pragma GCC unroll 8
    for (int k = 0; k < width; ++k) {
      interleave<T>(rows[k], rows[k + width]);
      rows[k] += rows[k + width];
    }
  return rows[0];
}

// A matrix [rows][columns] written as [columns][rows]; the lines are `from_line` and `to_line` numbers long.
template <class T>
void transpose_matrix(const T* from, int64_t from_line, T* to, int64_t to_line, int64_t rows,
                      int64_t columns);

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
