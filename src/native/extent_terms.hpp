// What extents are computed from: products and sums that do not overflow.
#pragma once

#include <initializer_list>

#include "extents.hpp"

namespace chainrule {

constexpr int64_t kTooMany = INT64_MAX;

// Of numbers that are not negative; beyond the largest number, that.
inline int64_t product(std::initializer_list<int64_t> factors) {
  int64_t result = 1;
  for (int64_t factor : factors)
    if (__builtin_mul_overflow(result, factor, &result)) return factor == 0 ? 0 : kTooMany;
  return result;
}
inline int64_t sum(std::initializer_list<int64_t> terms) {
  int64_t result = 0;
  for (int64_t term : terms)
    if (__builtin_add_overflow(result, term, &result)) return kTooMany;
  return result;
}
// Up to a multiple of `step`.
inline int64_t rounded(int64_t numbers, int64_t step) {
  return product({sum({numbers, step - 1}) / step, step});
}

// So many elements of each lane.
inline Extent tensor(const Room& room, std::initializer_list<int64_t> factors) {
  return {Region::kBlock, product({product(factors), room.lanes})};
}
inline Extent in(Region region, std::initializer_list<int64_t> factors) { return {region, product(factors)}; }
inline Extent parameters(std::initializer_list<int64_t> factors) { return in(Region::kParameters, factors); }
inline Extent statistics(int64_t channels) { return in(Region::kStatistics, {2, channels}); }
// A vector of lanes for each number.
inline Extent raw_lanes(const Room& room, std::initializer_list<int64_t> factors) {
  return in(Region::kRaw, {product(factors), room.lanes});
}

}  // namespace chainrule
