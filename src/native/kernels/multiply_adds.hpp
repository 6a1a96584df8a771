// Multiply-adds without any memory, to measure how many the processor can do.
#pragma once

#include "../vec.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// `rounds` times one multiply-add on each of `kChains` vectors, none of which waits for another: more chains
// than a multiply-add has cycles of latency times units to run on. Returns how many numbers were multiplied.
template <class T, int L>
int64_t multiply_adds(int64_t rounds, double factor, double* sum) {
#if defined(__AVX512F__) || defined(__aarch64__)
  constexpr int kChains = 24;
#else
  constexpr int kChains = 12;
#endif
  const Vec<T, L> f = broadcast<T, L>(T(factor)), c = broadcast<T, L>(T(1));
  Vec<T, L> chains[kChains];
  for (int k = 0; k < kChains; ++k) chains[k] = broadcast<T, L>(T(k));
  for (int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 24
    for (int k = 0; k < kChains; ++k) chains[k] = chains[k] * f + c;
  Vec<T, L> all = chains[0];
  for (int k = 1; k < kChains; ++k) all += chains[k];
  *sum = double(sum_lanes<T, L>(all));  // so that the compiler cannot leave the work out
  return rounds * kChains * L;
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
