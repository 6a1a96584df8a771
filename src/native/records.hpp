// From named fields, as the lowering gives them, to the records that kernels read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ops.hpp"

namespace chainrule {

// Nothing is an optional place that is absent; text names the value of an enumeration.
using Field =
    std::variant<std::monostate, int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;
using Fields = std::map<std::string, Field>;

struct NamedFields {
  std::string name;
  Fields fields;
};

// A plan as the lowering gives it.
struct PlanDescription {
  struct Part {
    std::vector<NamedFields> operations, between;
  };
  std::string isa;
  int number_bytes, lanes;
  Fields sizes;
  std::vector<Part> stages;
  std::vector<Fields> finishes, packs, folds;
};

// Owns the records, and what they point to.
class Storage {
 public:
  // So many bytes, all zero.
  void* room(size_t bytes) {
    kept_.push_back(std::make_unique<std::byte[]>(bytes));
    return kept_.back().get();
  }
  template <class T>
  const T* keep(const std::vector<T>& values) {
    void* copy = room((values.size() + 1) * sizeof(T));
    if (!values.empty()) std::memcpy(copy, values.data(), values.size() * sizeof(T));
    return static_cast<const T*>(copy);
  }

 private:
  std::vector<std::unique_ptr<std::byte[]>> kept_;
};

struct Operation {
  OpKind kind;
  const void* record;
};

// What follows when all blocks have come to the end of a stage.
struct Between {
  bool backward;
  BatchNormOp op;
};

// Sizes in numbers of the plan's type, but statistics and shared in doubles.
struct Sizes {
  int64_t scratch, kept, parameters, buffers, packed, raw, statistics, shared;
  int64_t shard_limit;
  int64_t group;                // blocks that a thread takes through an operation together
  std::vector<int64_t> zeroed;  // begin, end, ... of the raw gradients that start from zero in every step
  CHAINRULE_FIELDS(scratch, kept, parameters, buffers, packed, raw, statistics, shared, shard_limit, group,
                   zeroed)
};

// Batch normalisation by running statistics becomes part of the weight [rows][columns] before it, when values
// are set. The bias that comes out lies where the running means lay.
struct FoldOp {
  int64_t weight, rows, columns;
  OptionalOffset bias, norm_weight, norm_bias;  // [rows]
  int64_t running_mean, running_var;
  double eps;
  CHAINRULE_FIELDS(weight, rows, columns, bias, norm_weight, norm_bias, running_mean, running_var, eps)
};

struct Room;  // extents.hpp

// Of a malformed record: throws std::invalid_argument.
[[noreturn]] void refuse_record(const std::string& record, const std::string& why);

// All throw std::invalid_argument for a name that nobody has, and a field that is missing, unknown, of
// another kind, or reaches to where the plan has no memory.
Sizes make_sizes(const Fields& fields);
Operation make_operation(const NamedFields& named, const Room& room, Storage& storage);
Between make_between(const NamedFields& named, const Room& room);
FinishOp make_finish(const Fields& fields, const Room& room, Storage& storage);
PackOp make_pack(const Fields& fields, const Room& room, Storage& storage);
FoldOp make_fold(const Fields& fields, const Room& room);
UpdateOp make_update(const Fields& fields);

// What there is: the kind of every field of every record, the values of enumerations, and sizes that the
// lowering has to keep to.
std::map<std::string, std::map<std::string, std::string>> schema();
std::map<std::string, std::vector<std::string>> enumerations();
std::map<std::string, int64_t> limits();

}  // namespace chainrule
