#include "records.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <stdexcept>
#include <type_traits>

namespace chainrule {

namespace {

// What is done with the fields of a record, one after another. Each record is compiled once, for all
// visitors.
class Visitor {
 public:
  virtual void operator()(const char* name, int64_t& value) = 0;
  virtual void operator()(const char* name, int32_t& value) = 0;
  virtual void operator()(const char* name, uint32_t& value) = 0;
  virtual void operator()(const char* name, bool& value) = 0;
  virtual void operator()(const char* name, double& value) = 0;
  virtual void operator()(const char* name, Place& place) = 0;
  virtual void operator()(const char* name, OptionalPlace& place) = 0;
  virtual void operator()(const char* name, OptionalOffset& offset) = 0;
  virtual void operator()(const char* name, std::vector<int64_t>& values) = 0;
  virtual void operator()(const char* name, const double*& values) = 0;
  virtual void operator()(const char* name, const int64_t*& values) = 0;
  virtual void operator()(const char* name, const uint8_t*& values) = 0;
  virtual void operator()(const char* name, const Place*& places) = 0;
  virtual void operator()(const char* name, Axis& axis) = 0;
  template <class E>
    requires std::is_enum_v<E>
  void operator()(const char* name, E& value) {
    static_assert(sizeof(E) == sizeof(int32_t));
    value = static_cast<E>(enumeration(name, Names<E>::kind, Names<E>::values, std::size(Names<E>::values)));
  }

 protected:
  ~Visitor() = default;
  // The index of the value to be.
  virtual int32_t enumeration(const char* name, const char* kind, const char* const* values,
                              size_t count) = 0;
};

// Fills a record's fields.
class Reader final : public Visitor {
 public:
  using Visitor::operator();
  Reader(const std::string& record, const Fields& fields, const Sizes* sizes, Storage& storage)
      : record_(record), fields_(fields), sizes_(sizes), storage_(storage) {}

  void operator()(const char* name, int64_t& value) override { value = whole(name, get<int64_t>(name)); }
  void operator()(const char* name, int32_t& value) override {
    value = narrow<int32_t>(whole(name, get<int64_t>(name)));
  }
  void operator()(const char* name, uint32_t& value) override {
    value = narrow<uint32_t>(whole(name, get<int64_t>(name)));
  }
  void operator()(const char* name, bool& value) override { value = get<int64_t>(name) != 0; }
  void operator()(const char* name, double& value) override {
    const Field& field = find(name);
    value = std::holds_alternative<int64_t>(field) ? double(std::get<int64_t>(field)) : get<double>(name);
  }
  void operator()(const char* name, Place& place) override {
    const auto& numbers = get<std::vector<int64_t>>(name);
    if (numbers.size() != 2) refuse(name, "is no place");
    place = place_of(name, numbers[0], numbers[1]);
  }
  void operator()(const char* name, OptionalPlace& place) override { read_optional(name, place); }
  void operator()(const char* name, OptionalOffset& offset) override { read_optional(name, offset); }
  void operator()(const char* name, std::vector<int64_t>& values) override {
    values = get<std::vector<int64_t>>(name);
  }
  void operator()(const char* name, const double*& values) override { values = list<double>(name); }
  void operator()(const char* name, const int64_t*& values) override { values = list<int64_t>(name); }
  void operator()(const char* name, const uint8_t*& values) override {
    values = nullptr;
    if (std::holds_alternative<std::monostate>(find(name))) return;
    const auto& numbers = get<std::vector<int64_t>>(name);
    lengths_[name] = int64_t(numbers.size());
    values = storage_.keep(std::vector<uint8_t>(numbers.begin(), numbers.end()));
  }
  void operator()(const char* name, const Place*& places) override {
    const auto& numbers = get<std::vector<int64_t>>(name);
    std::vector<Place> list;
    for (size_t i = 0; i + 1 < numbers.size(); i += 2)
      list.push_back(place_of(name, numbers[i], numbers[i + 1]));
    lengths_[name] = int64_t(list.size());
    places = storage_.keep(list);
  }
  void operator()(const char* name, Axis& axis) override {
    const auto& n = get<std::vector<int64_t>>(name);
    if (n.size() < 6 || (n.size() - 6) % 9 != 0) refuse(name, "is no axis");
    const auto at = [&](size_t i) { return narrow<int32_t>(n[i]); };
    std::vector<Run> runs;
    for (size_t i = 6; i < n.size(); i += 9)
      runs.push_back({at(i), at(i + 1), at(i + 2), at(i + 3),
                      Taps{at(i + 4), at(i + 5), at(i + 6), at(i + 7), at(i + 8)}});
    axis = {storage_.keep(runs), int32_t(runs.size()), at(0), at(1), at(2), at(3), at(4), at(5)};
  }

