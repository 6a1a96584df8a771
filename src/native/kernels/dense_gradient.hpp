// Weight gradients of dense layers, for the whole batch when the step ends: dw = dyᵀ x. Threads share the
// rows, and each number is written once, instead of once for each shard.
#pragma once

#include "weight_gradient.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

template <class T, int L>
void turn(const TurnOp& op, const Block& b) {
  turn_channels<T, L>(at<T>(b, op.x), at<T>(b, op.xt), 1, op.in, op.padded_in);
}

// Rows are F outputs, columns V vectors of inputs; the last vector has only `tail` numbers that exist.
template <class T, int L, int F, int V>
__attribute__((noinline)) void dense_tile(const char* xt, const char* dy, int64_t block_bytes, int64_t blocks,
                                          int64_t padded_in, T* dw, int64_t dw_row, int tail) {
  constexpr int N = kChannelVector<T>;
  Vec<T, N> sums[F][V] = {};
  for (int64_t n = 0; n < blocks; ++n)
    add_products<T>(sums, reinterpret_cast<const T*>(xt + n * block_bytes), padded_in,
                    reinterpret_cast<const T*>(dy + n * block_bytes), L, L);
#pragma GCC unroll 8
  for (int f = 0; f < F; ++f) {
#pragma GCC unroll 3
    for (int v = 0; v < V - 1; ++v) store_unaligned<T, N>(dw + f * dw_row + v * N, sums[f][v]);
    T last[N];
    store_unaligned<T, N>(last, sums[f][V - 1]);
    for (int k = 0; k < tail; ++k) dw[f * dw_row + (V - 1) * N + k] = last[k];
  }
}

template <class T, int L, int V>
CHAINRULE_INLINE auto dense_tile_for(int filters) {
  using Tile = void (*)(const char*, const char*, int64_t, int64_t, int64_t, T*, int64_t, int);
  static constexpr Tile tiles[] = {
      dense_tile<T, L, 1, V>, dense_tile<T, L, 2, V>, dense_tile<T, L, 3, V>, dense_tile<T, L, 4, V>,
#if defined(__AVX512F__) || defined(__aarch64__)
      dense_tile<T, L, 5, V>, dense_tile<T, L, 6, V>, dense_tile<T, L, 7, V>, dense_tile<T, L, 8, V>,
#endif
  };
  return tiles[filters - 1];
}

template <class T, int L>
void finish_dense(const FinishOp& op, const void* kept, int64_t block_bytes, int64_t blocks, void* natural,
                  int64_t begin, int64_t end) {
  constexpr int N = kChannelVector<T>;
  const char *xt = static_cast<const char*>(kept) + op.xt.get()->offset * sizeof(T),
             *dy = static_cast<const char*>(kept) + op.dy.get()->offset * sizeof(T);
  const int64_t vectors = op.padded_in / N;
  for (int64_t row = begin; row < end;) {
    const int rows = int(smaller(kProductFilters, end - row));
    T* dw = static_cast<T*>(natural) + op.natural + row * op.columns;
    for (int64_t v = 0; v < vectors; v += kProductVectors) {
      const int count = int(smaller(kProductVectors, vectors - v));
      const int tail = int(smaller(N, op.columns - (v + count - 1) * N));
      const auto tile = count == 1   ? dense_tile_for<T, L, 1>(rows)
                        : count == 2 ? dense_tile_for<T, L, 2>(rows)
                                     : dense_tile_for<T, L, 3>(rows);
      tile(xt + v * N * sizeof(T), dy + row * L * sizeof(T), block_bytes, blocks, op.padded_in, dw + v * N,
           op.columns, tail);
    }
    row += rows;
  }
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
