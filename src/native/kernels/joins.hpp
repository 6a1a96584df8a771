// Where paths of the graph meet and part.
#pragma once

#include "common.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// y = sources[0] + sources[1] + ...; y may be one of them.
template <class T, int L>
void sum(const JoinOp& op, const Block& b) {
  T* y = at<T>(b, op.y);
  const int64_t numbers = op.elements[0] * L;
  for (int64_t i = 0; i < numbers; i += L) {
    Vec<T, L> total = load<T, L>(at<T>(b, op.sources[0]) + i);
    for (int32_t k = 1; k < op.count; ++k) total += load<T, L>(at<T>(b, op.sources[k]) + i);
    store<T, L>(y + i, total);
  }
}

template <class T, int L>
CHAINRULE_INLINE void copy(const T* from, T* to, int64_t elements) {
  const int64_t numbers = elements * L;
  for (int64_t i = 0; i < numbers; i += L) store<T, L>(to + i, load<T, L>(from + i));
}

// y = the elements of sources[0], then those of sources[1], ...
template <class T, int L>
void concat(const JoinOp& op, const Block& b) {
  T* y = at<T>(b, op.y);
  for (int32_t k = 0; k < op.count; ++k) {
    copy<T, L>(at<T>(b, op.sources[k]), y, op.elements[k]);
    y += op.elements[k] * L;
  }
}

// The way back of `concat`: `y` is read, the sources are written.
template <class T, int L>
void split(const JoinOp& op, const Block& b) {
  const T* dy = at<T>(b, op.y);
  for (int32_t k = 0; k < op.count; ++k) {
    copy<T, L>(dy, at<T>(b, op.sources[k]), op.elements[k]);
    dy += op.elements[k] * L;
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
