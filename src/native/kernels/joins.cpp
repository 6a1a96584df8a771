// Where paths of the graph meet and part.
#include "table.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// y = sources[0] + sources[1] + ...; y may be one of them.
template <class T>
void sum(const JoinOp& op, const Block& b) {
  T* y = at<T>(b, op.y);
  for_vectors<T>(op.elements[0] * b.lanes, [&](int64_t i, int64_t count) {
    Lanes<T> total = load_first(at<T>(b, op.sources[0]) + i, count);
    for (int32_t k = 1; k < op.count; ++k) total += load_first(at<T>(b, op.sources[k]) + i, count);
    store_first(y + i, total, count);
  });
}

// y = the elements of sources[0], then those of sources[1], ...
template <class T>
void concat(const JoinOp& op, const Block& b) {
  T* y = at<T>(b, op.y);
  for (int32_t k = 0; k < op.count; ++k) {
    const int64_t numbers = op.elements[k] * b.lanes;
    __builtin_memcpy(y, at<T>(b, op.sources[k]), numbers * sizeof(T));
    y += numbers;
  }
}

// The way back of `concat`: `y` is read, the sources are written.
template <class T>
void split(const JoinOp& op, const Block& b) {
  const T* dy = at<T>(b, op.y);
  for (int32_t k = 0; k < op.count; ++k) {
    const int64_t numbers = op.elements[k] * b.lanes;
    __builtin_memcpy(at<T>(b, op.sources[k]), dy, numbers * sizeof(T));
    dy += numbers;
  }
}

template <class T>
void add_joins(KernelTable& table) {
  add<OpKind::sum, sum<T>>(table);
  add<OpKind::concat, concat<T>>(table);
  add<OpKind::split, split<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_joins<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
