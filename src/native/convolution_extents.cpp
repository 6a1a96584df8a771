// How far the records of convolutions reach, and what fits no kernel of theirs.
#include <algorithm>

#include "extent_terms.hpp"

namespace chainrule {

namespace {

int64_t taps(const Axis& rows, const Axis& columns) {
  return product({rows.kernel_size, columns.kernel_size});
}
int64_t sources(const Axis& rows, const Axis& columns) {
  return product({rows.source_size, columns.source_size});
}
int64_t results(const Axis& rows, const Axis& columns) { return product({rows.size, columns.size}); }

}  // namespace

Extents extents(const ConvolveOp& op, const Room& room) {
  return {{"x", tensor(room, {op.groups, op.in, sources(op.rows, op.columns)})},
          {"y", tensor(room, {op.groups, op.out, results(op.rows, op.columns)})},
          {"weight", parameters({op.groups, op.in, op.out, taps(op.rows, op.columns)})},
          {"bias", parameters({op.groups, op.out})}};
}

Extents extents(const LargeConvolveOp& op, const Room& room) {
  Extents found = extents(static_cast<const ConvolveOp&>(op), room);
  const int64_t weights = std::max<int64_t>(kTileWeights, taps(op.rows, op.columns));
  found["tile"] = {Region::kBlock, product({weights, kTileFilters})};
  return found;
}

Extents extents(const WeightGradientOp& op, const Room& room) {
  const int64_t weights = product({op.groups, op.in, op.out, taps(op.rows, op.columns)});
  const int64_t places = results(op.rows, op.columns);
  return {{"x", tensor(room, {op.groups, op.in, sources(op.rows, op.columns)})},
          {"dy", tensor(room, {op.groups, op.out, places})},
          {"sums", room.lanes > 1 ? tensor(room, {rounded(weights, room.lanes)})
                                  : tensor(room, {places, rounded(op.out, room.channel_vector)})},
          {"raw", in(Region::kRaw, {rounded(weights, room.lanes)})}};
}

Extents extents(const ChannelGradientOp& op, const Room& room) {
  const int64_t places = sources(op.rows, op.columns);
  return {{"x", tensor(room, {op.groups, op.in, places})},
          {"xt", tensor(room, {places, op.padded_in})},
          {"dy", tensor(room, {op.groups, op.out, results(op.rows, op.columns)})},
          {"raw", in(Region::kRaw, {op.groups, op.out, taps(op.rows, op.columns), op.padded_in})}};
}

Extents extents(const TransposeInputOp& op, const Room& room) {
  return {{"x", tensor(room, {op.in})}, {"xt", tensor(room, {op.padded_in})}};
}

namespace {

const char* wrong_padding(int32_t in, int32_t padded_in, const Room& room) {
  return padded_in >= in && padded_in % room.channel_vector == 0 ? nullptr
                                                                 : "channels that do not fill whole vectors";
}

}  // namespace

const char* contradiction(const ChannelGradientOp* op, const Room& room) {
  return wrong_padding(op->in, op->padded_in, room);
}
const char* contradiction(const TransposeInputOp* op, const Room& room) {
  return wrong_padding(op->in, op->padded_in, room);
}

Extents extents(const BiasGradientOp& op, const Room& room) {
  return {{"dy", tensor(room, {op.out, op.places})}, {"raw", raw_lanes(room, {op.shared ? 1 : op.out})}};
}

Extents extents(const LocalOp& op, const Room& room) {
  const int64_t places = results(op.rows, op.columns), kernel = product({op.in, taps(op.rows, op.columns)});
  const Extent x = tensor(room, {op.in, sources(op.rows, op.columns)}), y = tensor(room, {op.out, places});
  return {{"x", x},
          {"dx", x},
          {"y", y},
          {"dy", y},
          {"weight", parameters({op.out, places, kernel})},
          {"bias", parameters({op.out, places})},
          {"raw_weight", raw_lanes(room, {op.out, places, kernel})},
          {"raw_bias", raw_lanes(room, {op.out, places})}};
}

// --- Winograd's algorithm ---

namespace {

// Values at the points of a strip: in `from`, what is read, and in `to`, what is made of it.
struct StripValues {
  int64_t from, to;
};
StripValues strip_values(const WinogradOp& op, int64_t from, int64_t to) {
  const int64_t outputs = int64_t{op.points} + 1 - op.columns.kernel_size;
  const int64_t tiles = (op.columns.size + outputs - 1) / outputs, halo = op.rows.kernel_size - 1;
  return {product({op.strip + halo, from, op.points, tiles}), product({op.strip, to, op.points, tiles})};
}

Extents winograd_extents(const WinogradOp& op, const Room& room, bool backward) {
  const int64_t side = op.pairs ? 2 : 1;
  const Extent x = tensor(room, {op.groups, op.in, sources(op.rows, op.columns)});
  const Extent y = tensor(room, {op.groups, op.out, op.rows.size / side, op.columns.size / side});
  const StripValues values = strip_values(op, backward ? op.out : op.in, backward ? op.in : op.out);
  return {{"source", backward ? y : x},
          {"result", backward ? x : y},
          {"winners", y},
          {"source_points", tensor(room, {values.from})},
          {"result_points", tensor(room, {values.to})},
          {"weight", parameters({op.groups, op.points, op.in, op.out, op.rows.kernel_size})},
          {"bias", parameters({op.groups, op.out})}};
}

bool steady(const Axis& axis) {
  return axis.stride == 1 && axis.dilation == 1 && axis.padding < axis.kernel_size;
}

const char* wrong_winograd(const WinogradOp& op) {
  if (op.points != 6 && op.points != 8) return "there are kernels for 6 and 8 points";
  if (op.columns.kernel_size != 3 && (op.points == 6 || op.columns.kernel_size != 5))
    return "there are kernels of 3 columns, and for 8 points of 5";
  if (!steady(op.rows) || !steady(op.columns)) return "there are no strides or dilations";
  if (op.strip > kMostStripRows) return "a strip of too many rows";
  if (op.result_points.get() == nullptr && !op.in_registers) return "'result_points' is needed";
  return nullptr;
}

// Gradients of maxima ask which of four won.
const char* wrong_gradient(const WinogradOp& op) {
  if (op.pairs && op.winners.get() == nullptr) return "'winners' is needed";
  return wrong_winograd(op);
}

}  // namespace

Extents extents(const WinogradForwardOp& op, const Room& room) { return winograd_extents(op, room, false); }
Extents extents(const WinogradBackwardInputOp& op, const Room& room) {
  return winograd_extents(op, room, true);
}
Extents extents(const WinogradWeightGradientOp& op, const Room& room) {
  Extents found = winograd_extents(op, room, false);
  const int64_t channels = op.padded_in > 0 ? op.padded_in : op.in;
  const int64_t weights = product({op.groups, op.points, op.out, channels, op.rows.kernel_size});
  found["raw"] = in(Region::kRaw, {rounded(weights, room.lanes)});
  found["transposed"] = tensor(room, {op.padded_in > 0 ? strip_values(op, channels, 0).from / op.points
                                                       : rounded(weights, room.lanes)});
  return found;
}

const char* contradiction(const WinogradForwardOp* op, const Room& room) {
  if (op->pairs && !op->in_registers) return "maxima of pairs are made in registers";
  if (op->in_registers && (room.registers < 32 || op->out < 2))
    return "there are no sums in registers for it";
  return wrong_winograd(*op);
}
const char* contradiction(const WinogradBackwardInputOp* op, const Room&) { return wrong_gradient(*op); }
const char* contradiction(const WinogradWeightGradientOp* op, const Room& room) {
  if (op->padded_in > 0)
    if (const char* wrong = wrong_padding(op->in, op->padded_in, room)) return wrong;
  return wrong_gradient(*op);
}

}  // namespace chainrule
