// What ends a step: the raw gradients of all shards become one natural gradient.
#include "table.hpp"
#include "transpose.hpp"
#include "winograd_points.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

template <class T>
CHAINRULE_INLINE const T* shard(const void* gradients, int64_t shard_bytes, int s, int64_t offset) {
  return reinterpret_cast<const T*>(static_cast<const char*>(gradients) + s * shard_bytes) + offset;
}

// The sums of L vectors, one per lane of the result; shards are added first, in their order.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> add_lanes(const void* gradients, int64_t shard_bytes, int shards, int64_t offset,
                                     int count) {
  Vec<T, L> rows[L] = {};
  for (int k = 0; k < count; ++k)
    for (int s = 0; s < shards; ++s)
      rows[k] += load<T, L>(shard<T>(gradients, shard_bytes, s, offset) + k * L);
  return sum_of_lanes<T, L>(rows);
}

// A row of gradients that are still apart for each lane.
template <class T, int L>
void add_lanes_of_row(const FinishOp& op, const void* gradients, int64_t shard_bytes, int shards, T* natural,
                      int64_t row) {
  for (int64_t c = 0; c < op.columns; c += L) {
    const int count = int(smaller(L, op.columns - c));
    const int64_t offset = op.raw + (row * op.columns + c) * L;
    const Vec<T, L> sums = add_lanes<T, L>(gradients, shard_bytes, shards, offset, count);
    for (int k = 0; k < count; ++k) natural[c + k] = sums[k];
  }
}

// Where number `column` of a natural row lies in a row whose kernels are rotated by 180 degrees.
CHAINRULE_INLINE int64_t rotated(int64_t column, int64_t taps) {
  return column - column % taps + (taps - 1 - column % taps);
}

// dw = Gᵀ d(G w) for one row of groups * out, the shards added in their order.
template <class T>
void finish_points(const FinishOp& op, const void* gradients, int64_t shard_bytes, int shards, T* natural,
                   int64_t row) {
  constexpr int kChunk = 64;
  const int64_t taps = int64_t(op.taps_rows) * op.taps_columns, in = op.columns / taps;
  const int width = op.taps_columns, height = op.taps_rows;
  const TapsToPoints g(op.points, width);
  const bool by_channels = op.layout == RawLayout::kChannels;
  const int64_t line = by_channels ? height * op.padded_in : in * height;
  const int64_t group = row / op.point_rows, o = row % op.point_rows;
  for (int64_t first = 0; first < line; first += kChunk) {
    const int count = int(smaller(kChunk, line - first));
    T sums[kMostPoints][kChunk] = {};
    for (int p = 0; p < op.points; ++p)
      for (int s = 0; s < shards; ++s) {
        const T* raw = reinterpret_cast<const T*>(static_cast<const char*>(gradients) + s * shard_bytes) +
                       op.raw + ((group * op.points + p) * op.point_rows + o) * line + first;
        for (int k = 0; k < count; ++k) sums[p][k] += raw[k];
      }
    for (int j = 0; j < width; ++j) {
      T dw[kChunk] = {};
      for (int p = 0; p < op.points; ++p)
        for (int k = 0; k < kChunk; ++k) dw[k] += T(g.at[p][j]) * sums[p][k];
      for (int k = 0; k < count; ++k) {
        const int64_t e = first + k;
        if (!by_channels)
          natural[e * width + j] = dw[k];
        else if (e % op.padded_in < in)
          natural[(e % op.padded_in * height + e / op.padded_in) * width + j] = dw[k];
      }
    }
  }
}

template <class T>
using FinishRow = void (*)(const FinishOp& op, const void* gradients, int64_t shard_bytes, int shards,
                           T* natural, int64_t row);

template <class T>
CHAINRULE_INLINE void finish_row(const FinishOp& op, const void* gradients, int64_t shard_bytes, int shards,
                                 T* natural, int64_t row, FinishRow<T> lanes_row) {
  if (op.layout == RawLayout::kLanes) return lanes_row(op, gradients, shard_bytes, shards, natural, row);
  const int64_t taps = int64_t(op.taps_rows) * op.taps_columns;
  if (op.points > 0) {
    finish_points<T>(op, gradients, shard_bytes, shards, natural, row);
    return;
  }
  const bool straight = op.layout == RawLayout::kNumbers || taps == 1;
  const int64_t line = op.layout == RawLayout::kNumbers ? op.columns : taps * op.padded_in;
  if (straight) {
    const T* raw = shard<T>(gradients, shard_bytes, 0, op.raw) + row * line;
    for (int64_t c = 0; c < op.columns; ++c) natural[c] = raw[c];
    for (int s = 1; s < shards; ++s) {
      raw = shard<T>(gradients, shard_bytes, s, op.raw) + row * line;
      for (int64_t c = 0; c < op.columns; ++c) natural[c] += raw[c];
    }
    return;
  }
  for (int64_t c = 0; c < op.columns; ++c) natural[c] = 0;
  const int64_t in = op.columns / taps;
  for (int s = 0; s < shards; ++s) {
    const T* raw = shard<T>(gradients, shard_bytes, s, op.raw) + row * line;
    for (int64_t t = 0; t < taps; ++t)
      for (int64_t c = 0; c < in; ++c) natural[c * taps + t] += raw[t * op.padded_in + c];
  }
}

template <class T>
void finish_rows(const FinishOp& op, const void* gradients, int64_t shard_bytes, int shards, void* all,
                 int64_t begin, int64_t end, FinishRow<T> lanes_row) {
  const int64_t taps = int64_t(op.taps_rows) * op.taps_columns;
  for (int64_t row = begin; row < end; ++row) {
    T* natural = static_cast<T*>(all) + op.natural + row * op.columns;
    finish_row<T>(op, gradients, shard_bytes, shards, natural, row, lanes_row);
    if (op.rotated)
      for (int64_t c = 0; c < op.columns; ++c)
        if (c < rotated(c, taps)) {
          const T swap = natural[c];
          natural[c] = natural[rotated(c, taps)], natural[rotated(c, taps)] = swap;
        }
    if (op.mask != nullptr)
      for (int64_t c = 0; c < op.columns; ++c)
        if (op.mask[row * (op.columns / taps) + c / taps] == 0) natural[c] = 0;
  }
}

}  // namespace

template <class T, int L>
void add_finish(KernelTable& table) {
  table.finish = [](const FinishOp& op, const void* gradients, int64_t shard_bytes, int32_t shards,
                    void* natural, int64_t begin, int64_t end) {
    finish_rows<T>(op, gradients, shard_bytes, shards, natural, begin, end, add_lanes_of_row<T, L>);
  };
}

#define CHAINRULE_INSTANTIATE(T, L) template void add_finish<T, L>(KernelTable&);
CHAINRULE_FOR_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
