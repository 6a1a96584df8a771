// The Python module chainrule._native: the only file that includes nanobind.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>

#include "dispatch.hpp"
#include "peak.hpp"
#include "plan.hpp"
#include "threads.hpp"
#include "unlocked.hpp"

namespace nb = nanobind;

namespace chainrule {
namespace {

using AnyArray = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;
using Indices = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Doubles = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using DoublesOut = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using IndicesOut = nb::ndarray<int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using ArrayOut = nb::ndarray<nb::c_contig, nb::device::cpu>;

Field field_from(nb::handle value) {
  if (value.is_none()) return std::monostate();
  if (nb::isinstance<nb::bool_>(value)) return int64_t(nb::cast<bool>(value));
  if (nb::isinstance<nb::int_>(value)) return nb::cast<int64_t>(value);
  if (nb::isinstance<nb::float_>(value)) return nb::cast<double>(value);
  if (nb::isinstance<nb::str>(value)) return nb::cast<std::string>(value);
  const nb::sequence items = nb::cast<nb::sequence>(value);
  if (nb::len(items) > 0 && nb::isinstance<nb::float_>(nb::object(items[0])))
    return nb::cast<std::vector<double>>(value);
  return nb::cast<std::vector<int64_t>>(value);
}

Fields fields_from(const nb::dict& dict) {
  Fields fields;
  for (const auto& [key, value] : dict) fields[nb::cast<std::string>(key)] = field_from(value);
  return fields;
}

// Two parts: nanobind reads beyond the end of a tuple that is shorter.
nb::tuple pair_from(nb::handle given) {
  const nb::tuple parts = nb::cast<nb::tuple>(given);
  if (parts.size() != 2)
    throw std::invalid_argument("a stage and an operation have 2 parts, not " + std::to_string(parts.size()));
  return parts;
}

std::vector<NamedFields> named_from(nb::handle list) {
  std::vector<NamedFields> all;
  for (nb::handle item : nb::cast<nb::list>(list)) {
    const nb::tuple named = pair_from(item);
    all.push_back({nb::cast<std::string>(named[0]), fields_from(nb::cast<nb::dict>(named[1]))});
  }
  return all;
}

// From the lowering's PlanDescription, whose attributes have these names.
PlanDescription description_from(nb::handle given) {
  PlanDescription plan = {nb::cast<std::string>(given.attr("isa")),
                          nb::cast<int>(given.attr("number_bytes")),
                          nb::cast<int>(given.attr("lanes")),
                          fields_from(nb::cast<nb::dict>(given.attr("sizes"))),
                          {},
                          {},
                          {},
                          {}};
  for (nb::handle item : nb::cast<nb::list>(given.attr("stages"))) {
    const nb::tuple parts = pair_from(item);
    plan.stages.push_back({named_from(parts[0]), named_from(parts[1])});
  }
  for (nb::handle item : nb::cast<nb::list>(given.attr("finishes")))
    plan.finishes.push_back(fields_from(nb::cast<nb::dict>(item)));
  for (nb::handle item : nb::cast<nb::list>(given.attr("packs")))
    plan.packs.push_back(fields_from(nb::cast<nb::dict>(item)));
  for (nb::handle item : nb::cast<nb::list>(given.attr("folds")))
    plan.folds.push_back(fields_from(nb::cast<nb::dict>(item)));
  return plan;
}

// A plan, and a lock: its memory serves one call at a time.
class LockedPlan {
 public:
  explicit LockedPlan(const nb::object& given) {
    const PlanDescription description = description_from(given);
    const Sizes sizes = make_sizes(description.sizes);
    parameters_ = sizes.parameters, buffers_ = sizes.buffers, number_bytes_ = description.number_bytes;
    plan_ = std::make_unique<Plan>(description);
  }

  void set_values(Doubles parameters, Doubles buffers) {
    check(parameters, buffers);
    const std::lock_guard lock(mutex());
    plan_->set_values(parameters.data(), buffers.data());
  }

  void get_values(DoublesOut parameters, DoublesOut buffers) {
    check(parameters, buffers);
    const std::lock_guard lock(mutex());
    plan_->get_values(parameters.data(), buffers.data());
  }

  // The natural gradient of the last run, copied into an array of the plan's type.
  void get_gradient(ArrayOut out) {
    if (int64_t(out.nbytes()) != parameters_ * number_bytes_)
      throw std::invalid_argument("gradient of another size");
    const std::lock_guard lock(mutex());
    std::memcpy(out.data(), plan_->gradient(), out.nbytes());
  }

