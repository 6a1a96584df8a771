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

// Whether kernels have tiles of many shapes, for the last tenth of speed. What is made for few has few:
// double precision, and x86-64 without AVX2.
#if defined(__x86_64__) && !defined(__AVX2__)
template <class T>
constexpr bool kManyTiles = false;
#else
template <class T>
constexpr bool kManyTiles = sizeof(T) == 4;
#endif

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

// Whether the numbers [begin, end) are.
template <class T>
bool all_finite(const void* numbers, int64_t begin, int64_t end);

// The sample that a lane holds.
CHAINRULE_INLINE int64_t sample_of(const Block& b, int lane) {
  const int64_t place = b.first + lane;
  return b.order == nullptr ? place : b.order[place];
}

// A vector that has room for the lanes of any block. Kernels that are rarely hot take the lanes as a number:
// compiled once, they serve all blocks.
template <class T>
using Lanes = Vec<T, kChannelVector<T>>;

template <class T>
CHAINRULE_INLINE Lanes<T> broadcast_lanes(T value) {
  return broadcast<T, kChannelVector<T>>(value);
}

// The first `count` numbers of a vector, zeros in the others: all of them, half of them or one, which are the
// lanes that plans have.
template <class T>
CHAINRULE_INLINE Lanes<T> load_first(const T* p, int64_t count) {
  constexpr int N = kChannelVector<T>;
  if (count == N) return load_unaligned<T, N>(p);
  Lanes<T> v = {};
  if (count == 1)
    v[0] = *p;
  else
    __builtin_memcpy(&v, p, sizeof v / 2);
  return v;
}

template <class T>
CHAINRULE_INLINE void store_first(T* p, Lanes<T> v, int64_t count) {
  constexpr int N = kChannelVector<T>;
  if (count == N)
    store_unaligned<T, N>(p, v);
  else if (count == 1)
    *p = v[0];
  else
    __builtin_memcpy(p, &v, sizeof v / 2);
}

// Calls body(i, count) for so many numbers in a row, as many at a time as `load_first` takes.
template <class T, class Body>
CHAINRULE_INLINE void for_vectors(int64_t numbers, Body body) {
  constexpr int64_t N = kChannelVector<T>;
  for (int64_t i = 0, count; i < numbers; i += count) {
    const int64_t left = numbers - i;
    count = left >= N ? N : left >= N / 2 ? N / 2 : 1;
    body(i, count);
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
