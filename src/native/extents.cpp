#include "extents.hpp"

#include <algorithm>

#include "extent_terms.hpp"

namespace chainrule {

int64_t Room::end_of(Region region) const {
  switch (region) {
    case Region::kParameters:
      return sum({sizes.parameters, sizes.buffers, sizes.packed});
    case Region::kNatural:
      return sum({sizes.parameters, sizes.buffers});
    case Region::kGradient:
      return sizes.parameters;
    case Region::kRaw:
      return sizes.raw;
    case Region::kStatistics:
      return std::min(sizes.statistics, sizes.shared);
    case Region::kBlock:
      break;
  }
  return 0;
}

void Reach::expect(const std::string& name, const Place& place) const {
  expect(name, place.offset, place.kept ? room_.sizes.kept : room_.sizes.scratch);
}

void Reach::expect(const std::string& name, int64_t offset) const {
  const auto found = extents_.find(name);
  expect(name, offset, found == extents_.end() ? 0 : room_.end_of(found->second.region));
}

void Reach::expect(const std::string& name, int64_t offset, int64_t end) const {
  const auto found = extents_.find(name);
  if (found == extents_.end()) refuse_record(record_, "nobody has said how far '" + name + "' reaches");
  if (found->second.numbers > end || offset > end - found->second.numbers)
    refuse_record(record_, "'" + name + "' reaches beyond the end of its memory");
}

// --- tensors and joins ---

Extents extents(const GatherOp& op, const Room& room) { return {{"x", tensor(room, {op.elements})}}; }
Extents extents(const ScatterOp& op, const Room& room) { return {{"x", tensor(room, {op.elements})}}; }

Extents extents(const PadOp& op, const Room& room) {
  return {{"x", tensor(room, {op.channels, op.rows, op.columns})},
          {"y", tensor(room, {op.channels, op.padded_rows, op.padded_columns})}};
}

const char* contradiction(const PadOp* op, const Room&) {
  const bool inside =
      int64_t{op->top} + op->rows <= op->padded_rows && int64_t{op->left} + op->columns <= op->padded_columns;
  return inside ? nullptr : "the map is larger than the zeros around it";
}

const char* contradiction(const JoinOp* op, const Room&) {
  const bool some =
      op->count > 0 && std::all_of(op->elements, op->elements + op->count, [](int64_t n) { return n > 0; });
  return some ? nullptr : "a source without elements";
}

const char* contradiction(const SumOp* op, const Room& room) {
  if (const char* wrong = contradiction(static_cast<const JoinOp*>(op), room)) return wrong;
  const bool same = std::all_of(op->elements, op->elements + op->count,
                                [&](int64_t elements) { return elements == op->elements[0]; });
  return same ? nullptr : "sources of different sizes";
}

Extents extents(const JoinOp& op, const Room& room) {
  Extents found;
  int64_t all = 0;
  for (int32_t k = 0; k < op.count; ++k) {
    found["sources" + std::to_string(k)] = tensor(room, {op.elements[k]});
    all = sum({all, op.elements[k]});
  }
  found["y"] = tensor(room, {all});
  return found;
}

Extents extents(const SumOp& op, const Room& room) {
  Extents found = extents(static_cast<const JoinOp&>(op), room);
  found["y"] = tensor(room, {op.elements[0]});
  return found;
}

// --- the other layers ---

Extents extents(const PoolOp& op, const Room& room) {
  const Extent x = tensor(room, {op.channels, op.rows, op.columns});
  const Extent y = tensor(room, {op.channels, op.out_rows, op.out_columns});
  const Extent each = parameters({op.channels}), raw = raw_lanes(room, {op.channels});
  return {{"x", x},       {"dx", x},           {"y", y},         {"dy", y}, {"weight", each},
          {"bias", each}, {"raw_weight", raw}, {"raw_bias", raw}};
}

Extents extents(const AdaptivePoolOp& op, const Room& room) {
  const Extent x = tensor(room, {op.channels, op.rows, op.columns});
  const Extent y = tensor(room, {op.channels, op.out_rows, op.out_columns});
  return {{"x", x}, {"dx", x}, {"y", y}, {"dy", y}};
}

Extents extents(const ElementwiseOp& op, const Room& room) {
  const Extent all = tensor(room, {op.elements});
  return {{"x", all}, {"y", all}, {"dx", all}, {"dy", all}};
}

Extents extents(const SoftmaxOp& op, const Room& room) {
  const Extent all = tensor(room, {op.classes, op.places});
  return {{"x", all}, {"y", all}, {"dx", all}, {"dy", all}};
}

Extents extents(const ResponseNormOp& op, const Room& room) {
  const Extent all = tensor(room, {op.channels, op.places});
  return {{"x", all}, {"y", all}, {"dx", all}, {"dy", all}, {"scale", all}};
}

Extents extents(const BatchNormOp& op, const Room& room) {
  const Extent all = tensor(room, {op.channels, op.places}), each = parameters({op.channels});
  const Extent raw = in(Region::kRaw, {op.channels}), sums = statistics(op.channels);
  return {{"x", all},
          {"y", all},
          {"dx", all},
          {"dy", all},
          {"weight", each},
          {"bias", each},
          {"running_mean", each},
          {"running_var", each},
          {"forward_statistics", sums},
          {"backward_statistics", sums},
          {"raw_weight", raw},
          {"raw_bias", raw}};
}

Extents extents(const DropoutOp& op, const Room& room) {
  const Extent all = tensor(room, {op.elements});
  return {{"x", all}, {"y", all}, {"dx", all}, {"dy", all}, {"mask", all}};
}

Extents extents(const RbfOp& op, const Room& room) {
  const Extent x = tensor(room, {op.in}), y = tensor(room, {op.out});
  return {{"x", x},
          {"dx", x},
          {"y", y},
          {"dy", y},
          {"weight", parameters({op.out, op.in})},
          {"raw_weight", raw_lanes(room, {op.out, op.in})}};
}

Extents extents(const LossOp& op, const Room& room) {
  const Extent all = tensor(room, {op.classes, op.places});
  return {{"x", all}, {"dx", all}};
}

// --- what ends a step ---

const char* contradiction(const FinishOp* op, const Room&) {
  if (op->rows < 1 || op->columns < 1) return "a gradient without numbers";
  const int64_t taps = product({op->taps_rows, op->taps_columns});
  if (op->columns % taps != 0) return "columns that are no whole number of kernels";
  const int64_t in = op->columns / taps;
  if (op->layout == RawLayout::kChannels && op->padded_in < in) return "fewer channels than there are";
  if (op->layout == RawLayout::kDense) {
    if (op->xt.get() == nullptr || op->dy.get() == nullptr) return "'xt' and 'dy' are needed";
    if (!op->xt.get()->kept || !op->dy.get()->kept) return "'xt' and 'dy' must be kept";
    if (op->padded_in < op->columns) return "fewer channels than there are";
  }
  if (op->points == 0) return nullptr;
  if (op->points != 6 && op->points != 8) return "there are kernels for 6 and 8 points";
  if (op->taps_columns < 2 || op->taps_columns > 5) return "there are kernels of 2 to 5 columns";
  return op->point_rows > 0 && op->rows % op->point_rows == 0 ? nullptr : "rows that are no whole groups";
}

Extents extents(const FinishOp& op, const Room& room) {
  const int64_t kernel = product({op.taps_rows, op.taps_columns}), columns = op.columns;
  // Of a row of the raw gradient.
  const int64_t line = op.layout == RawLayout::kDense      ? 0
                       : op.layout == RawLayout::kLanes    ? product({columns, room.lanes})
                       : op.layout == RawLayout::kChannels ? product({kernel, op.padded_in})
                                                           : columns;
  const int64_t at_points = op.points == 0 ? line : product({line / op.taps_columns, op.points});
  return {{"raw", in(Region::kRaw, {op.rows, at_points})},
          {"natural", in(Region::kGradient, {op.rows, columns})},
          {"xt", tensor(room, {op.padded_in})},
          {"dy", tensor(room, {op.rows})}};
}

const char* contradiction(const PackOp* op, const Room&) {
  if (op->points == 0) return nullptr;
  if (op->points != 6 && op->points != 8) return "there are kernels for 6 and 8 points";
  if (op->point_taps < 2 || op->point_taps > 5) return "there are kernels of 2 to 5 columns";
  return op->taps % op->point_taps == 0 ? nullptr : "taps that are no whole rows";
}

Extents extents(const PackOp& op, const Room&) {
  const int64_t weights = product({op.groups, op.out, op.in, op.taps});
  const int64_t packed = op.copies > 0   ? op.copies
                         : op.points > 0 ? product({weights / op.point_taps, op.points})
                                         : weights;
  return {{"natural", in(Region::kNatural, {op.copies > 0 ? 1 : weights})}, {"packed", parameters({packed})}};
}

Extents extents(const FoldOp& op, const Room&) {
  const Extent each = in(Region::kNatural, {op.rows});
  return {{"weight", in(Region::kNatural, {op.rows, op.columns})},
          {"bias", each},
          {"norm_weight", each},
          {"norm_bias", each},
          {"running_mean", each},
          {"running_var", each}};
}

}  // namespace chainrule