  void expect_length(const char* name, int64_t length) const {
    const auto found = lengths_.find(name);
    if (found != lengths_.end() && found->second != length)
      refuse(name, "has " + std::to_string(found->second) + " items instead of " + std::to_string(length));
  }
  void expect_no_others() const {
    for (const auto& [name, value] : fields_)
      if (!known_.contains(name)) refuse(name, "is not one of its fields");
  }

 private:
  [[noreturn]] void refuse(const std::string& field, const std::string& why) const {
    throw std::invalid_argument("the record '" + record_ + "' is malformed: '" + field + "' " + why);
  }
  template <class P>
  void read_optional(const char* name, Optional<P>& optional) {
    if (std::holds_alternative<std::monostate>(find(name))) return;
    P place;
    (*this)(name, place);
    optional = place;
  }
  int32_t enumeration(const char* name, const char*, const char* const* values, size_t count) override {
    const std::string& given = get<std::string>(name);
    const auto found = std::find(values, values + count, given);
    if (found == values + count) refuse(name, "cannot be '" + given + "'");
    return int32_t(found - values);
  }
  template <class T>
  static T narrow(int64_t value) {
    if (value != int64_t(T(value))) throw std::bad_alloc();  // no memory could hold what needs such an index
    return T(value);
  }
  int64_t whole(const char* name, int64_t value) const {
    if (value < 0) refuse(name, "is negative");
    return value;
  }
  Place place_of(const char* name, int64_t offset, int64_t kept) const {
    const int64_t end = sizes_ == nullptr ? 0 : kept != 0 ? sizes_->kept : sizes_->scratch;
    if (offset < 0 || offset >= end) refuse(name, "lies outside of the block's memory");
    return {offset, kept != 0};
  }
  template <class T>
  const T* list(const char* name) {
    const auto& numbers = get<std::vector<T>>(name);
    lengths_[name] = int64_t(numbers.size());
    return storage_.keep(numbers);
  }
  const Field& find(const char* name) {
    const auto found = fields_.find(name);
    if (found == fields_.end()) refuse(name, "is missing");
    known_[name];
    return found->second;
  }
  template <class T>
  const T& get(const char* name) {
    const Field& field = find(name);
    if (std::holds_alternative<std::monostate>(field)) refuse(name, "is required, but absent");
    const T* value = std::get_if<T>(&field);
    if (value == nullptr) refuse(name, "is of another kind");
    return *value;
  }

