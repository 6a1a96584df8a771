// What a plan is made of: each operation as a plain record of places, sizes and options. No code, no
// containers: kernels of every instruction set include this file, so nothing in it may be compiled twice
// differently.
//
// Inside a block a tensor is [element][lane]: element in the sample's own row-major order (channel, row,
// column), lane the sample. T is float or double; `lanes` is a template parameter of the kernels whose speed
// hangs on it, and a number like any other for the rest.
#pragma once

#include <cstdint>

#include "fields.hpp"

namespace chainrule {

// What the lowering has to keep to.
constexpr int kMostGroup = 8;       // blocks that a thread may take through an operation together
constexpr int kMostStripRows = 32;  // of Winograd's algorithm: rows of the result at a time
constexpr int kTileWeights =
    256;  // of large weights: weights of a filter in a tile, unless one channel has more
constexpr int kTileFilters = 16;  // filters of a tile, at most

// Where a place points that an operation does not have: so far away that no memory can be there.
constexpr int64_t kNowhere = int64_t(1) << 44;

// A tensor of the block: `offset` numbers from the start of the thread's arena, or of the block's kept
// memory.
struct Place {
  int64_t offset = kNowhere;
  bool kept = false;
};

// What an operation may do without, such as a bias: a place of the block, or an offset in one of the flat
// memories. Absent unless given, and to be asked for before it can be used.
template <class P>
class Optional {
 public:
  __attribute__((always_inline)) Optional() : place_(), there_(false) {}
  __attribute__((always_inline)) Optional(P place) : place_(place), there_(true) {}
  // Null if there is none.
  __attribute__((always_inline)) const P* get() const { return there_ ? &place_ : nullptr; }

