// Sums of many numbers, taken in double whatever T is: losses and batch statistics add up thousands of terms.
#pragma once

#include "../vec.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

template <class T, int L>
struct LaneSums {
  static constexpr int kWidth =
      sizeof(T) == 4 && L > 1 ? L / 2 : L;  // doubles in a vector as wide as one of L numbers
  using Wide = Vec<double, kWidth>;

  Wide parts[L / kWidth] = {};

  static CHAINRULE_INLINE Wide widen(const Vec<T, L>& v, int part) {
    return __builtin_convertvector(reinterpret_cast<const Vec<T, kWidth>*>(&v)[part], Wide);
  }

  CHAINRULE_INLINE void add(Vec<T, L> v) {
    for (int part = 0; part < L / kWidth; ++part) parts[part] += widen(v, part);
  }

  // += a (v - mean)
  CHAINRULE_INLINE void add_moment(Vec<T, L> a, Vec<T, L> v, double mean) {
    for (int part = 0; part < L / kWidth; ++part) parts[part] += widen(a, part) * (widen(v, part) - mean);
  }

  // += (v - mean)²
  CHAINRULE_INLINE void add_square(Vec<T, L> v, double mean) {
    for (int part = 0; part < L / kWidth; ++part) {
      const Wide deviation = widen(v, part) - mean;
      parts[part] += deviation * deviation;
    }
  }

  CHAINRULE_INLINE double of(int lane) const { return parts[lane / kWidth][lane % kWidth]; }

  // Over the first `used` lanes, in their order.
  CHAINRULE_INLINE double total(int used) const {
    double sum = 0;
    for (int lane = 0; lane < used; ++lane) sum += of(lane);
    return sum;
  }
};

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
