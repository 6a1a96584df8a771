#include "records.hpp"

#include <new>
#include <stdexcept>
#include <utility>

#include "extents.hpp"
#include "memory.hpp"
#include "reader.hpp"

namespace chainrule {

void refuse_record(const std::string& record, const std::string& why) {
  throw std::invalid_argument("the record '" + record + "' is malformed: " + why);
}

namespace {

// Lists as long as the record's numbers say.
void expect_lengths(const JoinOp& op, const Reader& read) {
  read.expect_length("sources", op.count), read.expect_length("elements", op.count);
}
void expect_lengths(const PoolOp& op, const Reader& read) {
  read.expect_length("weights", op.uniform ? 1 : int64_t(op.kernel_rows) * op.kernel_columns);
}
void expect_lengths(const LossOp& op, const Reader& read) {
  for (const char* name : {"weights", "positive"}) read.expect_length(name, op.weighted ? op.classes : 1);
}
void expect_lengths(const FinishOp& op, const Reader& read) {
  read.expect_length("mask", int64_t(times(op.rows, op.columns)) / op.taps_rows / op.taps_columns);
}
void expect_lengths(const PackOp& op, const Reader& read) {
  read.expect_length("mask", int64_t(times(times(op.groups, op.out), op.in)));
}

// A kind of record, for code that serves all.
struct RecordType {
  const char* name;
  size_t bytes;
  void (*begin)(void* memory);  // with all fields 0 or absent
  void (*visit)(void* record, Visitor& visitor);
  void (*expect)(const void* record, const Reader& read);  // null where there is nothing to expect
  Extents (*extents)(const void* record, const Room& room);
  const char* (*contradiction)(const void* record, const Room& room);
};

template <class Record>
constexpr RecordType type_of(const char* name) {
  RecordType type = {
      name,
      sizeof(Record),
      [](void* memory) { new (memory) Record{}; },
      [](void* record, Visitor& visitor) { Record::fields(*static_cast<Record*>(record), visitor); },
      nullptr,
      nullptr,
      nullptr};
  if constexpr (requires(const Record& op, const Reader& read) { expect_lengths(op, read); })
    type.expect = [](const void* record, const Reader& read) {
      expect_lengths(*static_cast<const Record*>(record), read);
    };
  if constexpr (requires(const Record& op, const Room& room) { extents(op, room); }) {
    type.extents = [](const void* record, const Room& room) {
      return extents(*static_cast<const Record*>(record), room);
    };
    type.contradiction = [](const void* record, const Room& room) {
      return contradiction(static_cast<const Record*>(record), room);
    };
  }
  return type;
}

void fill(const RecordType& type, void* record, const std::string& name, const Fields& fields,
          const Sizes* sizes, Storage& storage) {
  Reader read(name, fields, sizes, storage);
  type.visit(record, read);
  read.expect_no_others();
  if (type.expect != nullptr) type.expect(record, read);
}

// What goes into a plan must also be safe to run there.
void fill(const RecordType& type, void* record, const std::string& name, const Fields& fields,
          const Room& room, Storage& storage) {
  fill(type, record, name, fields, &room.sizes, storage);
  if (const char* wrong = type.contradiction(record, room)) refuse_record(name, wrong);
  const Extents extents = type.extents(record, room);
  Reach reach(name, extents, room);
  type.visit(record, reach);
}

template <class Record>
Record filled(const std::string& name, const Fields& fields, const Room& room, Storage& storage) {
  Record op = {};
  fill(type_of<Record>(""), &op, name, fields, room, storage);
  return op;
}

template <class Record>
Record filled(const std::string& name, const Fields& fields, const Room& room) {
  Storage none;
  return filled<Record>(name, fields, room, none);
}

// What is no part of a plan, or says how large it is.
template <class Record>
Record filled(const std::string& name, const Fields& fields) {
  Storage none;
  Record op = {};
  fill(type_of<Record>(""), &op, name, fields, nullptr, none);
  return op;
}

// None has a destructor: the storage knows nothing of types.
constexpr RecordType kOperations[] = {
#define CHAINRULE_TYPE(name, record) type_of<record>(#name),
    CHAINRULE_OPERATIONS(CHAINRULE_TYPE)
#undef CHAINRULE_TYPE
};

// What kinds of values fields have.
class Describer final : public Visitor {
 public:
  using Visitor::operator();
  std::map<std::string, std::string> kinds;

