// Samples into lanes and back.
#include "table.hpp"
#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// L numbers of a sample; bytes become 0..1 by the same division as everywhere.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> read_numbers(const Block& b, int64_t index) {
  if (b.source == Source::kSame) return load_unaligned<T, L>(static_cast<const T*>(b.inputs) + index);
  const uint8_t* bytes = static_cast<const uint8_t*>(b.inputs) + index;
  Vec<T, L> numbers = {};
#pragma GCC unroll 16
  for (int k = 0; k < L; ++k) numbers[k] = T(bytes[k]);
  return numbers / T(255);
}

template <class T>
CHAINRULE_INLINE T read_number(const Block& b, int64_t index) {
  if (b.source == Source::kSame) return static_cast<const T*>(b.inputs)[index];
  return T(static_cast<const uint8_t*>(b.inputs)[index]) / T(255);
}

template <class T, int L>
void gather(const GatherOp& op, const Block& b) {
  T* x = at<T>(b, op.x);
  if (L == 1 && b.source == Source::kSame) {
    const T* sample = static_cast<const T*>(b.inputs) + sample_of(b, 0) * op.elements;
    for (int64_t e = 0; e < op.elements; ++e) x[e] = sample[e];
    b.totals->finite &= all_finite<T>(sample, 0, op.elements);
    return;
  }
  Vec<T, L> strange = {};  // as in all_finite
  int64_t begin[L];
  for (int lane = 0; lane < L; ++lane) begin[lane] = lane < b.used ? sample_of(b, lane) * op.elements : -1;
  int64_t e = 0;
  for (; e + L <= op.elements; e += L) {
    Vec<T, L> rows[L];
    for (int lane = 0; lane < L; ++lane)
      rows[lane] = begin[lane] < 0 ? Vec<T, L>{} : read_numbers<T, L>(b, begin[lane] + e);
    for (int lane = 0; lane < L; ++lane) strange += rows[lane] * T(0);
    transpose<T, L>(rows);
#pragma GCC unroll 16
    for (int k = 0; k < L; ++k) store<T, L>(x + (e + k) * L, rows[k]);
  }
  for (; e < op.elements; ++e) {
    for (int lane = 0; lane < L; ++lane)
      x[e * L + lane] = begin[lane] < 0 ? T(0) : read_number<T>(b, begin[lane] + e);
    strange += load<T, L>(x + e * L) * T(0);
  }
  b.totals->finite &= sum_lanes<T, L>(strange) == T(0);
}

// Rows of an exported array are places of the batch, whatever the order in which samples were taken.
template <class T, int L>
void scatter(const ScatterOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T* rows = static_cast<T*>(b.exports[op.target]) + b.first * op.elements;
  int64_t e = 0;
  for (; e + L <= op.elements; e += L) {
    Vec<T, L> numbers[L];
#pragma GCC unroll 16
    for (int k = 0; k < L; ++k) numbers[k] = load<T, L>(x + (e + k) * L);
    transpose<T, L>(numbers);
    for (int lane = 0; lane < b.used; ++lane)
      store_unaligned<T, L>(rows + lane * op.elements + e, numbers[lane]);
  }
  for (; e < op.elements; ++e)
    for (int lane = 0; lane < b.used; ++lane) rows[lane * op.elements + e] = x[e * L + lane];
}

template <class T, int L>
void add_gather(KernelTable& table) {
  add<OpKind::gather, gather<T, L>>(table);
  add<OpKind::scatter, scatter<T, L>>(table);
}

#define CHAINRULE_INSTANTIATE(T, L) template void add_gather<T, L>(KernelTable&);
CHAINRULE_FOR_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
