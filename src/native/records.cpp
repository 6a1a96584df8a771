#include "records.hpp"

#include <new>
#include <stdexcept>

namespace chainrule {

namespace {

class Reader {
 public:
  Reader(const Fields& fields, Storage& storage) : fields_(fields), storage_(storage) {}

  void operator()(const char* name, int64_t& value) { value = get<int64_t>(name); }
  void operator()(const char* name, int32_t& value) { value = narrow<int32_t>(get<int64_t>(name)); }
  void operator()(const char* name, uint32_t& value) { value = narrow<uint32_t>(get<int64_t>(name)); }
  void operator()(const char* name, bool& value) { value = get<int64_t>(name) != 0; }
  void operator()(const char* name, double& value) {
    const Field& field = find(name);
    value = std::holds_alternative<int64_t>(field) ? double(std::get<int64_t>(field)) : get<double>(name);
  }
  void operator()(const char* name, Place& place) {
    const auto& numbers = get<std::vector<int64_t>>(name);
    if (numbers.size() != 2) throw std::invalid_argument(std::string("a place has two numbers: ") + name);
    place = {numbers[0], numbers[1] != 0};
  }
  template <class P>
  void operator()(const char* name, Optional<P>& optional) {
    if (std::holds_alternative<std::monostate>(find(name))) return;
    P place;
    (*this)(name, place);
    optional = place;
  }
  void operator()(const char* name, const double*& values) {
    values = storage_.keep(get<std::vector<double>>(name));
  }
  void operator()(const char* name, const int64_t*& values) {
    values = storage_.keep(get<std::vector<int64_t>>(name));
  }
  void operator()(const char* name, const uint8_t*& values) {
    const auto& numbers = get<std::vector<int64_t>>(name);
    if (numbers.empty()) {
      values = nullptr;
      return;
    }
    values = storage_.keep(std::vector<uint8_t>(numbers.begin(), numbers.end()));
  }
  void operator()(const char* name, const Place*& places) {
    const auto& numbers = get<std::vector<int64_t>>(name);
    std::vector<Place> list;
    for (size_t i = 0; i + 1 < numbers.size(); i += 2) list.push_back({numbers[i], numbers[i + 1] != 0});
    places = storage_.keep(list);
  }
  void operator()(const char* name, Axis& axis) {
    const auto& n = get<std::vector<int64_t>>(name);
    if (n.size() < 6 || (n.size() - 6) % 9 != 0)
      throw std::invalid_argument(std::string("not an axis: ") + name);
    std::vector<Run> runs;
    for (size_t i = 6; i < n.size(); i += 9)
      runs.push_back({narrow<int32_t>(n[i]), narrow<int32_t>(n[i + 1]), narrow<int32_t>(n[i + 2]),
                      narrow<int32_t>(n[i + 3]),
                      Taps{narrow<int32_t>(n[i + 4]), narrow<int32_t>(n[i + 5]), narrow<int32_t>(n[i + 6]),
                           narrow<int32_t>(n[i + 7]), narrow<int32_t>(n[i + 8])}});
    axis = {storage_.keep(runs),   int32_t(runs.size()),  narrow<int32_t>(n[0]), narrow<int32_t>(n[1]),
            narrow<int32_t>(n[2]), narrow<int32_t>(n[3]), narrow<int32_t>(n[4]), narrow<int32_t>(n[5])};
  }
  template <class E>
    requires std::is_enum_v<E>
  void operator()(const char* name, E& value) {
    value = static_cast<E>(get<int64_t>(name));
  }

 private:
  template <class T>
  static T narrow(int64_t value) {
    if (value != int64_t(T(value))) throw std::bad_alloc();  // no memory could hold what needs such an index
    return T(value);
  }
  const Field& find(const char* name) const {
    const auto found = fields_.find(name);
    if (found == fields_.end()) throw std::invalid_argument(std::string("missing field: ") + name);
    return found->second;
  }
  template <class T>
  const T& get(const char* name) const {
    const T* value = std::get_if<T>(&find(name));
    if (value == nullptr) throw std::invalid_argument(std::string("field of another kind: ") + name);
    return *value;
  }

