// Convolution, dense layers above all, whose weights do not stay in cache: several blocks walk through them
// together, and they come from memory once for all of these. A tile, some filters by some channels, is copied
// to where it is contiguous, for lines that are a power of two apart drive each other out of a cache; before
// each block uses it, a part of the next tile is prefetched.
#include "convolution.hpp"
#include "table.hpp"
#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// The weights [begin, end) of the filters from `first` on, as they lie in memory: `lines` lines of `pieces`
// neighbouring numbers, `distance` apart.
template <class T>
struct WeightTile {
  const T* corner;
  int64_t lines, pieces, distance;
  bool natural_order;  // a line has the weights of a filter, rather than a weight of all filters

  WeightTile(const LargeConvolveOp& op, const T* weights, int64_t line, int64_t begin, int64_t end, int first)
      : natural_order(op.natural_order) {
    const int64_t filters = smaller(kMaxFilters, op.out - first);
    corner = natural_order ? weights + first * line + begin : weights + begin * op.out + first;
    lines = natural_order ? filters : end - begin, pieces = natural_order ? end - begin : filters;
    distance = natural_order ? line : op.out;
  }

  // As [weight][filter].
  CHAINRULE_INLINE void copy(T* to) const {
    if (natural_order) return transpose_matrix<T>(corner, distance, to, lines, lines, pieces);
    for (int64_t k = 0; k < lines; ++k)
      for (int64_t f = 0; f < pieces; ++f) to[k * pieces + f] = corner[k * distance + f];
  }

  // Brings one of `parts` equal parts of the tile nearer.
  CHAINRULE_INLINE void prefetch(int part, int parts) const {
    constexpr int64_t kStep = 64 / sizeof(T);  // of a cache's line
    for (int64_t k = lines * part / parts; k < lines * (part + 1) / parts; ++k)
      for (int64_t i = 0; i < pieces; i += kStep) __builtin_prefetch(corner + k * distance + i, 0, 2);
  }
};

template <class T>
void convolve_in_tiles(const LargeConvolveOp& op, const Block* blocks, int32_t count, int64_t lanes,
                       ConvolveRunFor<T> run_for) {
  const int kernel = op.rows.kernel_size * op.columns.kernel_size;
  const int64_t source_map = int64_t(op.rows.source_size) * op.columns.source_size;
  const int64_t map = int64_t(op.rows.size) * op.columns.size, line = int64_t(op.in) * kernel;
  const int channels = int(larger(1, kTileWeights / kernel));
  T* copy = at<T>(blocks[0], op.tile);
  for (int64_t g = 0; g < op.groups; ++g)
    for (int c = 0; c < op.in; c += channels) {
      const T* weights = parameters<T>(blocks[0], op.weight) + g * op.out * line;
      ConvolveOp part = op;
      part.in = int(smaller(channels, op.in - c));
      const auto tile_of = [&](int first) {
        return WeightTile<T>(op, weights, line, int64_t(c) * kernel, int64_t(c + part.in) * kernel, first);
      };
      for (int first = 0; first < op.out; first += kMaxFilters) {
        part.out = int(smaller(kMaxFilters, op.out - first));
        tile_of(first).copy(copy);
        const WeightTile<T> next = tile_of(first + kMaxFilters < op.out ? first + kMaxFilters : first);
        const ConvolveRun<T> run = run_for(part.out);
        for (int k = 0; k < count; ++k) {
          next.prefetch(k, count);
          const Block& b = blocks[k];
          const T* x = at<T>(b, op.x) + (g * op.in + c) * source_map * lanes;
          const T* biases = parameters<T>(b, op.bias);
          const T* bias = biases == nullptr ? kNoBias<T> : biases + g * op.out + first;
          T* y = at<T>(b, op.y) + (g * op.out + first) * map * lanes;
          for_rows(op.rows, [&](const Run& rows, int row) {
            for_runs_of_row(part, rows, row, lanes,
                            [&](Walk walk, int64_t source, int64_t tap, int64_t place, const Run& columns) {
                              walk.resumes = c > 0;
                              run(walk, x + source, columns.source_move * lanes, copy + tap * part.out, bias,
                                  y + place * lanes, map * lanes, columns.step * lanes, columns.count);
                            });
          });
        }
      }
    }
}

template <class T, int L>
void convolve_blocks(const LargeConvolveOp& op, const Block* blocks, int32_t count) {
  convolve_in_tiles<T>(op, blocks, count, L, convolve_run_for<T, L>);
}

template <class T, int L>
void convolve_large(const LargeConvolveOp& op, const Block& b) {
  convolve_blocks<T, L>(op, &b, 1);
}

template <class T, int L>
void add_large_convolution(KernelTable& table) {
  add<OpKind::convolve_large, convolve_large<T, L>>(table);
  table.convolve_large = convolve_blocks<T, L>;
}

#define CHAINRULE_INSTANTIATE(T, L) template void add_large_convolution<T, L>(KernelTable&);
CHAINRULE_FOR_MANY_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
