// What a kernel test needs: an arena whose tensors are fenced by NaN, random samples in the lanes, and a
// comparison that names the tensor and the place. Tests compute each sample by plain loops over doubles.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "../../src/native/kernels/table.hpp"
#include "../../src/native/tables.hpp"

namespace kernels = chainrule::CHAINRULE_ISA_NAMESPACE;
using chainrule::Block;
using chainrule::OpKind;
using chainrule::Place;

using Sample = std::vector<double>;

inline std::mt19937_64 generator(20240607);  // NOLINT: the same numbers on every run
inline int failures = 0;

inline double uniform(double low, double high) {
  return low + (high - low) * (double(generator() >> 11) * 0x1p-53);
}

inline void fail(const std::string& what) {
  if (++failures <= 20) std::printf("FAILED %s\n", what.c_str());
}

inline std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.17g", value);
  return buffer;
}

template <class T>
constexpr const char* type_name() {
  return sizeof(T) == 4 ? "float" : "double";
}

// One block of samples in `L` lanes, of which `used` hold one.
template <class T, int L>
class World {
 public:
  explicit World(int used) : numbers_(new (std::align_val_t(64)) T[kNumbers]), used_(used) {
    fill(kBeyond);
    block.scratch = numbers_;
    block.kept = numbers_;
    block.parameters = numbers_;
    block.gradients = numbers_;
    block.totals = &totals;
    block.lanes = L;
    block.used = used;
    block.first = 5;
  }
  ~World() { operator delete[](numbers_, std::align_val_t(64)); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // A tensor of NaN, which an output is until it is written; a fence of NaN lies behind it.
  Place empty(int64_t elements) {
    const Place place{end_, end_ / 64 % 2 == 0};
    end_ += elements * L + 64;
    end_ += -end_ & 63;
    fill(end_ + kBeyond);
    fences_.push_back({place.offset + elements * L, end_});
    return place;
  }

  // Random numbers in the lanes with samples; `idle` in the others, which a network fills with anything
  // finite.
  Place random(int64_t elements, double low = -1, double high = 1, double idle = 0.75) {
    const Place place = empty(elements);
    for (int64_t e = 0; e < elements; ++e)
      for (int lane = 0; lane < L; ++lane) at(place, e, lane) = T(lane < used_ ? uniform(low, high) : idle);
    return place;
  }

  // Gradients coming in: 0 in idle lanes.
  Place gradient(int64_t elements) { return random(elements, -1, 1, 0); }

  // Numbers in natural layout, without lanes: parameters.
  int64_t natural(int64_t count, double low = -1, double high = 1) {
    const Place place = empty(count / L + 1);
    for (int64_t i = 0; i < count; ++i) numbers_[place.offset + i] = T(uniform(low, high));
    return place.offset;
  }

  T& at(Place place, int64_t element, int lane) { return numbers_[place.offset + element * L + lane]; }
  double parameter(int64_t offset) const { return double(numbers_[offset]); }
  void set(int64_t offset, double value) { numbers_[offset] = T(value); }

  Sample sample(Place place, int64_t elements, int lane) {
    Sample result(elements);
    for (int64_t e = 0; e < elements; ++e) result[e] = double(at(place, e, lane));
    return result;
  }

  // One lane against what it should be; `tolerance` counts roundings of T. `terms` is the size of what was
  // added up, if that can be far larger than the sums.
  void expect(const std::string& name, Place place, int lane, const Sample& wanted, double tolerance = 16,
              double terms = 0) {
    double scale = terms + 1e-30;
    for (double w : wanted)
      if (std::isfinite(w)) scale = std::max(scale, std::abs(w));
    for (size_t e = 0; e < wanted.size(); ++e) {
      const double got = double(at(place, int64_t(e), lane)), want = wanted[e];
      const bool same = got == want || (std::isnan(got) && std::isnan(want));
      const double epsilon = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;
      if (!same && !(std::abs(got - want) <= tolerance * epsilon * (std::abs(want) + 0.1 * scale)))
        return fail(name + " " + type_name<T>() + " x " + std::to_string(L) + ", lane " +
                    std::to_string(lane) + " of " + std::to_string(used_) + ", element " + std::to_string(e) +
                    ": " + text(got) + " instead of " + text(want));
    }
  }

  // Idle lanes of a gradient are exactly 0.
  void expect_idle_zero(const std::string& name, Place place, int64_t elements) {
    for (int lane = used_; lane < L; ++lane)
      for (int64_t e = 0; e < elements; ++e)
        if (at(place, e, lane) != 0) return fail(name + ": an idle lane is not 0");
  }

  // Idle lanes of a value are finite.
  void expect_idle_finite(const std::string& name, Place place, int64_t elements) {
    for (int lane = used_; lane < L; ++lane)
      for (int64_t e = 0; e < elements; ++e)
        if (!std::isfinite(double(at(place, e, lane)))) return fail(name + ": an idle lane is not finite");
  }

  void expect_fences(const std::string& name) {
    for (const auto& fence : fences_)
      for (int64_t i = fence.begin; i < fence.end; ++i)
        if (bits(numbers_[i]) != bits(nothing(i))) return fail(name + ": written beyond the end of a tensor");
  }

  int used() const { return used_; }

  Block block = {};
  chainrule::Totals totals = {0, 0, true};

 private:
  struct Fence {
    int64_t begin, end;
  };
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  static Bits bits(T number) { return std::bit_cast<Bits>(number); }
  // A NaN that carries its place: NaN that a kernel takes from elsewhere and writes here is another.
  static T nothing(int64_t place) { return std::bit_cast<T>(Bits(bits(T(NAN)) | Bits(place))); }
  // NaN up to `end`: to fill all of the memory would take longer than most tests.
  void fill(int64_t end) {
    if (end > kNumbers) std::abort();
    for (; filled_ < end; ++filled_) numbers_[filled_] = nothing(filled_);
  }

  static constexpr int64_t kNumbers = 1 << 20, kBeyond = 1 << 13;
  T* numbers_;
  int64_t end_ = 64, filled_ = 0;
  int used_;
  std::vector<Fence> fences_;
};

// The kernels under test.
template <class T, int L>
const chainrule::KernelTable& table_of() {
  const chainrule::KernelTables all = kernels::kernel_tables();
  for (int i = 0; i < all.count; ++i)
    if (all.tables[i].number_bytes == int(sizeof(T)) && all.tables[i].lanes == L) return all.tables[i];
  std::printf("FAILED: no table for %s x %d\n", type_name<T>(), L);
  std::exit(1);
}

template <OpKind kind, class T, int L, class Record>
void operate(const Record& op, const Block& block) {
  typename chainrule::RecordOf<kind>::type record = {};
  static_cast<Record&>(record) = op;  // what the operation's record extends
  table_of<T, L>().run[int(kind)](&record, block);
}

// Runs `test.operator()<T, L>(used)` for every number type and the lanes that this instruction set's tables
// have, and full and partly filled blocks.
template <class T, int L, class Test>
void for_fillings(Test test) {
  for (int used : {1, L - 1, L})
    if (used > 0) test.template operator()<T, L>(used);
}

template <class Test>
void for_lanes(Test test) {
#define CHAINRULE_FILLINGS(T, L) for_fillings<T, L>(test);
  CHAINRULE_FOR_LANES(CHAINRULE_FILLINGS)
}

template <class Test>
void for_many_lanes(Test test) {
  CHAINRULE_FOR_MANY_LANES(CHAINRULE_FILLINGS)
#undef CHAINRULE_FILLINGS
}
