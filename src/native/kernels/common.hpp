// The widest vectors, and how kernels find their tensors.
#pragma once

#include "../ops.hpp"
#include "../vec.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif
// Numbers in the widest vector of the instruction set, whatever the lanes.
#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
template <class T>
constexpr int kChannelVector = kVectorBytes / int(sizeof(T));

template <class T>
CHAINRULE_INLINE T* at(const Block& b, Place place) {
  return static_cast<T*>(place.kept ? b.kept : b.scratch) + place.offset;
}

template <class T>
CHAINRULE_INLINE const T* parameters(const Block& b, int64_t offset) {
  return static_cast<const T*>(b.parameters) + offset;
}

template <class T>
CHAINRULE_INLINE T* gradients(const Block& b, int64_t offset) {
  return static_cast<T*>(b.gradients) + offset;
}

// Null where there is none.
template <class T>
CHAINRULE_INLINE T* at(const Block& b, const OptionalPlace& place) {
  return place.get() == nullptr ? nullptr : at<T>(b, *place.get());
}
template <class T>
CHAINRULE_INLINE const T* parameters(const Block& b, const OptionalOffset& offset) {
  return offset.get() == nullptr ? nullptr : parameters<T>(b, *offset.get());
}
template <class T>
CHAINRULE_INLINE T* gradients(const Block& b, const OptionalOffset& offset) {
  return offset.get() == nullptr ? nullptr : gradients<T>(b, *offset.get());
}

CHAINRULE_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
CHAINRULE_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// The sample that a lane holds.
CHAINRULE_INLINE int64_t sample_of(const Block& b, int lane) {
  const int64_t place = b.first + lane;
  return b.order == nullptr ? place : b.order[place];
}

template <class T>
bool all_finite(const void* numbers, int64_t begin, int64_t end) {
  constexpr int N = kChannelVector<T>;
  const T* values = static_cast<const T*>(numbers);
  Vec<T, N> sums = {};  // 0 * x is 0 for finite x and NaN for all others
  int64_t i = begin;
  for (; i + N <= end; i += N) sums += load_unaligned<T, N>(values + i) * T(0);
  T sum = sum_lanes<T, N>(sums);
  for (; i < end; ++i) sum += values[i] * T(0);
  return sum == T(0);
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
