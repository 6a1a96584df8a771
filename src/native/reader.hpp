// From the named fields that the lowering gives to those of a record.
#pragma once

#include <algorithm>
#include <map>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "records.hpp"
#include "visitor.hpp"

namespace chainrule {

// Fills a record's fields.
class Reader final : public Visitor {
 public:
  using Visitor::operator();
  Reader(const std::string& record, const Fields& fields, const Sizes* sizes, Storage& storage)
      : record_(record), fields_(fields), sizes_(sizes), storage_(storage) {}

  void operator()(const char* name, int64_t& value) override { value = whole(name, get<int64_t>(name)); }
  void operator()(const char* name, int32_t& value) override {
    value = narrow<int32_t>(whole(name, get<int64_t>(name)));
    if (value == 0 && !may_be_zero(name)) refuse(name, "is zero");
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
    const int32_t least =
        std::min({axis.size, axis.source_size, axis.kernel_size, axis.stride, axis.dilation});
    if (least < 1 || axis.padding < 0) refuse(name, "is no axis");
    for (const Run& run : runs)
      if (!inside(axis, run)) refuse(name, "has taps outside of its map");
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
    refuse_record(record_, "'" + field + "' " + why);
  }
  template <class P>
  void read_optional(const char* name, Optional<P>& optional) {
    if (std::holds_alternative<std::monostate>(find(name))) return;
    P place;
    (*this)(name, place);
    optional = place;
  }
  void enumeration(const char* name, int32_t& index, const char*, const char* const* values,
                   size_t count) override {
    const std::string& given = get<std::string>(name);
    const auto found = std::find(values, values + count, given);
    if (found == values + count) refuse(name, "cannot be '" + given + "'");
    index = int32_t(found - values);
  }
  template <class T>
  static T narrow(int64_t value) {
    if (value != int64_t(T(value))) throw std::bad_alloc();  // no memory could hold what needs such an index
    return T(value);
  }
  // Sizes are 1 at least, but for these: what an operation may do without, and where something begins.
  static bool may_be_zero(const std::string& name) {
    static const std::set<std::string> names = {"padded_in", "points", "point_rows", "point_taps",
                                                "copies",    "top",    "left",       "target"};
    return names.contains(name);
  }
  // Whether a run's outputs, its taps and their sources exist.
  static bool inside(const Axis& axis, const Run& run) {
    const auto within = [](int64_t first, int64_t move, int64_t count, int64_t end) {
      const int64_t last = first + move * (count - 1);
      return std::min(first, last) >= 0 && std::max(first, last) < end;
    };
    if (run.count < 1 || !within(run.begin, run.step, run.count, axis.size)) return false;
    const Taps& taps = run.taps;
    if (taps.count == 0) return true;
    const int64_t last = taps.source + int64_t{run.source_move} * (run.count - 1);
    return taps.count > 0 && within(taps.first, taps.tap_step, taps.count, axis.kernel_size) &&
           within(taps.source, taps.source_step, taps.count, axis.source_size) &&
           within(last, taps.source_step, taps.count, axis.source_size);
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

}  // namespace chainrule