  nb::tuple run(AnyArray inputs, bool bytes, std::optional<AnyArray> targets, std::optional<Indices> labels,
                std::optional<Doubles> weights, double scale, const std::vector<ArrayOut>& exports,
                int64_t samples, uint64_t seed, uint32_t step, int threads) {
    Batch batch = batch_of(inputs, bytes, targets, labels, weights, samples, seed, step);
    for (const ArrayOut& out : exports) batch.exports.push_back(out.data());
    std::mutex& mutex = this->mutex();
    Totals totals;
    {
      const Unlocked unlocked;
      const std::lock_guard lock(mutex);
      totals = plan_->run(batch, scale, threads);
    }
    return nb::make_tuple(totals.loss, totals.correct, totals.finite);
  }

  // From the engine's EpochRequest, whose attributes have these names. What is written to is never a copy.
  int64_t train(const nb::object& given) {
    const auto inputs = nb::cast<AnyArray>(given.attr("inputs"));
    const auto targets = nb::cast<std::optional<AnyArray>>(given.attr("targets"));
    const auto labels = nb::cast<std::optional<Indices>>(given.attr("labels"));
    const auto weights = nb::cast<std::optional<Doubles>>(given.attr("weights"));
    const auto order = nb::cast<Indices>(given.attr("order"), false);
    const auto rates = nb::cast<Doubles>(given.attr("rates"), false);
    const auto scales = nb::cast<Doubles>(given.attr("scales"), false);
    const auto losses = nb::cast<DoublesOut>(given.attr("losses"), false);
    const auto correct = nb::cast<DoublesOut>(given.attr("correct"), false);
    if (losses.size() != rates.size() || correct.size() != rates.size())
      throw std::invalid_argument("a step has one loss and one count");
    EpochRequest request = {
        batch_of(inputs, nb::cast<bool>(given.attr("bytes")), targets, labels, weights, int64_t(order.size()),
                 nb::cast<uint64_t>(given.attr("seed")), nb::cast<uint32_t>(given.attr("step"))),
        nb::cast<int64_t>(given.attr("batch_size")),
        nb::cast<int64_t>(given.attr("first")),
        {rates.data(), rates.size()},
        {scales.data(), scales.size()},
        {make_update(fields_from(nb::cast<nb::dict>(given.attr("update")))),
         nb::cast<int>(given.attr("memories")), nb::cast<std::vector<int64_t>>(given.attr("trainable"))},
        nb::cast<int>(given.attr("threads"))};
    request.batch.order = order.data();
    std::vector<Totals> totals(rates.size());
    std::mutex& mutex = this->mutex();
    int64_t done;
    {
      const Unlocked unlocked;
      const std::lock_guard lock(mutex);
      done = plan_->train(request, totals.data());
    }
    for (size_t k = 0; k < totals.size(); ++k)
      losses.data()[k] = totals[k].loss, correct.data()[k] = totals[k].correct;
    return done;
  }

  int64_t memory_bytes() {
    const std::lock_guard lock(mutex());
    return plan_->memory_bytes();
  }

 private:
  template <class A>
  void check(const A& parameters, const A& buffers) const {
    if (int64_t(parameters.size()) != parameters_ || int64_t(buffers.size()) != buffers_)
      throw std::invalid_argument("parameters or buffers of another size");
  }

  static Batch batch_of(const AnyArray& inputs, bool bytes, const std::optional<AnyArray>& targets,
                        const std::optional<Indices>& labels, const std::optional<Doubles>& weights,
                        int64_t samples, uint64_t seed, uint32_t step) {
    return {inputs.data(),
            bytes ? Source::kBytes : Source::kSame,
            targets ? targets->data() : nullptr,
            labels ? labels->data() : nullptr,
            weights ? weights->data() : nullptr,
            nullptr,
            samples,
            {},
            seed,
            step};
  }

  // To be asked for under the interpreter's lock. In a forked child a new one: who held the old one is not
  // here.
  std::mutex& mutex() {
    if (forks_ != forks()) {
      (void)mutex_.release();
      mutex_ = std::make_unique<std::mutex>();
      forks_ = forks();
    }
    return *mutex_;
  }