 private:
  P place_;
  bool there_;
};
using OptionalPlace = Optional<Place>;
using OptionalOffset = Optional<int64_t>;

// The places of one output row or column of a sliding window: `count` taps, beginning with tap `first` over
// source index `source`, then tap += tap_step, source += source_step.
struct Taps {
  int32_t first, count, source, tap_step, source_step;
};

// `count` outputs, the first at `begin` and the next `step` further, that share their taps, while their first
// source moves by `source_move` from one to the next.
struct Run {
  int32_t begin, count, step, source_move;
  Taps taps;
};

// One spatial axis of a convolution, as seen from the side that is computed. Stride, padding (before) and
// dilation are the forward pass's; there tap i of output p lies over source p stride - padding + i dilation.
struct Axis {
  const Run* runs;
  int32_t run_count;
  int32_t size, source_size, kernel_size;
  int32_t stride, padding, dilation;
};

// y[o] = bias[o] + sum over c, taps of weight[c][i][j][o] x[c][source]. The forward pass, and with other taps
// and transposed weights the input gradient. weight: [group][in][kernel rows][kernel columns][out] in
// `parameters`.
struct ConvolveOp {
  Place x, y;
  int64_t weight;
  OptionalOffset bias;
  int32_t groups, in, out;  // channels per group
  Axis rows, columns;
  bool filters_outer;  // walk all rows for a tile of filters before the next tile: for weights larger than
                       // maps
  CHAINRULE_FIELDS(x, y, weight, bias, groups, in, out, rows, columns, filters_outer)
};

// The same with weights that do not stay in cache, see kernels/large_convolution.cpp. `natural_order`: they
// are the natural [group][out][in][kernel rows][kernel columns]. `tile` has room for kMaxFilters filters.
struct LargeConvolveOp : ConvolveOp {
  Place tile;
  bool natural_order;
  CHAINRULE_MORE_FIELDS(ConvolveOp, tile, natural_order)
};

// Maps [rows][columns] into the middle of zeros [padded_rows][padded_columns].
struct PadOp {
  Place x, y;
  int32_t channels, rows, columns, padded_rows, padded_columns, top, left;
  CHAINRULE_FIELDS(x, y, channels, rows, columns, padded_rows, padded_columns, top, left)
};

// dw[o][c][i][j] += sum over places and lanes of dy[o] x[c]. `rows` and `columns` are the forward pass's.
// raw: [group][out][in][kernel rows][kernel columns] in `gradients`; `sums` is the same with a lane axis, or
// for one lane the transposed dy of a group: [place][out, padded to whole vectors]. `starts`: this operation
// is the first of a block to add to `raw`, and so writes it in the first block of a shard.
struct WeightGradientOp {
  Place x, dy, sums;
  int64_t raw;
  int32_t groups, in, out;
  bool starts;
  Axis rows, columns;
  CHAINRULE_FIELDS(x, dy, sums, raw, groups, in, out, starts, rows, columns)
};

// The same for many input channels: a vector holds neighbouring channels of one sample, taken from the
// transposed input `xt` [row][column][lane][padded in] of one group after the other. raw: [group][out][kernel
// rows][kernel columns][padded in]. padded_in is a multiple of the native vector.
struct ChannelGradientOp {
  Place x, xt, dy;
  int64_t raw;
  int32_t groups, in, out, padded_in;
  bool starts;
  Axis rows, columns;
  CHAINRULE_FIELDS(x, xt, dy, raw, groups, in, out, padded_in, starts, rows, columns)
};

// xt[lane][c] = x[c][lane], zeros up to padded_in: what a dense layer's weight gradient reads when the step
// ends.
struct TransposeInputOp {
  Place x, xt;
  int32_t in, padded_in;
  CHAINRULE_FIELDS(x, xt, in, padded_in)
};

// Convolution without stride or dilation by Winograd's algorithm, a strip of rows at a time; see
// kernels/winograd_points.hpp. `rows` and `columns` are the forward pass's and have no runs.
//
//   operation        source   result
//   forward          x        y
//   input gradient   dy       dx
//   weight gradient  x        dy (read, too)
//
// `source_points`, `result_points`: what a strip reads and gives, at the points. The weight is G w:
// [group][point][in][kernel rows][out] in `parameters`, for the input gradient with in and out exchanged.
// Weight gradient: `transposed` and `raw` are `xt` or `sums` and `raw` of the operations above, with points
// for groups; padded_in is 0 for sums. `in_registers`: forward, see kernels/winograd_registers.cpp, for which
// the weight is packed differently.
//
// `pairs`: outputs are there only as maxima of pairs of rows and columns, what an odd size leaves over left
// out. Forward in registers writes these to `result`, and which of the four it was to `winners` if there are
// any; the gradients take dy of the maxima, and read there where it came from.
struct WinogradOp {
  Place source, result, source_points, transposed;
  OptionalPlace result_points, winners;
  int64_t weight, raw;
  OptionalOffset bias;
  int32_t groups, in, out, padded_in;
  int32_t points, strip;  // strip: rows of the result at a time
  bool starts, in_registers, pairs;
  Axis rows, columns;
  CHAINRULE_FIELDS(source, result, source_points, groups, in, out, points, strip, rows, columns)
};
struct WinogradForwardOp : WinogradOp {
  CHAINRULE_MORE_FIELDS(WinogradOp, result_points, winners, weight, bias, in_registers, pairs)
};
struct WinogradBackwardInputOp : WinogradOp {
  CHAINRULE_MORE_FIELDS(WinogradOp, result_points, winners, weight, pairs)
};
struct WinogradWeightGradientOp : WinogradOp {
  CHAINRULE_MORE_FIELDS(WinogradOp, result_points, transposed, winners, raw, padded_in, starts, pairs)
};

// db[o] += sum over places of dy[o]. raw: [out][lane]; `shared`: [lane], summed over o as well.
struct BiasGradientOp {
  Place dy;
  int64_t raw;
  int32_t out, places;
  bool shared;
  CHAINRULE_FIELDS(dy, raw, out, places, shared)
};

// Convolution with a kernel for every place. weight [out][places][in][kernel rows][kernel columns], bias
// [out][places], natural layout in `parameters`; raw gradients [.. same ..][lane].
struct LocalOp {
  Place x, y, dx, dy;
  int64_t weight;
  OptionalOffset bias, raw_weight, raw_bias;
  int32_t in, out;
  Axis rows, columns;
  CHAINRULE_FIELDS(in, out, rows, columns)
};
struct LocalForwardOp : LocalOp {
  CHAINRULE_MORE_FIELDS(LocalOp, x, y, weight, bias)
};
struct LocalBackwardInputOp : LocalOp {
  CHAINRULE_MORE_FIELDS(LocalOp, dx, dy, weight)
};
struct LocalBackwardParametersOp : LocalOp {
  CHAINRULE_MORE_FIELDS(LocalOp, x, dy, raw_weight, raw_bias)
};

// Windows over each map, which may lie partly outside: those places are skipped (mean: they count as zeros).
struct PoolOp {
  Place x, y, dx, dy;
  int32_t channels, rows, columns, out_rows, out_columns;
  int32_t kernel_rows, kernel_columns, stride_rows, stride_columns, top, left;
  double norm;                          // Lp: the p
  bool uniform;                         // weighted: all weights are the first, and no other is there
  const double* weights;                // weighted: [kernel rows][kernel columns]
  int64_t weight, bias;                 // trainable: [channels] in `parameters`
  OptionalOffset raw_weight, raw_bias;  // trainable: [channels][lane] in `gradients`
  CHAINRULE_FIELDS(channels, rows, columns, out_rows, out_columns, kernel_rows, kernel_columns, stride_rows,
                   stride_columns, top, left)
};
struct MaxPoolForwardOp : PoolOp {
  CHAINRULE_MORE_FIELDS(PoolOp, x, y)
};
struct MaxPoolBackwardOp : PoolOp {
  CHAINRULE_MORE_FIELDS(PoolOp, x, y, dx, dy)
};
struct WeightedPoolForwardOp : PoolOp {
  CHAINRULE_MORE_FIELDS(PoolOp, x, y, uniform, weights)
};
struct WeightedPoolBackwardOp : PoolOp {
  CHAINRULE_MORE_FIELDS(PoolOp, dx, dy, uniform, weights)
};
struct LpPoolForwardOp : PoolOp {
  CHAINRULE_MORE_FIELDS(PoolOp, x, y, norm)
};
struct LpPoolBackwardOp : PoolOp {
  CHAINRULE_MORE_FIELDS(PoolOp, x, y, dx, dy, norm)
};
struct TrainablePoolForwardOp : PoolOp {
  CHAINRULE_MORE_FIELDS(PoolOp, x, y, weight, bias)
};
struct TrainablePoolBackwardInputOp : PoolOp {
  CHAINRULE_MORE_FIELDS(PoolOp, dx, dy, weight)
};
struct TrainablePoolBackwardParametersOp : PoolOp {
  CHAINRULE_MORE_FIELDS(PoolOp, x, dy, raw_weight, raw_bias)
};

// y = R x Cᵀ on each map: R [out_rows][rows], C [out_columns][columns], mostly zeros: begin and end of each
// row's nonzero part, whose values are 1 / (end - begin).
struct AdaptivePoolOp {
  Place x, y, dx, dy;
  int32_t channels, rows, columns, out_rows, out_columns;
  CHAINRULE_FIELDS(channels, rows, columns, out_rows, out_columns)
};
struct AdaptivePoolForwardOp : AdaptivePoolOp {
  CHAINRULE_MORE_FIELDS(AdaptivePoolOp, x, y)
};
struct AdaptivePoolBackwardOp : AdaptivePoolOp {
  CHAINRULE_MORE_FIELDS(AdaptivePoolOp, dx, dy)
};

// y = f(x), dx = dy f'. The derivative is written in y, or else in x.
struct ElementwiseOp {
  Place x, y, dx, dy;
  int64_t elements;
  double slope;
  CHAINRULE_FIELDS(elements)
};
struct ActivationForwardOp : ElementwiseOp {
  CHAINRULE_MORE_FIELDS(ElementwiseOp, x, y)
};
struct ActivationBackwardOp : ElementwiseOp {
  CHAINRULE_MORE_FIELDS(ElementwiseOp, y, dx, dy)
};
struct ActivationBackwardByInputOp : ElementwiseOp {
  CHAINRULE_MORE_FIELDS(ElementwiseOp, x, dx, dy)
};
struct LeakyReluForwardOp : ActivationForwardOp {
  CHAINRULE_MORE_FIELDS(ActivationForwardOp, slope)
};
struct LeakyReluBackwardOp : ActivationBackwardByInputOp {
  CHAINRULE_MORE_FIELDS(ActivationBackwardByInputOp, slope)
};

// Softmax over `classes`, apart for each of `places`; element = class * places + place.
struct SoftmaxOp {
  Place x, y, dx, dy;
  int32_t classes, places;
  CHAINRULE_FIELDS(classes, places)
};
struct SoftmaxForwardOp : SoftmaxOp {
  CHAINRULE_MORE_FIELDS(SoftmaxOp, x, y)
};
struct SoftmaxBackwardOp : SoftmaxOp {
  CHAINRULE_MORE_FIELDS(SoftmaxOp, y, dx, dy)
};

// y = x s^-beta, s_c = k + alpha / size * sum of x² over the channels c - before .. c + after.
struct ResponseNormOp {
  Place x, y, dx, dy, scale;
  int32_t channels, places, size;
  double alpha, beta, k;
  CHAINRULE_FIELDS(x, scale, channels, places, size, alpha, beta, k)
};
struct ResponseNormForwardOp : ResponseNormOp {
  CHAINRULE_MORE_FIELDS(ResponseNormOp, y)
};
struct ResponseNormBackwardOp : ResponseNormOp {
  CHAINRULE_MORE_FIELDS(ResponseNormOp, dx, dy)
};

// Batch normalisation. The statistics are indices into Block::statistics, for each block, and Block::shared,
// finished: two numbers for each channel.
//
//             for each block                      finished
//   forward   mean, sum of squared deviations     mean, 1 / sqrt(var + eps)
//   backward  sum of dy, sum of dy x̂              their means over the batch
struct BatchNormOp {
  Place x, y, dx, dy;
  int32_t channels, places;
  OptionalOffset weight, bias;  // in `parameters`
  int64_t running_mean, running_var;
  int64_t forward_statistics, backward_statistics;
  OptionalOffset raw_weight, raw_bias;  // [channels], written once by the backward finish
  double eps, momentum;
  bool training;
  CHAINRULE_FIELDS(channels, places)
};
struct BatchNormStatisticsOp : BatchNormOp {
  CHAINRULE_MORE_FIELDS(BatchNormOp, x, forward_statistics)
};
struct BatchNormForwardOp : BatchNormOp {
  CHAINRULE_MORE_FIELDS(BatchNormOp, x, y, weight, bias, running_mean, running_var, forward_statistics, eps,
                        training)
};
struct BatchNormBackwardSumsOp : BatchNormOp {
  CHAINRULE_MORE_FIELDS(BatchNormOp, x, dy, running_mean, running_var, forward_statistics,
                        backward_statistics, eps, training)
};
struct BatchNormBackwardInputOp : BatchNormOp {
  CHAINRULE_MORE_FIELDS(BatchNormOp, x, dx, dy, weight, running_mean, running_var, forward_statistics,
                        backward_statistics, eps, training)
};
struct BatchNormFinishForwardOp : BatchNormOp {
  CHAINRULE_MORE_FIELDS(BatchNormOp, running_mean, running_var, forward_statistics, eps, momentum)
};
struct BatchNormFinishBackwardOp : BatchNormOp {
  CHAINRULE_MORE_FIELDS(BatchNormOp, backward_statistics, raw_weight, raw_bias)
};

// y = x * mask, mask 0 or 1 / (1 - p) from Philox4x32-10 with counter (element / 4, sample, step, node), key
// seed.
struct DropoutOp {
  Place x, y, dx, dy, mask;
  int64_t elements;
  double p;
  uint32_t node;
  CHAINRULE_FIELDS(mask, elements, p, node)
};
struct DropoutForwardOp : DropoutOp {
  CHAINRULE_MORE_FIELDS(DropoutOp, x, y)
};
struct DropoutBackwardOp : DropoutOp {
  CHAINRULE_MORE_FIELDS(DropoutOp, dx, dy)
};

// y = sources[0] + sources[1] + ... (sum), or their elements one after another (concat / split).
struct JoinOp {
  Place y;
  const Place* sources;
  const int64_t* elements;  // of each source
  int32_t count;
  CHAINRULE_FIELDS(y, sources, elements, count)
};
struct SumOp : JoinOp {};

// y_o = sum_i (x_i - w_oi)².
struct RbfOp {
  Place x, y, dx, dy;
  int64_t weight, raw_weight;  // [out][in]; raw [out][in][lane]
  int32_t in, out;
  CHAINRULE_FIELDS(x, weight, in, out)
};
struct RbfForwardOp : RbfOp {
  CHAINRULE_MORE_FIELDS(RbfOp, y)
};
struct RbfBackwardInputOp : RbfOp {
  CHAINRULE_MORE_FIELDS(RbfOp, dx, dy)
};
struct RbfBackwardWeightOp : RbfOp {
  CHAINRULE_MORE_FIELDS(RbfOp, dy, raw_weight)
};

enum class LossKind : int32_t {
  kCrossEntropy,
  kCrossEntropyProbabilities,
  kSquared,
  kHalfSquared,
  kAbsolute,
  kHuber,
  kBinary,
  kMap
};
CHAINRULE_NAMES(LossKind, "cross_entropy", "cross_entropy_probabilities", "squared", "half_squared",
                "absolute", "huber", "binary", "map")
enum class Guess : int32_t { kNone, kLargest, kSmallest, kSign };
CHAINRULE_NAMES(Guess, "none", "largest", "smallest", "sign")

// Adds the block's loss, each sample times its weight, all times Block::loss_scale, to its totals and writes
// dL/dx. element = class * places + place. Lanes without a sample get dx = 0 and add nothing.
struct LossOp {
  Place x, dx;
  LossKind kind;
  Guess guess;  // how a class is read off the outputs, to count the right ones against Block::labels
  int32_t classes, places;
  bool weighted;           // each class has numbers of its own in the two lists, which else hold one for all
  const double* weights;   // of a class
  const double* positive;  // kBinary: of the half of a term where the target is 1
  double smoothing;        // cross-entropy: the share of a target that all classes get alike
  double delta;            // kHuber: where the parabola becomes a line
  double rubbish;          // kMap
  bool gradient;
  CHAINRULE_FIELDS(x, dx, kind, guess, classes, places, weighted, weights, positive, smoothing, delta,
                   rubbish, gradient)
};

// Samples of the batch into lanes, and back: element e of lane l is array[sample of lane l][e]. On the way in
// numbers that are not finite are noticed, for Totals::finite.
enum class Source : int32_t { kSame, kBytes };  // numbers of type T, or bytes / 255
struct GatherOp {
  Place x;
  int64_t elements;
  CHAINRULE_FIELDS(x, elements)
};
struct ScatterOp {
  Place x;
  int64_t elements;
  int32_t target;  // index into Block::exports
  CHAINRULE_FIELDS(x, elements, target)
};

// What a block, or a whole batch, adds up to.
struct Totals {
  double loss;
  double correct;  // the weights of the samples, resp. places, that are classified right
  bool finite;     // all numbers of the samples
};

// All that a kernel sees of the world: one block of samples on its way through the plan.
struct Block {
  void* scratch;           // the thread's arena
  void* kept;              // the block's own memory
  const void* parameters;  // natural parameters, then buffers, then packed weights
  void* gradients;         // the raw gradients of the block's shard
  bool fresh;              // this is the first block of its shard
  double* statistics;      // per block: batch-norm sums
  const double* shared;    // finished batch-norm numbers
  const void* inputs;      // the data set's samples, or the batch
  Source source;
  const int64_t* order;   // which sample of `inputs` each place of the batch takes; null: in order
  int64_t first;          // place of lane 0 in the batch
  int32_t lanes;          // of the plan: how many numbers a tensor has for each element
  int32_t used;           // lanes that hold a sample; the others hold zeros
  const void* targets;    // class indices int64 or numbers T, [sample][place] resp. [sample][element]
  const int64_t* labels;  // [sample][place], or null
  const double* weights;  // [sample], or null: 1
  void* const* exports;
  uint64_t seed;
  uint32_t step;
  double loss_scale;  // what a sum over the batch is multiplied by
  Totals* totals;     // the block's own
};

// Every operation with its record: the one list from which enum, table and dispatch are made.
#define CHAINRULE_OPERATIONS(X)                                            \
  X(gather, GatherOp)                                                      \
  X(scatter, ScatterOp)                                                    \
  X(pad, PadOp)                                                            \
  X(convolve, ConvolveOp)                                                  \
  X(convolve_large, LargeConvolveOp)                                       \
  X(weight_gradient, WeightGradientOp)                                     \
  X(channel_gradient, ChannelGradientOp)                                   \
  X(winograd_forward, WinogradForwardOp)                                   \
  X(winograd_backward_input, WinogradBackwardInputOp)                      \
  X(winograd_weight_gradient, WinogradWeightGradientOp)                    \
  X(transpose_input, TransposeInputOp)                                     \
  X(bias_gradient, BiasGradientOp)                                         \
  X(local_forward, LocalForwardOp)                                         \
  X(local_backward_input, LocalBackwardInputOp)                            \
  X(local_backward_parameters, LocalBackwardParametersOp)                  \
  X(max_pool_forward, MaxPoolForwardOp)                                    \
  X(max_pool_backward, MaxPoolBackwardOp)                                  \
  X(weighted_pool_forward, WeightedPoolForwardOp)                          \
  X(weighted_pool_backward, WeightedPoolBackwardOp)                        \
  X(lp_pool_forward, LpPoolForwardOp)                                      \
  X(lp_pool_backward, LpPoolBackwardOp)                                    \
  X(trainable_pool_forward, TrainablePoolForwardOp)                        \
  X(trainable_pool_backward_input, TrainablePoolBackwardInputOp)           \
  X(trainable_pool_backward_parameters, TrainablePoolBackwardParametersOp) \
  X(adaptive_pool_forward, AdaptivePoolForwardOp)                          \
  X(adaptive_pool_backward, AdaptivePoolBackwardOp)                        \
  X(relu_forward, ActivationForwardOp)                                     \
  X(relu_backward, ActivationBackwardOp)                                   \
  X(leaky_relu_forward, LeakyReluForwardOp)                                \
  X(leaky_relu_backward, LeakyReluBackwardOp)                              \
  X(sigmoid_forward, ActivationForwardOp)                                  \
  X(sigmoid_backward, ActivationBackwardOp)                                \
  X(tanh_forward, ActivationForwardOp)                                     \
  X(tanh_backward, ActivationBackwardOp)                                   \
  X(scaled_tanh_forward, ActivationForwardOp)                              \
  X(scaled_tanh_backward, ActivationBackwardOp)                            \
  X(softmax_forward, SoftmaxForwardOp)                                     \
  X(softmax_backward, SoftmaxBackwardOp)                                   \
  X(response_norm_forward, ResponseNormForwardOp)                          \
  X(response_norm_backward, ResponseNormBackwardOp)                        \
  X(batch_norm_statistics, BatchNormStatisticsOp)                          \
  X(batch_norm_forward, BatchNormForwardOp)                                \
  X(batch_norm_backward_sums, BatchNormBackwardSumsOp)                     \
  X(batch_norm_backward_input, BatchNormBackwardInputOp)                   \
  X(dropout_forward, DropoutForwardOp)                                     \
  X(dropout_backward, DropoutBackwardOp)                                   \
  X(sum, SumOp)                                                            \
  X(concat, JoinOp)                                                        \
  X(split, JoinOp)                                                         \
  X(rbf_forward, RbfForwardOp)                                             \
  X(rbf_backward_input, RbfBackwardInputOp)                                \
  X(rbf_backward_weight, RbfBackwardWeightOp)                              \
  X(loss, LossOp)

enum class OpKind : int32_t {
#define CHAINRULE_NAME(name, record) name,
  CHAINRULE_OPERATIONS(CHAINRULE_NAME)
#undef CHAINRULE_NAME
      count_
};

template <OpKind kind>
struct RecordOf;
#define CHAINRULE_RECORD(name, record) \
  template <>                          \
  struct RecordOf<OpKind::name> {      \
    using type = record;               \
  };
CHAINRULE_OPERATIONS(CHAINRULE_RECORD)
#undef CHAINRULE_RECORD

// What ends a step, apart from the blocks. Each works on a range [begin, end) of rows, so that threads can
// share it.

// The raw gradients of all shards become one natural gradient: row = one of `rows` first indices of the
// parameter. kDense: there are no raw gradients; dw[o][c] = sum over blocks and lanes of dy[o] xt[c], which
// the blocks have kept.
enum class RawLayout : int32_t { kLanes, kChannels, kNumbers, kDense };
CHAINRULE_NAMES(RawLayout, "lanes", "channels", "numbers", "dense")
struct FinishOp {
  RawLayout layout;
  int64_t raw, natural;
  int64_t rows, columns;                       // natural [rows][columns]
  int32_t taps_rows, taps_columns, padded_in;  // kChannels: columns = in * taps; raw [row][taps][padded_in]
  bool rotated;                // the taps of each kernel are stored from the last to the first
  const uint8_t* mask;         // [rows][columns / taps] or null: links that exist
  OptionalPlace xt, dy;        // kDense
  int32_t points, point_rows;  // above 0: raw is d(G w) of groups of so many rows
  CHAINRULE_FIELDS(layout, raw, natural, rows, columns, taps_rows, taps_columns, padded_in, rotated, mask, xt,
                   dy, points, point_rows)
};

// A copy of a weight in another order. Natural [groups][out][in][taps] becomes, for the forward pass,
// [groups][in][taps][out], and for the input gradient [groups][out][taps][in]. Rows = groups * out.
struct PackOp {
  int64_t natural, packed;
  int32_t groups, out, in, taps;
  bool backward, rotated;
  const uint8_t* mask;  // [groups * out][in] or null
  int32_t copies;       // above 0: the one natural number is written so many times instead (a shared bias)
  int32_t points, point_taps;  // above 0: G w is packed, of kernels with so many columns
  bool in_registers;           // as winograd_forward in registers reads it
  CHAINRULE_FIELDS(natural, packed, groups, out, in, taps, backward, rotated, mask, copies, points,
                   point_taps, in_registers)
};

enum class UpdateRule : int32_t { kSgd, kAdam, kAdamW, kRmsProp };
CHAINRULE_NAMES(UpdateRule, "sgd", "adam", "adamw", "rmsprop")
constexpr int kMostMemories = 3;  // arrays of the parameters' size that a rule remembers
struct UpdateOp {
  UpdateRule rule;
  bool nesterov, centered;
  double momentum, weight_decay, beta1, beta2, eps;
  CHAINRULE_FIELDS(rule, nesterov, centered, momentum, weight_decay, beta1, beta2, eps)
};

// Named records that are no operations: what follows when all blocks have come to the end of a stage, and
// what ends a step.
#define CHAINRULE_FINISHES(X)                              \
  X(batch_norm_finish_forward, BatchNormFinishForwardOp)   \
  X(batch_norm_finish_backward, BatchNormFinishBackwardOp) \
  X(finish, FinishOp)                                      \
  X(pack, PackOp)                                          \
  X(update, UpdateOp)

// The kernels of one instruction set for one number type and one number of lanes.
struct KernelTable {
  using Run = void (*)(const void* record, const Block& block);
  const char* isa;
  int32_t lanes, number_bytes;
  int32_t channel_vector;  // numbers in the widest vector: what padded_in is a multiple of
  int32_t registers;       // vector registers that the instruction set has
  Run run[static_cast<int>(OpKind::count_)];
  void (*convolve_large)(const LargeConvolveOp& op, const Block* blocks, int32_t count);
  void (*finish)(const FinishOp& op, const void* gradients, int64_t shard_bytes, int32_t shards,
                 void* natural, int64_t begin, int64_t end);
  void (*finish_dense)(const FinishOp& op, const void* kept, int64_t block_bytes, int64_t blocks,
                       void* natural, int64_t begin, int64_t end);
  void (*pack)(const PackOp& op, void* parameters, int64_t begin, int64_t end);
  void (*update)(const UpdateOp& op, void* parameters, const void* gradients, void* const* memories,
                 double rate, int64_t step, int64_t begin, int64_t end);
  bool (*all_finite)(const void* numbers, int64_t begin, int64_t end);
};

}  // namespace chainrule