  const Fields& fields_;
  Storage& storage_;
};

#define F(name) read(#name, op.name)

void fill(Reader& read, GatherOp& op) { F(x), F(elements); }
void fill(Reader& read, ScatterOp& op) { F(x), F(elements), F(target); }
void fill(Reader& read, ConvolveOp& op) {
  F(x), F(y), F(weight), F(bias), F(groups), F(in), F(out), F(rows), F(columns), F(filters_outer);
}
void fill(Reader& read, LargeConvolveOp& op) {
  fill(read, static_cast<ConvolveOp&>(op));
  F(tile), F(turned);
}
void fill(Reader& read, PadOp& op) {
  F(x), F(y), F(channels), F(rows), F(columns), F(padded_rows), F(padded_columns), F(top), F(left);
}
void fill(Reader& read, WeightGradientOp& op) {
  F(x), F(dy), F(sums), F(raw), F(groups), F(in), F(out), F(starts), F(rows), F(columns);
}
void fill(Reader& read, ChannelGradientOp& op) {
  F(x), F(xt), F(dy), F(raw), F(groups), F(in), F(out), F(padded_in), F(starts), F(rows), F(columns);
}
void fill(Reader& read, WinogradOp& op) {
  F(x), F(y), F(source_points), F(result_points), F(turned), F(winners), F(weight), F(bias), F(raw),
      F(groups), F(in), F(out);
  F(padded_in), F(points), F(strip), F(starts), F(in_registers), F(pairs), F(rows), F(columns);
}
void fill(Reader& read, TurnOp& op) { F(x), F(xt), F(in), F(padded_in); }
void fill(Reader& read, BiasGradientOp& op) { F(dy), F(raw), F(out), F(places), F(shared); }
void fill(Reader& read, LocalOp& op) {
  F(x), F(y), F(dx), F(dy), F(weight), F(bias), F(raw_weight), F(raw_bias), F(in), F(out), F(rows),
      F(columns);
}
void fill(Reader& read, PoolOp& op) {
  F(x), F(y), F(dx), F(dy), F(channels), F(rows), F(columns), F(out_rows), F(out_columns), F(kernel_rows);
  F(kernel_columns), F(stride_rows), F(stride_columns), F(top), F(left), F(norm), F(weights), F(weight),
      F(bias);
  F(raw_weight), F(raw_bias);
}
void fill(Reader& read, AdaptivePoolOp& op) {
  F(x), F(y), F(dx), F(dy), F(channels), F(rows), F(columns), F(out_rows), F(out_columns);
}
void fill(Reader& read, ElementwiseOp& op) { F(x), F(y), F(dx), F(dy), F(elements), F(slope); }
void fill(Reader& read, SoftmaxOp& op) { F(x), F(y), F(dx), F(dy), F(classes), F(places); }
void fill(Reader& read, ResponseNormOp& op) {
  F(x), F(y), F(dx), F(dy), F(scale), F(channels), F(places), F(size), F(alpha), F(beta), F(k);
}
void fill(Reader& read, BatchNormOp& op) {
  F(x), F(y), F(dx), F(dy), F(channels), F(places), F(weight), F(bias), F(running_mean), F(running_var);
  F(forward_statistics), F(backward_statistics), F(raw_weight), F(raw_bias), F(eps), F(momentum), F(training);
}
void fill(Reader& read, DropoutOp& op) { F(x), F(y), F(dx), F(dy), F(mask), F(elements), F(p), F(node); }
void fill(Reader& read, JoinOp& op) { F(y), F(sources), F(elements), F(count); }
void fill(Reader& read, RbfOp& op) { F(x), F(y), F(dx), F(dy), F(weight), F(raw_weight), F(in), F(out); }
void fill(Reader& read, LossOp& op) {
  F(x), F(dx), F(kind), F(guess), F(classes), F(places), F(scale), F(rubbish), F(gradient);
}
void fill(Reader& read, FinishOp& op) {
  F(layout), F(raw), F(natural), F(rows), F(columns), F(taps_rows), F(taps_columns), F(padded_in), F(flip),
      F(mask), F(xt), F(dy), F(points), F(point_rows);
}
void fill(Reader& read, PackOp& op) {
  F(natural), F(packed), F(groups), F(out), F(in), F(taps), F(backward), F(flip), F(mask), F(copies),
      F(points), F(point_taps), F(in_registers);
}
void fill(Reader& read, UpdateOp& op) {
  F(rule), F(nesterov), F(momentum), F(weight_decay), F(beta1), F(beta2), F(eps);
}

#undef F

template <class Record>
Record filled(const Fields& fields, Storage& storage) {
  Reader read(fields, storage);
  Record op = {};
  fill(read, op);
  return op;
}

}  // namespace

Operation make_operation(const std::string& name, const Fields& fields, Storage& storage) {
#define CHAINRULE_MAKE(kind, record) \
  if (name == #kind) return {OpKind::kind, storage.keep(filled<record>(fields, storage))};
  CHAINRULE_OPERATIONS(CHAINRULE_MAKE)
#undef CHAINRULE_MAKE
  throw std::invalid_argument("unknown operation: " + name);
}

FinishOp make_finish(const Fields& fields, Storage& storage) { return filled<FinishOp>(fields, storage); }
PackOp make_pack(const Fields& fields, Storage& storage) { return filled<PackOp>(fields, storage); }
UpdateOp make_update(const Fields& fields) {
  Storage none;
  return filled<UpdateOp>(fields, none);
}
BatchNormOp make_batch_norm(const Fields& fields) {
  Storage none;
  return filled<BatchNormOp>(fields, none);
}

}  // namespace chainrule
