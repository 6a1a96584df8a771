// Winograd's algorithm over whole maps, a strip of rows at a time: forward, and both gradients.
#include "winograd.hpp"

#include "convolution.hpp"
#include "table.hpp"
#include "weight_gradient.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

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
  PointsWalk from = {
      op.in, op.rows.source_size, op.columns.source_size, 0, 0, tiles, outputs_of_tile(op), padding, false};
  PointsWalk to = {op.out, op.rows.size, op.columns.size, 0, 0, tiles, outputs_of_tile(op), padding, false};
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
    T* x = at<T>(b, op.source) + g * (backward ? outputs : inputs) * L;
    T* y = at<T>(b, op.result) + g * (backward ? inputs : outputs) * L;
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
  winograd_pass<T, L>(op, b, false);
}

template <class T, int L>
void winograd_backward_input(const WinogradOp& op, const Block& b) {
  winograd_pass<T, L>(op, b, true);
}

// d(G w) from x and dy, which is in the place of y.
template <class T, int L>
void winograd_weight_gradient(const WinogradOp& op, const Block& b) {
  const int tiles = tiles_of_row(op);
  const PointsTransforms<T>& transforms = transforms_for<T, L>(op);
  const bool by_channels = op.padded_in > 0, write = op.starts && b.fresh;
  const Axis &rows = op.rows, &columns = op.columns;
  PointsWalk source = {op.in, rows.source_size,    columns.source_size, 0,    0,
                       tiles, outputs_of_tile(op), columns.padding,     false};
  PointsWalk result = {op.out, rows.size, columns.size, 0, 0, tiles, outputs_of_tile(op), 0, false};
  T *x_points = at<T>(b, op.source_points), *dy_points = at<T>(b, op.result_points);
  T *transposed = at<T>(b, op.transposed), *raw = gradients<T>(b, op.raw);
  const int64_t point_weights = int64_t(op.out) * (by_channels ? op.padded_in : op.in) * op.rows.kernel_size;
  const int64_t weights = op.groups * op.points * point_weights;
  if (!by_channels)
    for (int64_t i = 0; i < (weights + L - 1) / L * L; ++i) store<T, L>(transposed + i * L, Vec<T, L>{});
  else if (write)
    for (int64_t i = 0; i < weights; ++i) raw[i] = 0;
  for (int64_t g = 0; g < op.groups; ++g)
    for (int begin = 0; begin < rows.size; begin += op.strip) {
      const Strip strip(op, begin, tiles, false);
      source.begin = strip.source_begin, source.end = strip.source_end;
      result.begin = strip.begin, result.end = strip.end;
      const int64_t outputs = outputs_of_group(op);
      transforms.read_sources(source, at<T>(b, op.source) + g * inputs_of_group(op) * L, x_points, nullptr);
      (op.pairs ? transforms.read_pairs : transforms.read_outputs)(
          result, at<T>(b, op.result) + g * outputs * L, dy_points,
          op.pairs ? at<T>(b, op.winners) + g * outputs * L : nullptr);
      const int64_t source_places = strip.columns.source_size, places = strip.columns.size;
      if (by_channels) {
        ChannelGradientOp inner = {};
        inner.in = op.in, inner.out = op.out, inner.padded_in = op.padded_in;
        inner.rows = strip.rows, inner.columns = strip.columns;
        for (int p = 0; p < op.points; ++p) {
          transpose_channels<T, L>(x_points + p * op.in * source_places * L, transposed, source_places, op.in,
                                   op.padded_in);
          channel_products<T>(inner, transposed, dy_points + p * op.out * places * L,
                              raw + (int64_t(g) * op.points + p) * point_weights, L, false);
        }
      } else {
        WeightGradientOp inner = {};
        inner.groups = op.points, inner.in = op.in, inner.out = op.out;
        inner.rows = strip.rows, inner.columns = strip.columns;
        weight_sums<T, L>(inner, x_points, dy_points, transposed + g * op.points * point_weights * L);
      }
    }
  if (!by_channels) add_up_lanes<T, L>(transposed, raw, weights, write);
}

}  // namespace

template <class T, int L>
void add_winograd(KernelTable& table) {
  add<OpKind::winograd_forward, winograd_forward<T, L>>(table);
  add<OpKind::winograd_backward_input, winograd_backward_input<T, L>>(table);
  add<OpKind::winograd_weight_gradient, winograd_weight_gradient<T, L>>(table);
}

#define CHAINRULE_INSTANTIATE(T, L) template void add_winograd<T, L>(KernelTable&);
CHAINRULE_FOR_MANY_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
