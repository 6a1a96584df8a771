// From named fields, as the lowering gives them, to the records that kernels read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ops.hpp"

namespace chainrule {

// Nothing is an optional place that is absent.
using Field = std::variant<std::monostate, int64_t, double, std::vector<int64_t>, std::vector<double>>;
using Fields = std::map<std::string, Field>;

// Owns what records point to.
class Storage {
 public:
  template <class T>
  T* keep(const std::vector<T>& values) {
    auto copy = std::shared_ptr<T[]>(new T[values.size() + 1]());
    for (size_t i = 0; i < values.size(); ++i) copy[i] = values[i];
    kept_.push_back(copy);
    return copy.get();
  }
  template <class T>
  T* keep(const T& value) {
    auto copy = std::make_shared<T>(value);
    kept_.push_back(copy);
    return copy.get();
  }

 private:
  std::vector<std::shared_ptr<void>> kept_;
};

struct Operation {
  OpKind kind;
  const void* record;
};

// Throws std::invalid_argument for an unknown name or a missing field.
Operation make_operation(const std::string& name, const Fields& fields, Storage& storage);
FinishOp make_finish(const Fields& fields, Storage& storage);
PackOp make_pack(const Fields& fields, Storage& storage);
UpdateOp make_update(const Fields& fields);
BatchNormOp make_batch_norm(const Fields& fields);

}  // namespace chainrule
