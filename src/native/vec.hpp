// Vectors of L numbers, one per lane. GCC's and clang's vector extension compiles the same source for every
// instruction set; nothing here names one.
#pragma once

#include <cstddef>
#include <cstdint>

#define CHAINRULE_INLINE inline __attribute__((always_inline))

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

template <class T, int L>
struct VecOf {
  typedef T type __attribute__((vector_size(sizeof(T) * L), may_alias));
  typedef T unaligned __attribute__((vector_size(sizeof(T) * L), aligned(sizeof(T)), may_alias));
};

template <class T, int L>
using Vec = typename VecOf<T, L>::type;

template <class T, int L>
CHAINRULE_INLINE Vec<T, L> load(const T* p) {
  return *reinterpret_cast<const Vec<T, L>*>(p);
}

template <class T, int L>
CHAINRULE_INLINE void store(T* p, Vec<T, L> v) {
  *reinterpret_cast<Vec<T, L>*>(p) = v;
}

template <class T, int L>
CHAINRULE_INLINE Vec<T, L> load_unaligned(const T* p) {
  return *reinterpret_cast<const typename VecOf<T, L>::unaligned*>(p);
}

template <class T, int L>
CHAINRULE_INLINE void store_unaligned(T* p, Vec<T, L> v) {
  *reinterpret_cast<typename VecOf<T, L>::unaligned*>(p) = v;
}

template <class T, int L>
CHAINRULE_INLINE Vec<T, L> broadcast(T value) {
  return Vec<T, L>{} + value;
}

// What is loaded once and used many times: compilers may rather load it again for each use.
template <class V>
CHAINRULE_INLINE void keep_in_register(V& vector) {
#if defined(__x86_64__)
  asm("" : "+v"(vector));
#elif defined(__aarch64__)
  asm("" : "+w"(vector));
#endif
}

// The sum of all lanes, in a fixed order: halves are added until one lane is left.
template <class T, int L>
CHAINRULE_INLINE T sum_lanes(Vec<T, L> v) {
  T parts[L];
  store_unaligned<T, L>(parts, v);
  for (int width = L / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; ++lane) parts[lane] += parts[lane + width];
  return parts[0];
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
