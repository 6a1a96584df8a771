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
// (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for
// Convolutional Neural Networks, 2015, who do it for both axes.)
#pragma once

#include "weight_gradient.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

constexpr int kMostPoints = 8, kLeastTaps = 2, kMostTaps = 5;
constexpr int kMostStripRows = 32;

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
// [point][channel][row - begin][tile]. Tile t of the sources begins at column t M - padding.
struct PointsWalk {
  int channels, rows, columns, begin, end, tiles, padding;
};

template <class T, int L, class Body>
CHAINRULE_INLINE void for_rows_of_points(const PointsWalk& walk, T* map, T* points, Body body) {
  const int64_t line = int64_t(walk.tiles) * L, channel = (walk.end - walk.begin) * line;
  for (int c = 0; c < walk.channels; ++c)
    for (int row = walk.begin; row < walk.end; ++row) {
      body(map + (int64_t(c) * walk.rows + row) * walk.columns * L, points, walk.channels * channel, c);
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
  for_rows_of_points<T, L>(walk, map, points, [&](const T* row, T* to, int64_t distance, int) {
    for (int t = 0; t < walk.tiles; ++t) {
      Vec<T, L> x[P], v[P];
      load_columns<T, L>(row, t * M - walk.padding, walk.columns, x);
      sources_to_points<T, L, P>(x, v);
      store_points<T, L>(to + t * L, distance, v);
    }
  });
}

template <class T, int L, int P, int M>
void read_outputs(const PointsWalk& walk, T* map, T* points, const T*) {
  for_rows_of_points<T, L>(walk, map, points, [&](const T* row, T* to, int64_t distance, int) {
    for (int t = 0; t < walk.tiles; ++t) {
      Vec<T, L> y[M], m[P];
      load_columns<T, L>(row, t * M, walk.columns, y);
      outputs_to_points<T, L, P, M>(y, m);
      store_points<T, L>(to + t * L, distance, m);
    }
  });
}

template <class T, int L, int P, int M>
void write_outputs(const PointsWalk& walk, T* map, T* points, const T* bias) {
  for_rows_of_points<T, L>(walk, map, points, [&](T* row, const T* from, int64_t distance, int channel) {
    const T shift = bias == nullptr ? T(0) : bias[channel];
    for (int t = 0; t < walk.tiles; ++t) {
      Vec<T, L> m[P], y[M];
      load_points<T, L>(from + t * L, distance, m);
      points_to_outputs<T, L, P, M>(m, y);
#pragma GCC unroll 8
      for (int j = 0; j < M; ++j)
        if (t * M + j < walk.columns) store<T, L>(row + (t * M + j) * L, y[j] + shift);
    }
  });
}

// Neighbouring tiles share 6 - M columns, which are carried from one to the next.
template <class T, int L, int P, int M>
void write_sources(const PointsWalk& walk, T* map, T* points, const T*) {
  for_rows_of_points<T, L>(walk, map, points, [&](T* row, const T* from, int64_t distance, int) {
    Vec<T, L> carried[P - M] = {};
    for (int t = 0; t < walk.tiles; ++t) {
      Vec<T, L> v[P], x[P];
      load_points<T, L>(from + t * L, distance, v);
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
  using Transform = void (*)(const PointsWalk&, T* map, T* points, const T* bias);
  Transform read_sources, read_outputs, write_outputs, write_sources;
};

template <class T, int L, int P, int M>
constexpr PointsTransforms<T> transforms_of() {
  return {read_sources<T, L, P, M>, read_outputs<T, L, P, M>, write_outputs<T, L, P, M>,
          write_sources<T, L, P, M>};
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

// Forward: y from x. Backward: dx, in the place of y, from dy, in that of x.
template <class T, int L>
void winograd_pass(const WinogradOp& op, const Block& b, bool backward) {
  const int tiles = tiles_of_row(op);
  const PointsTransforms<T>& transforms = transforms_for<T, L>(op);
  PointsWalk from = {op.in, op.rows.source_size, op.columns.source_size, 0, 0, tiles, op.columns.padding};
  PointsWalk to = {op.out, op.rows.size, op.columns.size, 0, 0, tiles, op.columns.padding};
  if (backward) {
    const PointsWalk swap = from;
    from = to, to = swap;
  }
  T *source_points = at<T>(b, op.source_points), *result_points = at<T>(b, op.result_points);
  for (int g = 0; g < op.groups; ++g) {
    T* x = at<T>(b, op.x) + int64_t(g) * from.channels * from.rows * from.columns * L;
    T* y = at<T>(b, op.y) + int64_t(g) * to.channels * to.rows * to.columns * L;
    const T* w = parameters<T>(b, op.weight) + int64_t(g) * op.points * op.in * op.out * op.rows.kernel_size;
    const T* bias = op.bias == kNone ? nullptr : parameters<T>(b, op.bias) + int64_t(g) * op.out;
    for (int begin = 0; begin < to.rows; begin += op.strip) {
      const Strip strip(op, begin, tiles, backward);
      from.begin = strip.source_begin, from.end = strip.source_end;
      to.begin = strip.begin, to.end = strip.end;
      (backward ? transforms.read_outputs : transforms.read_sources)(from, x, source_points, nullptr);
      ConvolveOp inner = {};
      inner.groups = op.points, inner.in = from.channels, inner.out = to.channels;
      inner.rows = strip.rows, inner.columns = strip.columns;
      convolve_maps<T, L>(inner, source_points, w, nullptr, result_points);
      (backward ? transforms.write_sources : transforms.write_outputs)(to, y, result_points, bias);
    }
  }
}

template <class T, int L>
void winograd_forward(const WinogradOp& op, const Block& b) {
  if constexpr (L > 1) winograd_pass<T, L>(op, b, false);
}

template <class T, int L>
void winograd_backward_input(const WinogradOp& op, const Block& b) {
  if constexpr (L > 1) winograd_pass<T, L>(op, b, true);
}

// d(G w) from x and dy, which is in the place of y.
template <class T, int L>
void winograd_weight_gradient_lanes(const WinogradOp& op, const Block& b) {
  const int tiles = tiles_of_row(op);
  const PointsTransforms<T>& transforms = transforms_for<T, L>(op);
  const bool by_channels = op.padded_in > 0, write = op.starts && b.fresh;
  const Axis &rows = op.rows, &columns = op.columns;
  PointsWalk source = {op.in, rows.source_size, columns.source_size, 0, 0, tiles, columns.padding};
  PointsWalk result = {op.out, rows.size, columns.size, 0, 0, tiles, 0};
  T *x_points = at<T>(b, op.source_points), *dy_points = at<T>(b, op.result_points);
  T *turned = at<T>(b, op.turned), *raw = gradients<T>(b, op.raw);
  const int64_t point_weights = int64_t(op.out) * (by_channels ? op.padded_in : op.in) * op.rows.kernel_size;
  const int64_t weights = op.groups * op.points * point_weights;
  if (!by_channels)
    for (int64_t i = 0; i < (weights + L - 1) / L * L; ++i) store<T, L>(turned + i * L, Vec<T, L>{});
  else if (write)
    for (int64_t i = 0; i < weights; ++i) raw[i] = 0;
  for (int g = 0; g < op.groups; ++g)
    for (int begin = 0; begin < rows.size; begin += op.strip) {
      const Strip strip(op, begin, tiles, false);
      source.begin = strip.source_begin, source.end = strip.source_end;
      result.begin = strip.begin, result.end = strip.end;
      T* x = at<T>(b, op.x) + int64_t(g) * op.in * source.rows * source.columns * L;
      T* dy = at<T>(b, op.y) + int64_t(g) * op.out * result.rows * result.columns * L;
      transforms.read_sources(source, x, x_points, nullptr);
      transforms.read_outputs(result, dy, dy_points, nullptr);
      const int64_t source_places = strip.columns.source_size, places = strip.columns.size;
      if (by_channels) {
        ChannelGradientOp inner = {};
        inner.in = op.in, inner.out = op.out, inner.padded_in = op.padded_in;
        inner.rows = strip.rows, inner.columns = strip.columns;
        for (int p = 0; p < op.points; ++p) {
          turn_channels<T, L>(x_points + p * op.in * source_places * L, turned, source_places, op.in,
                              op.padded_in);
          channel_products<T, L>(inner, turned, dy_points + p * op.out * places * L,
                                 raw + (int64_t(g) * op.points + p) * point_weights);
        }
      } else {
        WeightGradientOp inner = {};
        inner.groups = op.points, inner.in = op.in, inner.out = op.out;
        inner.rows = strip.rows, inner.columns = strip.columns;
        weight_sums<T, L>(inner, x_points, dy_points, turned + g * op.points * point_weights * L);
      }
    }
  if (!by_channels) add_up_lanes<T, L>(turned, raw, weights, write);
}

template <class T, int L>
void winograd_weight_gradient(const WinogradOp& op, const Block& b) {
  if constexpr (L > 1) winograd_weight_gradient_lanes<T, L>(op, b);
}

// Packs rows [begin, end) of groups * out: G w as [group][point][in][kernel rows][out], for the input
// gradient [group][point][out][kernel rows][in].
template <class T>
void pack_points(const PackOp& op, T* parameters, int64_t begin, int64_t end) {
  const int width = op.point_taps, height = op.taps / width;
  const TapsToPoints g(op.points, width);
  const int64_t numbers = int64_t(op.out) * op.in * height;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t group = row / op.out, o = row % op.out;
    const T* from = parameters + op.natural + row * op.in * op.taps;
    T* to = parameters + op.packed + group * op.points * numbers;
    for (int64_t c = 0; c < op.in; ++c)
      for (int64_t i = 0; i < height; ++i, from += width) {
        const int64_t place = op.backward ? (o * height + i) * op.in + c : (c * height + i) * op.out + o;
        for (int p = 0; p < op.points; ++p) {
          T value = 0;
          for (int j = 0; j < width; ++j) value += T(g.at[p][j]) * from[j];
          to[p * numbers + place] = value;
        }
      }
  }
}

// dw = Gᵀ d(G w) for one row of groups * out, the shards added in their order.
template <class T>
void finish_points(const FinishOp& op, const void* gradients, int64_t shard_bytes, int shards, T* natural,
                   int64_t row) {
  constexpr int kChunk = 64;
  const int64_t taps = int64_t(op.taps_rows) * op.taps_columns, in = op.columns / taps;
  const int width = op.taps_columns, height = op.taps_rows;
  const TapsToPoints g(op.points, width);
  const bool by_channels = op.layout == RawLayout::kChannels;
  const int64_t line = by_channels ? height * op.padded_in : in * height;
  const int64_t group = row / op.point_rows, o = row % op.point_rows;
  for (int64_t first = 0; first < line; first += kChunk) {
    const int count = int(smaller(kChunk, line - first));
    T sums[kMostPoints][kChunk] = {};
    for (int p = 0; p < op.points; ++p)
      for (int s = 0; s < shards; ++s) {
        const T* raw = reinterpret_cast<const T*>(static_cast<const char*>(gradients) + s * shard_bytes) +
                       op.raw + ((group * op.points + p) * op.point_rows + o) * line + first;
        for (int k = 0; k < count; ++k) sums[p][k] += raw[k];
      }
    for (int j = 0; j < width; ++j) {
      T dw[kChunk] = {};
      for (int p = 0; p < op.points; ++p)
        for (int k = 0; k < kChunk; ++k) dw[k] += T(g.at[p][j]) * sums[p][k];
      for (int k = 0; k < count; ++k) {
        const int64_t e = first + k;
        if (!by_channels)
          natural[e * width + j] = dw[k];
        else if (e % op.padded_in < in)
          natural[(e % op.padded_in * height + e / op.padded_in) * width + j] = dw[k];
      }
    }
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
