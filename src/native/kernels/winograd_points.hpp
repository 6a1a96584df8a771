// Convolution with fewer multiplications: Winograd's (Toom and Cook's) algorithm along the columns.
//
// A tile of M neighbouring outputs of a row needs P neighbouring inputs and P + 1 - M taps. Outputs are
// coefficients of a product of polynomials, and a polynomial is also given by its values at P points:
//     y = Aᵀ [(G w) * (Bᵀ x)]
// with P products where the sum over the taps has M (P + 1 - M): 6 instead of 12 for four outputs of 3 taps,
// 8 instead of 20 for four of 5. Over the rows of the kernel and over the channels, products are added as
// ever, still as values at the points. So what happens there is a convolution with a kernel one column wide
// and a group for each point, done by the same kernels as any other. By the chain rule each linear map turns
// into its transpose:
//     dM = A dy,  dV = (dM convolved with G w, transposed),  dx = B dV,  d(G w) = dM * V,  dw = Gᵀ d(G w).
//
// The points are zero, infinity, and pairs ±p that are exact in binary and near enough to 1 to keep the
// rounding near that of the plain sum. A strip of rows is transformed at a time, so that it stays in cache.
// Where the plain sum is exactly zero, or equal at neighbouring pixels, tiles with other inputs leave
// differences of a rounding: a ReLU or a max pooling behind may then decide otherwise, and its gradient is
// another of those that the kink allows. Infinite inputs, and NaN, spread over their tile. (S. Winograd,
// Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural
// Networks, 2015, who do it for both axes.)
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

constexpr int kMostPoints = 8, kMostTaps = 5;

// Zero, the pairs ±p, infinity, in this order.
template <int P>
struct Points {
  static constexpr int kPairs = P / 2 - 1;
  double pair[kPairs] = {};
  double others[kPairs][kPairs] = {};  // coefficients in s² of the product of (s² - q²) over the other pairs
  double all[kPairs + 1] = {};         // over all pairs

  constexpr Points() {
    constexpr double six[] = {0.75, 1.5}, eight[] = {0.5, 1, 2};
    for (int i = 0; i < kPairs; ++i) pair[i] = P == 6 ? six[i] : eight[i];
    for (int i = 0; i < kPairs; ++i) multiply(others[i], i);
    multiply(all, kPairs);
  }
  constexpr void multiply(double* coefficients, int left_out) const {
    coefficients[0] = 1;
    int degree = 0;
    for (int i = 0; i < kPairs; ++i) {
      if (i == left_out) continue;
      coefficients[++degree] = 0;
      for (int k = degree; k >= 0; --k)
        coefficients[k] = (k > 0 ? coefficients[k - 1] : 0) - pair[i] * pair[i] * coefficients[k];
    }
  }
};

template <int P>
constexpr Points<P> kPoints{};

// G[point][tap]: powers of the point, divided by its distances from the others.
struct TapsToPoints {
  double at[kMostPoints][kMostTaps] = {};

  TapsToPoints(int points, int taps) {
    if (points == 6)
      fill(kPoints<6>, taps);
    else
      fill(kPoints<8>, taps);
  }

 private:
  template <int P>
  void fill(const Points<P>& points, int taps) {
    const auto point = [&](int p) {
      return p == 0 ? 0.0 : p % 2 == 1 ? points.pair[(p - 1) / 2] : -points.pair[(p - 1) / 2];
    };
    for (int p = 0; p < P - 1; ++p) {
      double distances = 1, power = 1;
      for (int q = 0; q < P - 1; ++q)
        if (q != p) distances *= point(p) - point(q);
      for (int j = 0; j < taps; ++j, power *= point(p)) at[p][j] = power / distances;
    }
    at[P - 1][taps - 1] = 1;
  }
};

// y = Aᵀ m.
template <class T, int L, int P, int M>
CHAINRULE_INLINE void points_to_outputs(const Vec<T, L> (&m)[P], Vec<T, L> (&y)[M]) {
  constexpr int H = Points<P>::kPairs;
#pragma GCC unroll 8
  for (int j = 0; j < M; ++j) y[j] = j == 0 ? m[0] : Vec<T, L>{};
  y[M - 1] += m[P - 1];
#pragma GCC unroll 3
  for (int i = 0; i < H; ++i) {
    const Vec<T, L> even = m[2 * i + 1] + m[2 * i + 2], odd = m[2 * i + 1] - m[2 * i + 2];
    T power = 1;
#pragma GCC unroll 8
    for (int j = 0; j < M; ++j, power *= T(kPoints<P>.pair[i])) y[j] += power * (j % 2 == 0 ? even : odd);
  }
}

constexpr int kPointFilters = 3;  // of a tile: by eight points they fill the registers

// Filters of a group fall into tiles of nearly the same size.
struct FilterTiles {
  int filters, count;

  explicit FilterTiles(int filters)
      : filters(filters), count((filters + kPointFilters - 1) / kPointFilters) {}
  int begin(int tile) const { return int(int64_t(tile) * filters / count); }
  int size(int tile) const { return begin(tile + 1) - begin(tile); }
  int of(int filter) const { return int((int64_t(filter + 1) * count - 1) / filters); }
};

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
