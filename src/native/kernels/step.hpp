// What ends a step: raw gradients become natural ones, parameters move, weights are packed for the next step.
#pragma once

#include <math.h>

#include "transpose.hpp"
#include "vector_math.hpp"
#include "winograd.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

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

// Where number `column` of a natural row lies in a row whose kernels are turned.
CHAINRULE_INLINE int64_t turned(int64_t column, int64_t taps) {
  return column - column % taps + (taps - 1 - column % taps);
}

template <class T, int L>
CHAINRULE_INLINE void finish_row(const FinishOp& op, const void* gradients, int64_t shard_bytes, int shards,
                                 T* natural, int64_t row) {
  const int64_t taps = int64_t(op.taps_rows) * op.taps_columns;
  if (op.layout == RawLayout::kLanes) {
    for (int64_t c = 0; c < op.columns; c += L) {
      const int count = int(smaller(L, op.columns - c));
      const int64_t offset = op.raw + (row * op.columns + c) * L;
      const Vec<T, L> sums = add_lanes<T, L>(gradients, shard_bytes, shards, offset, count);
      for (int k = 0; k < count; ++k) natural[c + k] = sums[k];
    }
    return;
  }
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

template <class T, int L>
void finish(const FinishOp& op, const void* gradients, int64_t shard_bytes, int32_t shards, void* all,
            int64_t begin, int64_t end) {
  const int64_t taps = int64_t(op.taps_rows) * op.taps_columns;
  for (int64_t row = begin; row < end; ++row) {
    T* natural = static_cast<T*>(all) + op.natural + row * op.columns;
    finish_row<T, L>(op, gradients, shard_bytes, shards, natural, row);
    if (op.flip)
      for (int64_t c = 0; c < op.columns; ++c)
        if (c < turned(c, taps)) {
          const T swap = natural[c];
          natural[c] = natural[turned(c, taps)], natural[turned(c, taps)] = swap;
        }
    if (op.mask != nullptr)
      for (int64_t c = 0; c < op.columns; ++c)
        if (op.mask[row * (op.columns / taps) + c / taps] == 0) natural[c] = 0;
  }
}

template <class T>
void pack(const PackOp& op, void* all, int64_t begin, int64_t end) {
  T* parameters = static_cast<T*>(all);
  const int64_t columns = int64_t(op.in) * op.taps;
  const bool plain = !op.flip && op.mask == nullptr;
  if (op.copies > 0) {
    for (int32_t k = 0; begin < end && k < op.copies; ++k) parameters[op.packed + k] = parameters[op.natural];
    return;
  }
  if (op.points > 0) {
    pack_points<T>(op, parameters, begin, end);
    return;
  }
  for (int64_t row = begin; row < end;) {
    const int64_t group = row / op.out, o = row % op.out;
    const T* from = parameters + op.natural + row * columns;
    T* to = parameters + op.packed + group * op.out * columns;
    if (plain && !op.backward) {
      const int64_t rows = smaller(end, (group + 1) * op.out) - row;
      turn_matrix<T>(from, columns, to + o, op.out, rows, columns);
      row += rows;
      continue;
    }
    if (plain) {
      turn_matrix<T>(from, op.taps, to + o * columns, op.in, op.in, op.taps);
      ++row;
      continue;
    }
    for (int64_t c = 0; c < op.in; ++c)
      for (int64_t t = 0; t < op.taps; ++t) {
        const bool missing = op.mask != nullptr && op.mask[row * op.in + c] == 0;
        const T value = missing ? T(0) : from[c * op.taps + (op.flip ? op.taps - 1 - t : t)];
        to[op.backward ? (o * op.taps + t) * op.in + c : (c * op.taps + t) * op.out + o] = value;
      }
    ++row;
  }
}

template <class T>
void update(const UpdateOp& op, void* parameters, const void* gradients, void* first, void* second,
            double rate, int64_t step, int64_t begin, int64_t end) {
  T* __restrict w = static_cast<T*>(parameters);
  const T* __restrict dw = static_cast<const T*>(gradients);
  T* __restrict m = static_cast<T*>(first);
  T* __restrict v = static_cast<T*>(second);
  const T lr = T(rate), decay = T(op.weight_decay), momentum = T(op.momentum);
  if (op.rule == UpdateRule::kSgd) {
    if (m == nullptr)
      for (int64_t i = begin; i < end; ++i) w[i] -= lr * (dw[i] + decay * w[i]);
    else if (op.nesterov)
      for (int64_t i = begin; i < end; ++i) {
        const T g = dw[i] + decay * w[i];
        m[i] = momentum * m[i] + g;
        w[i] -= lr * (g + momentum * m[i]);
      }
    else
      for (int64_t i = begin; i < end; ++i) {
        m[i] = momentum * m[i] + (dw[i] + decay * w[i]);
        w[i] -= lr * m[i];
      }
    return;
  }
  const T b1 = T(op.beta1), b2 = T(op.beta2), eps = T(op.eps);
  const T step_size = T(rate / (1 - ::pow(op.beta1, double(step))));
  const T correction = T(::sqrt(1 - ::pow(op.beta2, double(step))));
  const bool decoupled = op.rule == UpdateRule::kAdamW;
  const T keep = decoupled ? T(1 - rate * op.weight_decay) : T(1), coupled = decoupled ? T(0) : decay;
  for (int64_t i = begin; i < end; ++i) {
    const T before = w[i] * keep, g = dw[i] + coupled * before;
    m[i] = b1 * m[i] + (1 - b1) * g;
    v[i] = b2 * v[i] + (1 - b2) * (g * g);
    w[i] = before - step_size * m[i] / (square_root(v[i]) / correction + eps);
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
