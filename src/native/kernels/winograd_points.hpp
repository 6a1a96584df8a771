// The linear maps of Winograd's algorithm, whose idea is told in winograd.hpp: taps, sources and outputs of a
// row to values at the points, and back; and the strips of rows in which this is done.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

constexpr int kMostPoints = 8, kLeastTaps = 2, kMostTaps = 5;

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

// v = Bᵀ x.
template <class T, int L, int P>
CHAINRULE_INLINE void sources_to_points(const Vec<T, L> (&x)[P], Vec<T, L> (&v)[P]) {
  constexpr auto& points = kPoints<P>;
  constexpr int H = Points<P>::kPairs;
  v[0] = x[2 * H], v[P - 1] = x[2 * H + 1];
#pragma GCC unroll 3
  for (int k = 0; k < H; ++k)
    v[0] += T(points.all[k]) * x[2 * k], v[P - 1] += T(points.all[k]) * x[2 * k + 1];
#pragma GCC unroll 3
  for (int i = 0; i < H; ++i) {
    Vec<T, L> even = x[2 * H], odd = x[2 * H - 1];
#pragma GCC unroll 3
    for (int k = 0; k < H - 1; ++k)
      even += T(points.others[i][k]) * x[2 * k + 2], odd += T(points.others[i][k]) * x[2 * k + 1];
    v[2 * i + 1] = even + T(points.pair[i]) * odd, v[2 * i + 2] = even - T(points.pair[i]) * odd;
  }
}

// x = B v.
template <class T, int L, int P>
CHAINRULE_INLINE void points_to_sources(const Vec<T, L> (&v)[P], Vec<T, L> (&x)[P]) {
  constexpr auto& points = kPoints<P>;
  constexpr int H = Points<P>::kPairs;
#pragma GCC unroll 4
  for (int k = 0; k <= H; ++k) x[2 * k] = T(points.all[k]) * v[0], x[2 * k + 1] = T(points.all[k]) * v[P - 1];
#pragma GCC unroll 3
  for (int i = 0; i < H; ++i) {
    const Vec<T, L> even = v[2 * i + 1] + v[2 * i + 2],
                    odd = T(points.pair[i]) * (v[2 * i + 1] - v[2 * i + 2]);
#pragma GCC unroll 3
    for (int k = 0; k < H; ++k)
      x[2 * k + 2] += T(points.others[i][k]) * even, x[2 * k + 1] += T(points.others[i][k]) * odd;
  }
}

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

// m = A y.
template <class T, int L, int P, int M>
CHAINRULE_INLINE void outputs_to_points(const Vec<T, L> (&y)[M], Vec<T, L> (&m)[P]) {
  constexpr int H = Points<P>::kPairs;
  m[0] = y[0], m[P - 1] = y[M - 1];
#pragma GCC unroll 3
  for (int i = 0; i < H; ++i) {
    Vec<T, L> even = y[0], odd = {};
    T power = T(kPoints<P>.pair[i]);
#pragma GCC unroll 8
    for (int j = 1; j < M; ++j, power *= T(kPoints<P>.pair[i]))
      if (j % 2 == 0)
        even += power * y[j];
      else
        odd += power * y[j];
    m[2 * i + 1] = even + odd, m[2 * i + 2] = even - odd;
  }
}

// Rows [begin, end) of all channels of a map, and their values at the points:
// [point][channel][row - begin][tile], or with the points `together` [channel][row - begin][tile][point].
// Tile t of the sources begins at column t M - padding.
struct PointsWalk {
  int channels, rows, columns, begin, end, tiles, padding;
  bool together;
};

// Calls body(row of the map, place of a tile's first value, distance between points, channel, row).
template <class T, int L, int P, class Body>
CHAINRULE_INLINE void for_rows_of_points(const PointsWalk& walk, T* map, T* points, Body body) {
  const int64_t tile = walk.together ? P * L : L, line = walk.tiles * tile;
  const int64_t point = walk.together ? L : int64_t(walk.channels) * (walk.end - walk.begin) * line;
  for (int c = 0; c < walk.channels; ++c)
    for (int row = walk.begin; row < walk.end; ++row) {
      T* const first = points;
      body(
          map + (int64_t(c) * walk.rows + row) * walk.columns * L, [=](int t) { return first + t * tile; },
          point, c, row);
      points += line;
    }
}

// `count` columns from `first` on; those outside of the map are zeros.
template <class T, int L, int count>
CHAINRULE_INLINE void load_columns(const T* row, int first, int columns, Vec<T, L> (&values)[count]) {
  if (first >= 0 && first + count <= columns)
#pragma GCC unroll 8
    for (int k = 0; k < count; ++k) values[k] = load<T, L>(row + int64_t(first + k) * L);
  else
#pragma GCC unroll 8
    for (int k = 0; k < count; ++k)
      values[k] =
          first + k >= 0 && first + k < columns ? load<T, L>(row + int64_t(first + k) * L) : Vec<T, L>{};
}

template <class T, int L, int P>
CHAINRULE_INLINE void load_points(const T* points, int64_t distance, Vec<T, L> (&values)[P]) {
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) values[p] = load<T, L>(points + p * distance);
}

template <class T, int L, int P>
CHAINRULE_INLINE void store_points(T* points, int64_t distance, const Vec<T, L> (&values)[P]) {
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) store<T, L>(points + p * distance, values[p]);
}

