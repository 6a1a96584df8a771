// Pooling by fixed weights and with trained weights. By maximum, by norms and to a given size have files of
// their own.
#include "table.hpp"
#include "windows.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// The sum of a window, in which all places count the same, times a factor; for trained weights each channel
// has its own, and a bias.
template <class T>
struct WindowSum {
  T factor;
  const T *weight, *bias;  // null: the factor for all channels

  CHAINRULE_INLINE Lanes<T> begin() const { return Lanes<T>{}; }
  CHAINRULE_INLINE void take(Lanes<T>& sum, Lanes<T> x, int32_t) const { sum += x; }
  CHAINRULE_INLINE Lanes<T> finish(Lanes<T> sum, int32_t channel) const {
    return weight == nullptr ? sum * factor : sum * weight[channel] + bias[channel];
  }
};

template <class T>
struct WindowShare {
  AnyLanes<T> access;
  const T* dy;
  T factor;
  const T* weight;

  CHAINRULE_INLINE Lanes<T> begin(int64_t output, int32_t channel) const {
    return access.load_at(dy + output * access.lanes) * (weight == nullptr ? factor : weight[channel]);
  }
  CHAINRULE_INLINE Lanes<T> give(Lanes<T> share, int64_t, int32_t) const { return share; }
};

// With a weight for each place.
template <class T>
struct WeightedSum {
  const double* weights;

  CHAINRULE_INLINE Lanes<T> begin() const { return Lanes<T>{}; }
  CHAINRULE_INLINE void take(Lanes<T>& sum, Lanes<T> x, int32_t place) const { sum += x * T(weights[place]); }
  CHAINRULE_INLINE Lanes<T> finish(Lanes<T> sum, int32_t) const { return sum; }
};

template <class T>
struct WeightedShare {
  AnyLanes<T> access;
  const T* dy;
  const double* weights;

  CHAINRULE_INLINE Lanes<T> begin(int64_t output, int32_t) const {
    return access.load_at(dy + output * access.lanes);
  }
  CHAINRULE_INLINE Lanes<T> give(Lanes<T> dy, int64_t, int32_t place) const { return dy * T(weights[place]); }
};

template <class T>
__attribute__((noinline)) void sum_windows(const PoolOp& op, const Block& b, const WindowSum<T>& window) {
  pool_forward<T>(op, b, window);
}

template <class T>
__attribute__((noinline)) void share_among_windows(const PoolOp& op, const Block& b,
                                                   const WindowShare<T>& window) {
  pool_backward<T>(op, b, window);
}

template <class T>
void weighted_pool_forward(const PoolOp& op, const Block& b) {
  if (op.uniform)
    sum_windows<T>(op, b, {T(op.weights[0]), nullptr, nullptr});
  else
    pool_forward<T>(op, b, WeightedSum<T>{op.weights});
}

template <class T>
void weighted_pool_backward(const PoolOp& op, const Block& b) {
  const T* dy = at<T>(b, op.dy);
  if (op.uniform)
    share_among_windows<T>(op, b, {AnyLanes<T>(b), dy, T(op.weights[0]), nullptr});
  else
    pool_backward<T>(op, b, WeightedShare<T>{AnyLanes<T>(b), dy, op.weights});
}

// y = weight * sum + bias, for each map its own.
template <class T>
void trainable_pool_forward(const PoolOp& op, const Block& b) {
  sum_windows<T>(op, b, {T(0), parameters<T>(b, op.weight), parameters<T>(b, op.bias)});
}

template <class T>
void trainable_pool_backward_input(const PoolOp& op, const Block& b) {
  share_among_windows<T>(op, b, {AnyLanes<T>(b), at<T>(b, op.dy), T(0), parameters<T>(b, op.weight)});
}

// dweight = sum dy (sum of the window), dbias = sum dy: each where it is wanted. The sums of the windows are
// made again rather than stored.
template <class T>
void trainable_pool_backward_parameters(const PoolOp& op, const Block& b) {
  const T *map = at<T>(b, op.x), *dy = at<T>(b, op.dy);
  T *raw_weight = gradients<T>(b, op.raw_weight), *raw_bias = gradients<T>(b, op.raw_bias);
  const int lanes = b.lanes;
  for (int32_t channel = 0; channel < op.channels; ++channel, map += int64_t{op.rows} * op.columns * lanes) {
    Lanes<T> weight = {}, bias = {};
    for (int32_t row = 0; row < op.out_rows; ++row) {
      const Span rows = row_span(op, row);
      for (int32_t column = 0; column < op.out_columns; ++column, dy += lanes) {
        Lanes<T> sum = {};
        for_pixels<0>(op, rows, column_span(op, column),
                      [&](int64_t pixel, int32_t) { sum += load_first(map + pixel * lanes, lanes); });
        weight += load_first(dy, lanes) * sum;
        bias += load_first(dy, lanes);
      }
    }
    const auto add_to = [&](T* raw, Lanes<T> sum) {
      if (raw == nullptr) return;
      raw += channel * lanes;
      store_first(raw, load_first(raw, lanes) + sum, lanes);
    };
    add_to(raw_weight, weight), add_to(raw_bias, bias);
  }
}

template <class T>
void add_pooling(KernelTable& table) {
  add<OpKind::weighted_pool_forward, weighted_pool_forward<T>>(table);
  add<OpKind::weighted_pool_backward, weighted_pool_backward<T>>(table);
  add<OpKind::trainable_pool_forward, trainable_pool_forward<T>>(table);
  add<OpKind::trainable_pool_backward_input, trainable_pool_backward_input<T>>(table);
  add<OpKind::trainable_pool_backward_parameters, trainable_pool_backward_parameters<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_pooling<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
