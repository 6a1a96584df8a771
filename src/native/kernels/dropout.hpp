// Dropout with a counter-based generator: the random word of an element is a function of (seed, step, node,
// sample, element), so any number of threads, lanes and processes makes the same masks. Philox4x32-10
// (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, 2011), one sample in each lane.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

template <int L>
using Words = Vec<uint32_t, L>;

// The upper words of the products a * m, from products of half words: vectors have no other
// multiplication everywhere.
template <int L>
CHAINRULE_INLINE Words<L> multiply_high(Words<L> a, uint32_t m) {
  const Words<L> low = a & 0xffff, high = a >> 16;
  const Words<L> middle = high * (m & 0xffff) + ((low * (m & 0xffff)) >> 16);
  const Words<L> carry = low * (m >> 16) + (middle & 0xffff);
  return high * (m >> 16) + (middle >> 16) + (carry >> 16);
}

template <int L>
struct Counter {
  Words<L> word[4];
};

// Ten rounds.
template <int L>
CHAINRULE_INLINE Counter<L> philox(Counter<L> counter, uint32_t key0, uint32_t key1) {
  constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  Words<L>* c = counter.word;
  for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9, key1 += 0xBB67AE85) {
    const Words<L> high0 = multiply_high<L>(c[0], kMultiplier0), low0 = c[0] * kMultiplier0;
    const Words<L> high1 = multiply_high<L>(c[2], kMultiplier1), low1 = c[2] * kMultiplier1;
    c[0] = high1 ^ c[1] ^ key0;
    c[1] = low1;
    c[2] = high0 ^ c[3] ^ key1;
    c[3] = low0;
  }
  return counter;
}

// y = x / (1 - p) where the word is at least p 2^32, else 0. The mask keeps the factor of each element.
template <class T, int L>
void dropout_forward(const DropoutOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T *y = at<T>(b, op.y), *mask = at<T>(b, op.mask);
  const int64_t elements = op.elements;
  const double threshold = __builtin_nearbyint(op.p * 0x1p32);  // ties to even
  const bool none = threshold >= 0x1p32;                        // a word is below 2^32: nothing is kept
  const auto least = static_cast<uint32_t>(none ? 0 : threshold);
  const T factor = none ? T(0) : T(1 / (1 - op.p));
  Words<L> samples;
  for (int lane = 0; lane < L; ++lane) samples[lane] = static_cast<uint32_t>(b.first + lane);
  const Words<L> zero = {};
  for (int64_t group = 0; group * 4 < elements; ++group) {
    const Counter<L> random =
        philox<L>({zero + static_cast<uint32_t>(group), samples, zero + b.step, zero + op.node},
                  static_cast<uint32_t>(b.seed), static_cast<uint32_t>(b.seed >> 32));
    const int64_t rest = elements - group * 4;
    for (int k = 0; k < 4 && k < rest; ++k) {
      const int64_t i = (group * 4 + k) * L;
      const auto kept = (Vec<int32_t, L>)(random.word[k] >= least) & 1;
      const Vec<T, L> factors = __builtin_convertvector(kept, Vec<T, L>) * factor, value = load<T, L>(x + i);
      store<T, L>(mask + i, factors);
      store<T, L>(y + i, factors == T(0) ? Vec<T, L>{} : value * factors);  // what is dropped may be infinite
    }
  }
}

template <class T, int L>
void dropout_backward(const DropoutOp& op, const Block& b) {
  const T *dy = at<T>(b, op.dy), *mask = at<T>(b, op.mask);
  T* dx = at<T>(b, op.dx);
  const int64_t numbers = op.elements * L;
  for (int64_t i = 0; i < numbers; i += L) {
    const Vec<T, L> factors = load<T, L>(mask + i), value = load<T, L>(dy + i);
    store<T, L>(dx + i, factors == T(0) ? Vec<T, L>{} : value * factors);
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
