// How far the records of a plan reach into its memories, and what else no kernel may be given. It is refused
// when the plan is built: a kernel trusts its record.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "records.hpp"
#include "visitor.hpp"

namespace chainrule {

// What a field points into: the block's memory, by a place, or a flat one, by an offset.
enum class Region { kBlock, kParameters, kNatural, kGradient, kRaw, kStatistics };

// So many numbers from there on.
struct Extent {
  Region region;
  int64_t numbers;
};
using Extents = std::map<std::string, Extent>;  // sources[0] is called sources0

// What a plan has to reach into, and what its kernels are made for.
struct Room {
  const Sizes& sizes;
  int64_t lanes, channel_vector;
  int registers;

  int64_t end_of(Region region) const;
};

// Of all places and offsets that such a record, or one that extends it, may have. Convolutions are in
// convolution_extents.cpp.
Extents extents(const GatherOp& op, const Room& room);
Extents extents(const ScatterOp& op, const Room& room);
Extents extents(const PadOp& op, const Room& room);
Extents extents(const ConvolveOp& op, const Room& room);
Extents extents(const LargeConvolveOp& op, const Room& room);
Extents extents(const WeightGradientOp& op, const Room& room);
Extents extents(const ChannelGradientOp& op, const Room& room);
Extents extents(const TransposeInputOp& op, const Room& room);
Extents extents(const WinogradForwardOp& op, const Room& room);
Extents extents(const WinogradBackwardInputOp& op, const Room& room);
Extents extents(const WinogradWeightGradientOp& op, const Room& room);
Extents extents(const BiasGradientOp& op, const Room& room);
Extents extents(const LocalOp& op, const Room& room);
Extents extents(const PoolOp& op, const Room& room);
Extents extents(const AdaptivePoolOp& op, const Room& room);
Extents extents(const ElementwiseOp& op, const Room& room);
Extents extents(const SoftmaxOp& op, const Room& room);
Extents extents(const ResponseNormOp& op, const Room& room);
Extents extents(const BatchNormOp& op, const Room& room);
Extents extents(const DropoutOp& op, const Room& room);
Extents extents(const JoinOp& op, const Room& room);
Extents extents(const SumOp& op, const Room& room);
Extents extents(const RbfOp& op, const Room& room);
Extents extents(const LossOp& op, const Room& room);
Extents extents(const FinishOp& op, const Room& room);
Extents extents(const PackOp& op, const Room& room);
Extents extents(const FoldOp& op, const Room& room);

// What is wrong with a record whose single fields are right, such as an algorithm of seven points; null if
// nothing is. To be asked for before the extents.
const char* contradiction(const PadOp* op, const Room& room);
const char* contradiction(const ChannelGradientOp* op, const Room& room);
const char* contradiction(const TransposeInputOp* op, const Room& room);
const char* contradiction(const WinogradForwardOp* op, const Room& room);
const char* contradiction(const WinogradBackwardInputOp* op, const Room& room);
const char* contradiction(const WinogradWeightGradientOp* op, const Room& room);
const char* contradiction(const JoinOp* op, const Room& room);
const char* contradiction(const SumOp* op, const Room& room);
const char* contradiction(const FinishOp* op, const Room& room);
const char* contradiction(const PackOp* op, const Room& room);
inline const char* contradiction(const void*, const Room&) { return nullptr; }

// Refuses fields that point to less memory than the record needs.
class Reach final : public Visitor {
 public:
  using Visitor::operator();
  Reach(const std::string& record, const Extents& extents, const Room& room)
      : record_(record), extents_(extents), room_(room) {}

  void operator()(const char* name, Place& place) override { expect(name, place); }
  void operator()(const char* name, OptionalPlace& place) override {
    if (place.get() != nullptr) expect(name, *place.get());
  }
  void operator()(const char* name, OptionalOffset& offset) override {
    if (offset.get() != nullptr) expect(name, *offset.get());
  }
  void operator()(const char* name, int64_t& offset) override {
    if (extents_.contains(name)) expect(name, offset);  // else it is a number of something
  }
  void operator()(const char* name, const Place*& places) override {
    for (int64_t k = 0; extents_.contains(name + std::to_string(k)); ++k)
      expect(name + std::to_string(k), places[k]);
  }
  void operator()(const char*, int32_t&) override {}
  void operator()(const char*, uint32_t&) override {}
  void operator()(const char*, bool&) override {}
  void operator()(const char*, double&) override {}
  void operator()(const char*, std::vector<int64_t>&) override {}
  void operator()(const char*, const double*&) override {}
  void operator()(const char*, const int64_t*&) override {}
  void operator()(const char*, const uint8_t*&) override {}
  void operator()(const char*, Axis&) override {}

 private:
  void enumeration(const char*, int32_t&, const char*, const char* const*, size_t) override {}
  void expect(const std::string& name, const Place& place) const;
  void expect(const std::string& name, int64_t offset) const;
  void expect(const std::string& name, int64_t offset, int64_t end) const;

  const std::string& record_;
  const Extents& extents_;
  const Room& room_;
};

}  // namespace chainrule
