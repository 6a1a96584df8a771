// The linear maps of Winograd's algorithm, applied to whole strips.
#include "table.hpp"
#include "winograd.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

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

template <class T, int L, int P>
void read_sources(const PointsWalk& walk, T* map, T* points, const T*) {
  for_rows_of_points<T, L, P>(walk, map, points, [&](const T* row, auto to, int64_t distance, int, int) {
    for (int t = 0; t < walk.tiles; ++t) {
      Vec<T, L> x[P], v[P];
      load_columns<T, L>(row, t * walk.outputs - walk.padding, walk.columns, x);
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
  static_assert(M % 2 == 0);
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

template <class T, int L, int P, int M>
constexpr PointsTransforms<T> transforms_of() {
  return {read_sources<T, L, P>, read_outputs<T, L, P, M>, read_pairs<T, L, P, M>, write_outputs<T, L, P, M>,
          write_sources<T, L, P, M>};
}

}  // namespace

template <class T, int L>
const PointsTransforms<T>& transforms_for(const WinogradOp& op) {
  static constexpr PointsTransforms<T> six = transforms_of<T, L, 6, 4>(), eight = transforms_of<T, L, 8, 6>(),
                                       eight_by_five = transforms_of<T, L, 8, 4>();
  return op.points == 6 ? six : op.columns.kernel_size == 3 ? eight : eight_by_five;
}

#define CHAINRULE_INSTANTIATE(T, L) \
  template const PointsTransforms<T>& transforms_for<T, L>(const WinogradOp&);
CHAINRULE_FOR_MANY_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