  void operator()(const char* name, int64_t&) override { kinds[name] = "whole"; }
  void operator()(const char* name, int32_t&) override { kinds[name] = "whole"; }
  void operator()(const char* name, uint32_t&) override { kinds[name] = "whole"; }
  void operator()(const char* name, bool&) override { kinds[name] = "flag"; }
  void operator()(const char* name, double&) override { kinds[name] = "number"; }
  void operator()(const char* name, Place&) override { kinds[name] = "place"; }
  void operator()(const char* name, OptionalPlace&) override { kinds[name] = "optional place"; }
  void operator()(const char* name, OptionalOffset&) override { kinds[name] = "optional whole"; }
  void operator()(const char* name, std::vector<int64_t>&) override { kinds[name] = "wholes"; }
  void operator()(const char* name, const double*&) override { kinds[name] = "numbers"; }
  void operator()(const char* name, const int64_t*&) override { kinds[name] = "wholes"; }
  void operator()(const char* name, const uint8_t*&) override { kinds[name] = "optional wholes"; }
  void operator()(const char* name, const Place*&) override { kinds[name] = "places"; }
  void operator()(const char* name, Axis&) override { kinds[name] = "axis"; }

 private:
  void enumeration(const char* name, int32_t&, const char* kind, const char* const*, size_t) override {
    kinds[name] = kind;
  }
};

std::map<std::string, std::string> described(const RecordType& type, void* record) {
  Describer describer;
  type.visit(record, describer);
  return std::move(describer.kinds);
}

template <class Record>
std::map<std::string, std::string> described() {
  Record op = {};
  return described(type_of<Record>(""), &op);
}

template <class E>
std::pair<const std::string, std::vector<std::string>> values_of() {
  return {Names<E>::kind, {std::begin(Names<E>::values), std::end(Names<E>::values)}};
}

}  // namespace

Sizes make_sizes(const Fields& fields) {
  const Sizes sizes = filled<Sizes>("sizes", fields);
  if (sizes.group < 1 || sizes.group > kMostGroup) throw std::invalid_argument("a group of another size");
  if (sizes.shard_limit < 1) refuse_record("sizes", "'shard_limit' is zero");
  if (sizes.zeroed.size() % 2 != 0) refuse_record("sizes", "'zeroed' has a beginning without an end");
  for (size_t k = 0; k < sizes.zeroed.size(); k += 2)
    if (sizes.zeroed[k] < 0 || sizes.zeroed[k + 1] < sizes.zeroed[k] || sizes.raw < sizes.zeroed[k + 1])
      refuse_record("sizes", "'zeroed' lies outside of the raw gradients");
  return sizes;
}

Operation make_operation(const NamedFields& named, const Room& room, Storage& storage) {
  const auto& [name, fields] = named;
  int32_t kind = 0;
  for (const RecordType& type : kOperations) {
    if (name == type.name) {
      void* record = storage.room(type.bytes);
      type.begin(record);
      fill(type, record, name, fields, room, storage);
      return {static_cast<OpKind>(kind), record};
    }
    ++kind;
  }
  throw std::invalid_argument("there is no operation called '" + name + "'");
}

Between make_between(const NamedFields& named, const Room& room) {
  const auto& [name, fields] = named;
  if (name == "batch_norm_finish_forward")
    return {false, filled<BatchNormFinishForwardOp>(name, fields, room)};
  if (name == "batch_norm_finish_backward")
    return {true, filled<BatchNormFinishBackwardOp>(name, fields, room)};
  throw std::invalid_argument("nothing called '" + name + "' can follow a stage");
}

FinishOp make_finish(const Fields& fields, const Room& room, Storage& storage) {
  return filled<FinishOp>("finish", fields, room, storage);
}
PackOp make_pack(const Fields& fields, const Room& room, Storage& storage) {
  return filled<PackOp>("pack", fields, room, storage);
}
FoldOp make_fold(const Fields& fields, const Room& room) { return filled<FoldOp>("fold", fields, room); }
UpdateOp make_update(const Fields& fields) { return filled<UpdateOp>("update", fields); }

std::map<std::string, std::map<std::string, std::string>> schema() {
  std::map<std::string, std::map<std::string, std::string>> all;
  Storage storage;
  for (const RecordType& type : kOperations) {
    void* record = storage.room(type.bytes);
    type.begin(record);
    all[type.name] = described(type, record);
  }
#define CHAINRULE_DESCRIBE(name, record) all[#name] = described<record>();
  CHAINRULE_FINISHES(CHAINRULE_DESCRIBE)
#undef CHAINRULE_DESCRIBE
  all["sizes"] = described<Sizes>(), all["fold"] = described<FoldOp>();
  return all;
}

std::map<std::string, std::vector<std::string>> enumerations() {
  return {values_of<LossKind>(), values_of<Guess>(), values_of<RawLayout>(), values_of<UpdateRule>()};
}

std::map<std::string, int64_t> limits() {
  return {{"alignment", int64_t(Memory::kAlignment)},
          {"group", kMostGroup},
          {"strip_rows", kMostStripRows},
          {"tile_weights", kTileWeights},
          {"tile_filters", kTileFilters}};
}

}  // namespace chainrule
