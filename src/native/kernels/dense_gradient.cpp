// Weight gradients of dense layers, for the whole batch when the step ends: dw = dyᵀ x. Threads share the
// rows, and each number is written once, instead of once for each shard.
#include "products.hpp"
#include "table.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

// Rows are F outputs, columns V vectors of inputs; the last vector has only `tail` numbers that exist. L: the
// lanes, or 0 if they are not as many as a vector has numbers.
template <class T, int F, int V, int L>
__attribute__((noinline)) void dense_tile(const char* xt, const char* dy, int64_t block_bytes, int64_t blocks,
                                          int64_t padded_in, int any_lanes, T* dw, int64_t dw_row, int tail) {
  constexpr int N = kChannelVector<T>;
  const int lanes = L > 0 ? L : any_lanes;
  Vec<T, N> sums[F][V] = {};
  for (int64_t n = 0; n < blocks; ++n)
    add_products<T>(sums, reinterpret_cast<const T*>(xt + n * block_bytes), padded_in,
                    reinterpret_cast<const T*>(dy + n * block_bytes), lanes, lanes);
#pragma GCC unroll 8
  for (int f = 0; f < F; ++f) {
#pragma GCC unroll 3
    for (int v = 0; v < V - 1; ++v) store_unaligned<T, N>(dw + f * dw_row + v * N, sums[f][v]);
    T last[N];
    store_unaligned<T, N>(last, sums[f][V - 1]);
    for (int k = 0; k < tail; ++k) dw[f * dw_row + (V - 1) * N + k] = last[k];
  }
}

template <class T>
using DenseTile = void (*)(const char*, const char*, int64_t, int64_t, int64_t, int, T*, int64_t, int);

template <class T, int V, int L>
CHAINRULE_INLINE DenseTile<T> dense_tile_for(int filters) {
  return with_size_of_product<T>(filters, []<int F>() -> DenseTile<T> { return dense_tile<T, F, V, L>; });
}

template <class T, int L>
void dense_rows(const FinishOp& op, const void* kept, int64_t block_bytes, int64_t blocks, int lanes,
                void* natural, int64_t begin, int64_t end) {
  constexpr int N = kChannelVector<T>;
  const char *xt = static_cast<const char*>(kept) + op.xt.get()->offset * sizeof(T),
             *dy = static_cast<const char*>(kept) + op.dy.get()->offset * sizeof(T);
  const int64_t vectors = op.padded_in / N;
  for (int64_t row = begin; row < end;) {
    const int rows = size_of_product<T>(end - row);
    T* dw = static_cast<T*>(natural) + op.natural + row * op.columns;
    for (int64_t v = 0; v < vectors; v += kProductVectors) {
      const int count = int(smaller(kProductVectors, vectors - v));
      const int tail = int(smaller(N, op.columns - (v + count - 1) * N));
      const auto tile = count == 1   ? dense_tile_for<T, 1, L>(rows)
                        : count == 2 ? dense_tile_for<T, 2, L>(rows)
                                     : dense_tile_for<T, 3, L>(rows);
      tile(xt + v * N * sizeof(T), dy + row * lanes * sizeof(T), block_bytes, blocks, op.padded_in, lanes,
           dw + v * N, op.columns, tail);
    }
    row += rows;
  }
}

}  // namespace

template <class T, int L>
void add_dense_gradient(KernelTable& table) {
  table.finish_dense = [](const FinishOp& op, const void* kept, int64_t block_bytes, int64_t blocks,
                          void* natural, int64_t begin, int64_t end) {
    constexpr int kLanes = L == kChannelVector<T> ? L : 0;
    dense_rows<T, kLanes>(op, kept, block_bytes, blocks, L, natural, begin, end);
  };
}

#define CHAINRULE_INSTANTIATE(T, L) template void add_dense_gradient<T, L>(KernelTable&);
CHAINRULE_FOR_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
