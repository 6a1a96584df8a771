// What begins the next step: parameters move, and weights are packed in the orders in which kernels read
// them.
#include <math.h>

#include "table.hpp"
#include "transpose.hpp"
#include "vector_math.hpp"
#include "winograd_points.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

// Packs rows [begin, end) of groups * out: G w as [group][point][in][kernel rows][out], for the input
// gradient [group][point][out][kernel rows][in], for registers [group][tile of filters][in][kernel
// rows][point][filter of the tile].
template <class T>
void pack_points(const PackOp& op, T* parameters, int64_t begin, int64_t end) {
  const int width = op.point_taps, height = op.taps / width;
  const TapsToPoints g(op.points, width);
  const int64_t numbers = int64_t(op.out) * op.in * height;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t group = row / op.out, o = row % op.out;
    const T* from = parameters + op.natural + row * op.in * op.taps;
    T* to = parameters + op.packed + group * op.points * numbers;
    for (int64_t c = 0; c < op.in; ++c)
      for (int64_t i = 0; i < height; ++i, from += width) {
        int64_t place = op.backward ? (o * height + i) * op.in + c : (c * height + i) * op.out + o;
        int64_t point = numbers;
        if (op.in_registers) {
          const FilterTiles tiles(op.out);
          const int tile = tiles.of(int(o)), first = tiles.begin(tile);
          point = tiles.size(tile);
          place = (int64_t(first) * op.in * height + (c * height + i) * point) * op.points + o - first;
        }
        for (int p = 0; p < op.points; ++p) {
          T value = 0;
          for (int j = 0; j < width; ++j) value += T(g.at[p][j]) * from[j];
          to[p * point + place] = value;
        }
      }
  }
}

template <class T>
void pack(const PackOp& op, void* all, int64_t begin, int64_t end) {
  T* parameters = static_cast<T*>(all);
  const int64_t columns = int64_t(op.in) * op.taps;
  const bool plain = !op.rotated && op.mask == nullptr;
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
      transpose_matrix<T>(from, columns, to + o, op.out, rows, columns);
      row += rows;
      continue;
    }
    if (plain) {
      transpose_matrix<T>(from, op.taps, to + o * columns, op.in, op.in, op.taps);
      ++row;
      continue;
    }
    for (int64_t c = 0; c < op.in; ++c)
      for (int64_t t = 0; t < op.taps; ++t) {
        const bool missing = op.mask != nullptr && op.mask[row * op.in + c] == 0;
        const T value = missing ? T(0) : from[c * op.taps + (op.rotated ? op.taps - 1 - t : t)];
        to[op.backward ? (o * op.taps + t) * op.in + c : (c * op.taps + t) * op.out + o] = value;
      }
    ++row;
  }
}

// v = alpha v + (1 - alpha) g²; the step is g / (sqrt(v) + eps), with `centered` sqrt(v - mean²).
template <class T>
void update_rmsprop(const UpdateOp& op, T* __restrict w, const T* __restrict dw, void* const* memories,
                    T rate, int64_t begin, int64_t end) {
  T* __restrict v = static_cast<T*>(memories[0]);
  T* __restrict mean = op.centered ? static_cast<T*>(memories[1]) : nullptr;
  T* __restrict velocity = op.momentum == 0 ? nullptr : static_cast<T*>(memories[op.centered ? 2 : 1]);
  const T decay = T(op.weight_decay), momentum = T(op.momentum), alpha = T(op.beta2), eps = T(op.eps);
  for (int64_t i = begin; i < end; ++i) {
    const T g = dw[i] + decay * w[i];
    T spread = v[i] = alpha * v[i] + (1 - alpha) * (g * g);
    if (mean != nullptr) {
      mean[i] = alpha * mean[i] + (1 - alpha) * g;
      spread -= mean[i] * mean[i];
      spread = spread > 0 ? spread : 0;  // by rounding it may come out below
    }
    T move = g / (square_root(spread) + eps);
    if (velocity != nullptr) move = velocity[i] = momentum * velocity[i] + move;
    w[i] -= rate * move;
  }
}

template <class T>
void update(const UpdateOp& op, void* parameters, const void* gradients, void* const* memories, double rate,
            int64_t step, int64_t begin, int64_t end) {
  T* __restrict w = static_cast<T*>(parameters);
  const T* __restrict dw = static_cast<const T*>(gradients);
  if (op.rule == UpdateRule::kRmsProp) {
    update_rmsprop<T>(op, w, dw, memories, T(rate), begin, end);
    return;
  }
  T* __restrict m = static_cast<T*>(memories[0]);
  T* __restrict v = static_cast<T*>(memories[1]);
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

}  // namespace

template <class T>
void transpose_matrix(const T* from, int64_t from_line, T* to, int64_t to_line, int64_t rows,
                      int64_t columns) {
  constexpr int N = kChannelVector<T>;
  int64_t r = 0;
  for (; r + N <= rows; r += N) {
    int64_t c = 0;
    for (; c + N <= columns; c += N) {
      Vec<T, N> block[N];
#pragma GCC unroll 16
      for (int k = 0; k < N; ++k) block[k] = load_unaligned<T, N>(from + (r + k) * from_line + c);
      transpose<T, N>(block);
#pragma GCC unroll 16
      for (int k = 0; k < N; ++k) store_unaligned<T, N>(to + (c + k) * to_line + r, block[k]);
    }
    for (; c < columns; ++c)
      for (int k = 0; k < N; ++k) to[c * to_line + r + k] = from[(r + k) * from_line + c];
  }
  for (; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) to[c * to_line + r] = from[r * from_line + c];
}

template <class T>
bool all_finite(const void* numbers, int64_t begin, int64_t end) {
  constexpr int N = kChannelVector<T>;
  const T* values = static_cast<const T*>(numbers);
  T sum = 0;  // 0 * x is 0 for finite x and NaN for all others
  int64_t i = begin;
  if (i + N <= end) {
    Vec<T, N> sums = {};
    for (; i + N <= end; i += N) sums += load_unaligned<T, N>(values + i) * T(0);
    sum = sum_lanes<T, N>(sums);
  }
  for (; i < end; ++i) sum += values[i] * T(0);
  return sum == T(0);
}

template <class T>
void add_update(KernelTable& table) {
  table.pack = pack<T>;
  table.update = update<T>;
  table.all_finite = all_finite<T>;
}

#define CHAINRULE_INSTANTIATE(T)                              \
  template void add_update<T>(KernelTable&);                  \
  template bool all_finite<T>(const void*, int64_t, int64_t); \
  template void transpose_matrix<T>(const T*, int64_t, T*, int64_t, int64_t, int64_t);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
