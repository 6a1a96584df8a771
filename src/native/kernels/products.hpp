// Tiles of dw = dyᵀ x where vectors hold neighbouring channels of x: some filters by some vectors, added up
// over the lanes of one place after another.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

constexpr int kProductVectors = 3;

// Filters of a tile: powers of two. Others cost more to build than they gain.
template <class T>
CHAINRULE_INLINE int size_of_product(int64_t filters) {
  if (kManyTiles<T> && kRegisters == 32 && filters >= 8) return 8;
  return filters >= 4 ? 4 : kManyTiles<T> && filters >= 2 ? 2 : 1;
}

// body<F>() for one of these sizes.
template <class T, class Body>
CHAINRULE_INLINE auto with_size_of_product(int filters, Body body) {
  if constexpr (kManyTiles<T> && kRegisters == 32)
    if (filters == 8) return body.template operator()<8>();
  if constexpr (kManyTiles<T>)
    if (filters == 2) return body.template operator()<2>();
  return filters == 4 ? body.template operator()<4>() : body.template operator()<1>();
}

// sums[f] += the sum over lanes of deltas[f][lane] values[lane], where values have V vectors of channels.
template <class T, int F, int V>
CHAINRULE_INLINE void add_products(Vec<T, kChannelVector<T>> (&sums)[F][V], const T* values,
                                   int64_t value_step, const T* deltas, int64_t delta_step, int lanes) {
  constexpr int N = kChannelVector<T>;
  for (int lane = 0; lane < lanes; ++lane, values += value_step) {
    Vec<T, N> value[V];
#pragma GCC unroll 3
    for (int v = 0; v < V; ++v) value[v] = load<T, N>(values + v * N);
#pragma GCC unroll 8
    for (int f = 0; f < F; ++f)
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) sums[f][v] += value[v] * deltas[f * delta_step + lane];
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
