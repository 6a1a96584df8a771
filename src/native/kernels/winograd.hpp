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

#include "weight_gradient.hpp"
#include "winograd_registers.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Numbers of a lane.
CHAINRULE_INLINE int64_t inputs_of_group(const WinogradOp& op) {
  return int64_t(op.in) * op.rows.source_size * op.columns.source_size;
}
CHAINRULE_INLINE int64_t outputs_of_group(const WinogradOp& op) {
  const int side = op.pairs ? 2 : 1;
  return int64_t(op.out) * (op.rows.size / side) * (op.columns.size / side);
}

// Forward: y from x. Backward: dx, in the place of y, from dy, in that of x.
template <class T, int L>
void winograd_pass(const WinogradOp& op, const Block& b, bool backward) {
  const int tiles = tiles_of_row(op);
  const PointsTransforms<T>& transforms = transforms_for<T, L>(op);
  const int padding = op.columns.padding;
  PointsWalk from = {op.in, op.rows.source_size, op.columns.source_size, 0, 0, tiles, padding, false};
  PointsWalk to = {op.out, op.rows.size, op.columns.size, 0, 0, tiles, padding, false};
  if (backward) {
    const PointsWalk swap = from;
    from = to, to = swap;
  }
  from.together = op.in_registers;
  const int64_t inputs = inputs_of_group(op), outputs = outputs_of_group(op);
  T *source_points = at<T>(b, op.source_points), *result_points = at<T>(b, op.result_points);
  T* all_winners = at<T>(b, op.winners);
  const T* biases = parameters<T>(b, op.bias);
  for (int64_t g = 0; g < op.groups; ++g) {
    T* x = at<T>(b, op.x) + g * (backward ? outputs : inputs) * L;
    T* y = at<T>(b, op.y) + g * (backward ? inputs : outputs) * L;
    T* winners = all_winners == nullptr ? nullptr : all_winners + g * outputs * L;
    const T* w = parameters<T>(b, op.weight) + g * op.points * op.in * op.out * op.rows.kernel_size;
    const T* bias = biases == nullptr ? nullptr : biases + g * op.out;
    for (int begin = 0; begin < to.rows; begin += op.strip) {
      const Strip strip(op, begin, tiles, backward);
      from.begin = strip.source_begin, from.end = strip.source_end;
      to.begin = strip.begin, to.end = strip.end;
      const auto read = !backward  ? transforms.read_sources
                        : op.pairs ? transforms.read_pairs
                                   : transforms.read_outputs;
      read(from, x, source_points, winners);
      if constexpr (kRegisters == 32)
        if (op.in_registers) {
          strip_in_registers<T, L>(op, strip, source_points, w, bias, y, winners);
          continue;
        }
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
  PointsWalk source = {op.in, rows.source_size, columns.source_size, 0, 0, tiles, columns.padding, false};
  PointsWalk result = {op.out, rows.size, columns.size, 0, 0, tiles, 0, false};
  T *x_points = at<T>(b, op.source_points), *dy_points = at<T>(b, op.result_points);
  T *turned = at<T>(b, op.turned), *raw = gradients<T>(b, op.raw);
  const int64_t point_weights = int64_t(op.out) * (by_channels ? op.padded_in : op.in) * op.rows.kernel_size;
  const int64_t weights = op.groups * op.points * point_weights;
  if (!by_channels)
    for (int64_t i = 0; i < (weights + L - 1) / L * L; ++i) store<T, L>(turned + i * L, Vec<T, L>{});
  else if (write)
    for (int64_t i = 0; i < weights; ++i) raw[i] = 0;
  for (int64_t g = 0; g < op.groups; ++g)
    for (int begin = 0; begin < rows.size; begin += op.strip) {
      const Strip strip(op, begin, tiles, false);
      source.begin = strip.source_begin, source.end = strip.source_end;
      result.begin = strip.begin, result.end = strip.end;
      const int64_t outputs = outputs_of_group(op);
      transforms.read_sources(source, at<T>(b, op.x) + g * inputs_of_group(op) * L, x_points, nullptr);
      (op.pairs ? transforms.read_pairs : transforms.read_outputs)(
          result, at<T>(b, op.y) + g * outputs * L, dy_points,
          op.pairs ? at<T>(b, op.winners) + g * outputs * L : nullptr);
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
// gradient [group][point][out][kernel rows][in], for registers [group][tile of filters][in][kernel
// rows][point][filter of the tile].
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
        int64_t place = op.backward ? (o * height + i) * op.in + c : (c * height + i) * op.out + o;
        int64_t point = numbers;
        if (op.in_registers) {
          const FilterTiles tiles(op.out);
          const int tile = tiles.of(int(o)), first = tiles.begin(tile);
          point = tiles.size(tile);
          place = (int64_t(first) * op.in * height + (c * height + i) * point) * op.points + o - first;
        }
        for (int p = 0; p < op.points; ++p) {
          T value = 0;
          for (int j = 0; j < width; ++j) value += T(g.at[p][j]) * from[j];
          to[p * point + place] = value;
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