template <class T, int L, int P, int M>
void read_sources(const PointsWalk& walk, T* map, T* points, const T*) {
  for_rows_of_points<T, L, P>(walk, map, points, [&](const T* row, auto to, int64_t distance, int, int) {
    for (int t = 0; t < walk.tiles; ++t) {
      Vec<T, L> x[P], v[P];
      load_columns<T, L>(row, t * M - walk.padding, walk.columns, x);
      sources_to_points<T, L, P>(x, v);
      store_points<T, L>(to(t), distance, v);
    }
  });
}

template <class T, int L, int P, int M>
void read_outputs(const PointsWalk& walk, T* map, T* points, const T*) {
  for_rows_of_points<T, L, P>(walk, map, points, [&](const T* row, auto to, int64_t distance, int, int) {
    for (int t = 0; t < walk.tiles; ++t) {
      Vec<T, L> y[M], m[P];
      load_columns<T, L>(row, t * M, walk.columns, y);
      outputs_to_points<T, L, P, M>(y, m);
      store_points<T, L>(to(t), distance, m);
    }
  });
}

// The same from gradients of the maxima of pairs of rows and columns, which go to the winners.
template <class T, int L, int P, int M>
void read_pairs(const PointsWalk& walk, T* maxima, T* points, const T* winners) {
  if constexpr (M % 2 == 0) {
    const int rows = walk.rows / 2, columns = walk.columns / 2;
    for_rows_of_points<T, L, P>(
        walk, maxima, points, [&](const T*, auto to, int64_t distance, int channel, int row) {
          const int64_t line = (int64_t(channel) * rows + row / 2) * columns;
          const int inside = row / 2 < rows ? columns : 0;
          const T left = T(row % 2 * 2), right = left + T(1);
          for (int t = 0; t < walk.tiles; ++t) {
            Vec<T, L> y[M] = {}, m[P];
#pragma GCC unroll 4
            for (int j = 0; j < M; j += 2) {
              const int column = (t * M + j) / 2;
              if (column >= inside) continue;
              const Vec<T, L> dy = load<T, L>(maxima + (line + column) * L),
                              winner = load<T, L>(winners + (line + column) * L);
              y[j] = winner == left ? dy : Vec<T, L>{}, y[j + 1] = winner == right ? dy : Vec<T, L>{};
            }
            outputs_to_points<T, L, P, M>(y, m);
            store_points<T, L>(to(t), distance, m);
          }
        });
  }
}

template <class T, int L, int P, int M>
void write_outputs(const PointsWalk& walk, T* map, T* points, const T* bias) {
  for_rows_of_points<T, L, P>(walk, map, points, [&](T* row, auto from, int64_t distance, int channel, int) {
    const T shift = bias == nullptr ? T(0) : bias[channel];
    for (int t = 0; t < walk.tiles; ++t) {
      Vec<T, L> m[P], y[M];
      load_points<T, L>(from(t), distance, m);
      points_to_outputs<T, L, P, M>(m, y);
#pragma GCC unroll 8
      for (int j = 0; j < M; ++j)
        if (t * M + j < walk.columns) store<T, L>(row + (t * M + j) * L, y[j] + shift);
    }
  });
}

// Neighbouring tiles share P - M columns, which are carried from one to the next.
template <class T, int L, int P, int M>
void write_sources(const PointsWalk& walk, T* map, T* points, const T*) {
  for_rows_of_points<T, L, P>(walk, map, points, [&](T* row, auto from, int64_t distance, int, int) {
    Vec<T, L> carried[P - M] = {};
    for (int t = 0; t < walk.tiles; ++t) {
      Vec<T, L> v[P], x[P];
      load_points<T, L>(from(t), distance, v);
      points_to_sources<T, L, P>(v, x);
#pragma GCC unroll 8
      for (int k = 0; k < P - M; ++k) x[k] += carried[k];
#pragma GCC unroll 8
      for (int k = 0; k < P - M; ++k) carried[k] = x[k + M];
      const int first = t * M - walk.padding, last = t + 1 < walk.tiles ? M : P;
      for (int k = 0; k < last; ++k)
        if (first + k >= 0 && first + k < walk.columns) store<T, L>(row + (first + k) * L, x[k]);
    }
  });
}

template <class T>
struct PointsTransforms {
  using Transform = void (*)(const PointsWalk&, T* map, T* points, const T* bias_or_winners);
  Transform read_sources, read_outputs, read_pairs, write_outputs, write_sources;
};

template <class T, int L, int P, int M>
constexpr PointsTransforms<T> transforms_of() {
  return {read_sources<T, L, P, M>, read_outputs<T, L, P, M>, read_pairs<T, L, P, M>,
          write_outputs<T, L, P, M>, write_sources<T, L, P, M>};
}

template <class T, int L>
const PointsTransforms<T>& transforms_for(const WinogradOp& op) {
  static constexpr PointsTransforms<T> six[] = {transforms_of<T, L, 6, 5>(), transforms_of<T, L, 6, 4>(),
                                                transforms_of<T, L, 6, 3>(), transforms_of<T, L, 6, 2>()},
                                       eight[] = {transforms_of<T, L, 8, 7>(), transforms_of<T, L, 8, 6>(),
                                                  transforms_of<T, L, 8, 5>(), transforms_of<T, L, 8, 4>()};
  return (op.points == 6 ? six : eight)[op.columns.kernel_size - kLeastTaps];
}

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

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
