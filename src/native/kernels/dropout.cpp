// Dropout with a counter-based generator: the random word of an element is a function of (seed, step, node,
// sample, element), so any number of threads, lanes and processes makes the same masks. Philox4x32-10
// (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3, 2011), one sample in each lane.
#include "table.hpp"

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
template <class T>
void dropout_forward(const DropoutOp& op, const Block& b) {
  constexpr int N = kChannelVector<T>;
  const int lanes = b.lanes;
  const T* x = at<T>(b, op.x);
  T *y = at<T>(b, op.y), *mask = at<T>(b, op.mask);
  const int64_t elements = op.elements;
  const double threshold = __builtin_nearbyint(op.p * 0x1p32);  // ties to even
  const bool none = threshold >= 0x1p32;                        // a word is below 2^32: nothing is kept
  const auto least = static_cast<uint32_t>(none ? 0 : threshold);
  const T factor = none ? T(0) : T(1 / (1 - op.p));
  Words<N> samples;
  for (int lane = 0; lane < N; ++lane) samples[lane] = static_cast<uint32_t>(b.first + lane);
  const Words<N> zero = {};
  for (int64_t group = 0; group * 4 < elements; ++group) {
    const Counter<N> random =
        philox<N>({zero + static_cast<uint32_t>(group), samples, zero + b.step, zero + op.node},
                  static_cast<uint32_t>(b.seed), static_cast<uint32_t>(b.seed >> 32));
    const int64_t rest = elements - group * 4;
    for (int k = 0; k < 4 && k < rest; ++k) {
      const int64_t i = (group * 4 + k) * lanes;
      const auto kept = (Vec<int32_t, N>)(random.word[k] >= least) & 1;
      const Vec<T, N> factors = __builtin_convertvector(kept, Vec<T, N>) * factor,
                      value = load_first(x + i, lanes);
      store_first(mask + i, factors, lanes);
      // What is dropped may be infinite.
      store_first<T>(y + i, factors == T(0) ? Vec<T, N>{} : value * factors, lanes);
    }
  }
}

template <class T>
void dropout_backward(const DropoutOp& op, const Block& b) {
  const T *dy = at<T>(b, op.dy), *mask = at<T>(b, op.mask);
  T* dx = at<T>(b, op.dx);
  for_vectors<T>(op.elements * b.lanes, [&](int64_t i, int64_t count) {
    const Lanes<T> factors = load_first(mask + i, count), value = load_first(dy + i, count);
    store_first<T>(dx + i, factors == T(0) ? Lanes<T>{} : value * factors, count);
  });
}

template <class T>
void add_dropout(KernelTable& table) {
  add<OpKind::dropout_forward, dropout_forward<T>>(table);
  add<OpKind::dropout_backward, dropout_backward<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_dropout<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