  const std::string& record_;
  const Fields& fields_;
  const Sizes* sizes_;
  Storage& storage_;
  std::map<std::string, int64_t> lengths_, known_;
};

// Lists as long as the record's numbers say.
void expect_lengths(const JoinOp& op, const Reader& read) {
  read.expect_length("sources", op.count), read.expect_length("elements", op.count);
}
void expect_lengths(const PoolOp& op, const Reader& read) {
  read.expect_length("weights", op.uniform ? 1 : int64_t(op.kernel_rows) * op.kernel_columns);
}
void expect_lengths(const FinishOp& op, const Reader& read) {
  read.expect_length("mask", op.rows * op.columns / (int64_t(op.taps_rows) * op.taps_columns));
}
void expect_lengths(const PackOp& op, const Reader& read) {
  read.expect_length("mask", int64_t(op.groups) * op.out * op.in);
}

// A kind of record, for code that serves all.
struct RecordType {
  const char* name;
  size_t bytes;
  void (*begin)(void* memory);  // with all fields 0 or absent
  void (*visit)(void* record, Visitor& visitor);
  void (*expect)(const void* record, const Reader& read);
};

template <class Record>
constexpr RecordType type_of(const char* name) {
  RecordType type = {
      name, sizeof(Record), [](void* memory) { new (memory) Record{}; },
      [](void* record, Visitor& visitor) { Record::fields(*static_cast<Record*>(record), visitor); },
      nullptr};
  if constexpr (requires(const Record& op, const Reader& read) { expect_lengths(op, read); })
    type.expect = [](const void* record, const Reader& read) {
      expect_lengths(*static_cast<const Record*>(record), read);
    };
  return type;
}

void fill(const RecordType& type, void* record, const std::string& name, const Fields& fields,
          const Sizes* sizes, Storage& storage) {
  Reader read(name, fields, sizes, storage);
  type.visit(record, read);
  read.expect_no_others();
  if (type.expect != nullptr) type.expect(record, read);
}

template <class Record>
Record filled(const std::string& name, const Fields& fields, const Sizes* sizes, Storage& storage) {
  Record op = {};
  fill(type_of<Record>(""), &op, name, fields, sizes, storage);
  return op;
}

template <class Record>
Record filled(const std::string& name, const Fields& fields) {
  Storage none;
  return filled<Record>(name, fields, nullptr, none);
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
  int32_t enumeration(const char* name, const char* kind, const char* const*, size_t) override {
    kinds[name] = kind;
    return 0;
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
  Sizes sizes = filled<Sizes>("sizes", fields);
  if (sizes.group < 1 || sizes.group > kMostGroup) throw std::invalid_argument("a group of another size");
  return sizes;
}

Operation make_operation(const NamedFields& named, const Sizes& sizes, Storage& storage) {
  const auto& [name, fields] = named;
  int32_t kind = 0;
  for (const RecordType& type : kOperations) {
    if (name == type.name) {
      void* record = storage.room(type.bytes);
      type.begin(record);
      fill(type, record, name, fields, &sizes, storage);
      return {static_cast<OpKind>(kind), record};
    }
    ++kind;
  }
  throw std::invalid_argument("there is no operation called '" + name + "'");
}

Between make_between(const NamedFields& named) {
  const auto& [name, fields] = named;
  if (name == "batch_norm_finish_forward") return {false, filled<BatchNormFinishForwardOp>(name, fields)};
  if (name == "batch_norm_finish_backward") return {true, filled<BatchNormFinishBackwardOp>(name, fields)};
  throw std::invalid_argument("nothing called '" + name + "' can follow a stage");
}

FinishOp make_finish(const Fields& fields, const Sizes& sizes, Storage& storage) {
  return filled<FinishOp>("finish", fields, &sizes, storage);
}
PackOp make_pack(const Fields& fields, Storage& storage) {
  return filled<PackOp>("pack", fields, nullptr, storage);
}
FoldOp make_fold(const Fields& fields, const Sizes& sizes) {
  const FoldOp op = filled<FoldOp>("fold", fields);
  const int64_t numbers = sizes.parameters + sizes.buffers;
  const auto expect = [&](const int64_t* offset, int64_t length) {
    if (offset != nullptr && (length > numbers || *offset > numbers - length))
      throw std::invalid_argument("the record 'fold' is malformed: it reaches beyond the parameters");
  };
  int64_t weights;
  if (__builtin_mul_overflow(op.rows, op.columns, &weights)) weights = INT64_MAX;
  expect(&op.weight, weights);
  for (const OptionalOffset* each : {&op.bias, &op.norm_weight, &op.norm_bias}) expect(each->get(), op.rows);
  for (const int64_t* each : {&op.running_mean, &op.running_var}) expect(each, op.rows);
  return op;
}
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
  return {{"group", kMostGroup},
          {"strip_rows", kMostStripRows},
          {"tile_weights", kTileWeights},
          {"tile_filters", kTileFilters}};
}

}  // namespace chainrule
