// Batch normalisation, in four passes with a barrier for all blocks after the first and the third: sums are
// left in Block::statistics for each block, and read, finished, from Block::shared.
#include "lane_sums.hpp"
#include "table.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// What normalises a channel: x̂ = (x - mean) * inverse.
struct ChannelNorm {
  double mean, inverse;
};

template <class T>
CHAINRULE_INLINE ChannelNorm channel_norm(const BatchNormOp& op, const Block& b, int32_t channel) {
  if (op.training) {
    const double* finished = b.shared + op.forward_statistics + 2 * int64_t{channel};
    return {finished[0], finished[1]};
  }
  const double variance = parameters<T>(b, op.running_var)[channel];
  return {double(parameters<T>(b, op.running_mean)[channel]), 1 / __builtin_sqrt(variance + op.eps)};
}

template <class T>
CHAINRULE_INLINE double channel_weight(const BatchNormOp& op, const Block& b, int32_t channel) {
  const T* weights = parameters<T>(b, op.weight);
  return weights == nullptr ? 1.0 : double(weights[channel]);
}

// Mean and sum of squared deviations of each channel over the lanes that hold samples. Two passes, the second
// over numbers still in cache, lose nothing where the mean is large.
template <class T>
void batch_norm_statistics(const BatchNormOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  double* statistics = b.statistics + op.forward_statistics;
  const int lanes = b.lanes;
  const int64_t numbers = int64_t{op.places} * lanes;
  for (int32_t channel = 0; channel < op.channels; ++channel, x += numbers) {
    LaneSums<T, kChannelVector<T>> sum, squares;
    for (int64_t i = 0; i < numbers; i += lanes) sum.add(load_first(x + i, lanes));
    const double mean = sum.total(b.used) / (double(op.places) * b.used);
    for (int64_t i = 0; i < numbers; i += lanes) squares.add_square(load_first(x + i, lanes), mean);
    statistics[2 * channel] = mean;
    statistics[2 * channel + 1] = squares.total(b.used);
  }
}

template <class T>
void batch_norm_forward(const BatchNormOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T* y = at<T>(b, op.y);
  const T* biases = parameters<T>(b, op.bias);
  const int lanes = b.lanes;
  const int64_t numbers = int64_t{op.places} * lanes;
  for (int32_t channel = 0; channel < op.channels; ++channel, x += numbers, y += numbers) {
    const ChannelNorm norm = channel_norm<T>(op, b, channel);
    const T mean = T(norm.mean), factor = T(norm.inverse * channel_weight<T>(op, b, channel));
    const T bias = biases == nullptr ? T(0) : biases[channel];
    for_vectors<T>(numbers, [&](int64_t i, int64_t count) {
      store_first(y + i, (load_first(x + i, count) - mean) * factor + bias, count);
    });
  }
}

// sum dy and sum dy x̂ of each channel: the gradients of bias and weight, and parts of the input
// gradient.
template <class T>
void batch_norm_backward_sums(const BatchNormOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy);
  double* statistics = b.statistics + op.backward_statistics;
  const int lanes = b.lanes;
  const int64_t numbers = int64_t{op.places} * lanes;
  for (int32_t channel = 0; channel < op.channels; ++channel, x += numbers, dy += numbers) {
    const ChannelNorm norm = channel_norm<T>(op, b, channel);
    LaneSums<T, kChannelVector<T>> sum, products;
    for (int64_t i = 0; i < numbers; i += lanes) {
      const Lanes<T> gradient = load_first(dy + i, lanes);
      sum.add(gradient);
      products.add_moment(gradient, load_first(x + i, lanes), norm.mean);
    }
    statistics[2 * channel] = sum.total(b.used);
    statistics[2 * channel + 1] = products.total(b.used) * norm.inverse;
  }
}

// Training: dx = w / deviation (dy - mean(dy) - x̂ mean(dy x̂)), for every x moves the mean and the variance
// too. With running statistics: dx = w / deviation dy.
template <class T>
void batch_norm_backward_input(const BatchNormOp& op, const Block& b) {
  const T *x = at<T>(b, op.x), *dy = at<T>(b, op.dy);
  T* dx = at<T>(b, op.dx);
  const int lanes = b.lanes;
  const int64_t numbers = int64_t{op.places} * lanes;
  for (int32_t channel = 0; channel < op.channels; ++channel, x += numbers, dy += numbers, dx += numbers) {
    const ChannelNorm norm = channel_norm<T>(op, b, channel);
    const double factor = norm.inverse * channel_weight<T>(op, b, channel);
    if (!op.training) {
      for (int64_t i = 0; i < numbers; ++i) dx[i] = dy[i] * T(factor);
      continue;
    }
    const double* means = b.shared + op.backward_statistics + 2 * int64_t{channel};
    Lanes<T> sample_factor = {};  // 0 in lanes without a sample
    for (int lane = 0; lane < b.used; ++lane) sample_factor[lane] = T(factor);
    const T mean = T(norm.mean), mean_dy = T(means[0]), slope = T(means[1] * norm.inverse);
    for (int64_t i = 0; i < numbers; i += lanes) {
      const Lanes<T> deviation = load_first(x + i, lanes) - mean;
      store_first(dx + i, (load_first(dy + i, lanes) - mean_dy - deviation * slope) * sample_factor, lanes);
    }
  }
}

template <class T>
void add_batch_norm(KernelTable& table) {
  add<OpKind::batch_norm_statistics, batch_norm_statistics<T>>(table);
  add<OpKind::batch_norm_forward, batch_norm_forward<T>>(table);
  add<OpKind::batch_norm_backward_sums, batch_norm_backward_sums<T>>(table);
  add<OpKind::batch_norm_backward_input, batch_norm_backward_input<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_batch_norm<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