  std::unique_ptr<Plan> plan_;
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  int forks_ = forks();
  int64_t parameters_, buffers_;
  int number_bytes_;
};

double peak(const std::string& isa, int number_bytes, int threads, double seconds) {
  if (number_bytes != 4 && number_bytes != 8) throw std::invalid_argument("numbers have 4 or 8 bytes");
  if (threads < 1) throw std::invalid_argument("at least one thread is needed");
  for (int i = 0; i < instruction_set_count(); ++i) {
    const InstructionSet& set = instruction_sets()[i];
    if (isa != set.name || !set.supported()) continue;
    const Unlocked unlocked;
    return multiply_add_peak(set, number_bytes, threads, seconds);
  }
  throw std::invalid_argument("no kernels for " + isa);
}

std::string compiler() {
#if defined(__clang__)
  return "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__);
#elif defined(__GNUC__)
  return "gcc " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__);
#else
  return "unknown";
#endif
}

nb::dict build_info() {
  nb::dict info;
  info["compiler"] = compiler();
  info["cpp_standard"] = static_cast<long>(__cplusplus);
  return info;
}

// Supported instruction sets, fastest first: (name, {number bytes: lanes, widest first}, channel vector by
// bytes, vector registers).
nb::list isas() {
  nb::list found;
  for (int i = 0; i < instruction_set_count(); ++i) {
    const InstructionSet& set = instruction_sets()[i];
    if (!set.supported()) continue;
    const KernelTables tables = set.tables();
    nb::dict lanes, vectors;
    for (int k = 0; k < tables.count; ++k) {
      const nb::int_ bytes(tables.tables[k].number_bytes);
      if (!lanes.contains(bytes)) lanes[bytes] = nb::list();
      nb::cast<nb::list>(lanes[bytes]).append(tables.tables[k].lanes);
      vectors[bytes] = tables.tables[k].channel_vector;
    }
    found.append(nb::make_tuple(set.name, lanes, vectors, tables.tables[0].registers));
  }
  return found;
}

// What is left to do when the interpreter is about to end. Threads that it leaves behind keep their plans:
// these are no leaks.
void end() {
  if (nb::cast<int>(nb::module_::import_("threading").attr("active_count")()) > 1)
    nb::set_leak_warnings(false);
  Unlocked::end();
}

}  // namespace
}  // namespace chainrule

NB_MODULE(_native, m) {
  using chainrule::LockedPlan;
  m.doc() = "The C++ core of chainrule.";
  m.def("build_info", &chainrule::build_info, "How the core was built: compiler and C++ standard.");
  m.def("isas", &chainrule::isas,
        "Instruction sets that this processor can run, fastest first, with their lanes.");
  m.def("thread_count", &chainrule::thread_count,
        "Threads that a call may use: what was set, else as many as the calling thread has processors.");
  m.def("set_thread_count", &chainrule::set_thread_count, nb::arg("most"), nb::arg("quota"),
        "Set the number of threads of a call. 0: the calling thread's processors, at most `quota` if that is "
        "not 0.");
  m.def("schema", &chainrule::schema, "The kind of every field of every record of a plan.");
  m.def("enumerations", &chainrule::enumerations, "The values of every enumeration among them.");
  m.def("limits", &chainrule::limits, "Sizes that a lowering has to keep to.");
  nb::module_::import_("atexit").attr("register")(nb::cpp_function(&chainrule::end));
  m.def("multiply_add_peak", &chainrule::peak, nb::arg("isa"), nb::arg("number_bytes"), nb::arg("threads"),
        nb::arg("seconds"),
        "Floating-point operations per second of threads that only multiply and add: the machine's peak.");
  nb::class_<LockedPlan>(m, "Plan", "A network lowered to operations, and the memory to run them in.")
      .def(nb::init<const nb::object&>(), nb::arg("description"))
      .def("set_values", &LockedPlan::set_values, nb::arg("parameters").noconvert(),
           nb::arg("buffers").noconvert())
      .def("get_values", &LockedPlan::get_values, nb::arg("parameters").noconvert(),
           nb::arg("buffers").noconvert())
      .def("get_gradient", &LockedPlan::get_gradient, nb::arg("out").noconvert())
      .def("run", &LockedPlan::run, nb::arg("inputs").noconvert(), nb::arg("bytes"),
           nb::arg("targets").none(), nb::arg("labels").none(), nb::arg("weights").none(), nb::arg("scale"),
           nb::arg("exports"), nb::arg("samples"), nb::arg("seed"), nb::arg("step"), nb::arg("threads"))
      .def("train", &LockedPlan::train, nb::arg("request"))
      .def("memory_bytes", &LockedPlan::memory_bytes);
}
