// What is done with the fields of records, whatever their type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <type_traits>
#include <vector>

#include "ops.hpp"

namespace chainrule {

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
    int32_t index = static_cast<int32_t>(value);
    enumeration(name, index, Names<E>::kind, Names<E>::values, std::size(Names<E>::values));
    value = static_cast<E>(index);
  }

 protected:
  ~Visitor() = default;
  // `index`: of the value among those that there are.
  virtual void enumeration(const char* name, int32_t& index, const char* kind, const char* const* values,
                           size_t count) = 0;
};

}  // namespace chainrule
