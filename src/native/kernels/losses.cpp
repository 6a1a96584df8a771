// Losses and their gradients, and how many samples are classified right. A lane without a sample gets a
// target of nothing and a gradient factor of 0.
//
// Every element is read before the gradient is written to it, so dx may lie where x lies.
#include "lane_sums.hpp"
#include "table.hpp"
#include "vector_math.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Targets that are classes: at each place the right class has the target 1, the others 0.
template <class T>
struct ClassTargets {
  static constexpr int N = kChannelVector<T>;
  const int64_t* labels[N];  // of the lanes with a sample
  int used;

  CHAINRULE_INLINE ClassTargets(const LossOp& op, const Block& b, const void* numbers) : used(b.used) {
    for (int lane = 0; lane < used; ++lane)
      labels[lane] = static_cast<const int64_t*>(numbers) + sample_of(b, lane) * op.places;
  }
  // The class of each lane, -1 where there is no sample.
  CHAINRULE_INLINE IntVec<T, N> classes(int32_t place) const {
    typename Format<T>::Int result[N];
    for (int lane = 0; lane < N; ++lane) result[lane] = -1;
    for (int lane = 0; lane < used; ++lane) result[lane] = typename Format<T>::Int(labels[lane][place]);
    return load_unaligned<typename Format<T>::Int, N>(result);
  }
  CHAINRULE_INLINE auto at_place(int32_t place) const {
    return [right = classes(place)](int32_t k) {
      return right == typename Format<T>::Int(k) ? broadcast_lanes(T(1)) : Lanes<T>{};
    };
  }
};

// Targets that are numbers, one for each element.
template <class T>
struct NumberTargets {
  static constexpr int N = kChannelVector<T>;
  const T* numbers[N];  // of the lanes with a sample
  int64_t places;
  int used;

  CHAINRULE_INLINE NumberTargets(const LossOp& op, const Block& b, const void* targets)
      : places(op.places), used(b.used) {
    for (int lane = 0; lane < used; ++lane)
      numbers[lane] = static_cast<const T*>(targets) + sample_of(b, lane) * op.classes * places;
  }
  CHAINRULE_INLINE Lanes<T> at(int64_t element) const {
    if (used == 1) return load_first(numbers[0] + element, 1);
    T result[N] = {};
    for (int lane = 0; lane < used; ++lane) result[lane] = numbers[lane][element];
    return load_unaligned<T, N>(result);
  }
  CHAINRULE_INLINE auto at_place(int32_t place) const {
    return [this, place](int32_t k) { return at(k * places + place); };
  }
};

// Once, for all losses.
template <class T>
__attribute__((noinline)) Lanes<T> exp_of(Lanes<T> x) {
  return exp<T, kChannelVector<T>>(x);
}
template <class T>
__attribute__((noinline)) Lanes<T> log_of(Lanes<T> x) {
  return log<T, kChannelVector<T>>(x);
}

// The weight of the sample that a lane holds.
CHAINRULE_INLINE double weight_of(const Block& b, int lane) {
  return b.weights == nullptr ? 1.0 : b.weights[sample_of(b, lane)];
}

// The gradient's factor: Block::loss_scale times the sample's weight, or 0 in lanes without a sample.
template <class T>
Lanes<T> gradient_scale(const Block& b) {
  if (b.lanes == 1) {
    const T scale = T(b.loss_scale * weight_of(b, 0));
    return load_first(&scale, 1);
  }
  T scale[kChannelVector<T>] = {};
  for (int lane = 0; lane < b.used; ++lane) scale[lane] = T(b.loss_scale * weight_of(b, lane));
  return load_unaligned<T, kChannelVector<T>>(scale);
}

template <class T>
double weighted_total(const Block& b, const LaneSums<T, kChannelVector<T>>& loss) {
  double total = 0;
  for (int lane = 0; lane < b.used; ++lane) total += weight_of(b, lane) * loss.of(lane);
  return total;
}

// What cross-entropy makes of a target t of class k: c_k ((1 - smoothing) t + smoothing / classes). Not
// inlined, so that it is the same number in both passes, whatever else a multiply-add could take in.
template <class T>
__attribute__((noinline)) Lanes<T> effective_target(const LossOp& op, int32_t k, Lanes<T> t) {
  const T keep = T(1 - op.smoothing), spread = T(op.smoothing / op.classes);
  return (t * keep + spread) * T(op.weights[op.weighted ? k : 0]);
}

// E = -sum t log softmax(x); dx = softmax(x) sum t - t. Between the two passes the exponentials rest in dx.
template <class T, class Targets>
CHAINRULE_INLINE double cross_entropy(const LossOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T* dx = op.gradient ? at<T>(b, op.dx) : nullptr;
  constexpr int N = kChannelVector<T>;
  const int lanes = b.lanes;
  const int64_t stride = int64_t{op.places} * lanes;
  const Vec<T, N> scale = gradient_scale<T>(b), zero = {};
  const Targets targets(op, b, b.targets);
  LaneSums<T, N> loss;
  for (int32_t place = 0; place < op.places; ++place, x += lanes) {
    const auto target = targets.at_place(place);
    Vec<T, N> largest = load_first(x, lanes), exponentials = zero, likelihood = zero, all_targets = zero;
    for (int32_t k = 1; k < op.classes; ++k)
      largest = maximum<T, N>(load_first(x + k * stride, lanes), largest);
    for (int32_t k = 0; k < op.classes; ++k) {
      const Vec<T, N> shifted = load_first(x + k * stride, lanes) - largest, e = exp_of<T>(shifted),
                      t = effective_target<T>(op, k, target(k));
      exponentials += e;
      likelihood += t == T(0) ? zero : t * shifted;  // 0 log 0 is 0
      all_targets += t;
      if (op.gradient) store_first(dx + k * stride, e, lanes);
    }
    loss.add(all_targets * log_of<T>(exponentials) - likelihood);
    if (!op.gradient) continue;
    const Vec<T, N> factor = all_targets / exponentials;
    for (int32_t k = 0; k < op.classes; ++k)
      store_first(
          dx + k * stride,
          (load_first(dx + k * stride, lanes) * factor - effective_target<T>(op, k, target(k))) * scale,
          lanes);
    dx += lanes;
  }
  return weighted_total<T>(b, loss);
}

// LeNet-5's criterion for penalties x: E = x_D + log(exp(-j) + sum exp(-x));
// dx_k = [k = D] - exp(-x_k) / (exp(-j) + sum exp(-x)).
template <class T>
CHAINRULE_INLINE double maximum_a_posteriori(const LossOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T* dx = op.gradient ? at<T>(b, op.dx) : nullptr;
  constexpr int N = kChannelVector<T>;
  const int lanes = b.lanes;
  const int64_t stride = int64_t{op.places} * lanes;
  const Vec<T, N> scale = gradient_scale<T>(b), zero = {}, rubbish = broadcast<T, N>(T(op.rubbish));
  const ClassTargets<T> targets(op, b, b.targets);
  LaneSums<T, N> loss;
  for (int32_t place = 0; place < op.places; ++place, x += lanes) {
    const auto target = targets.at_place(place);
    Vec<T, N> lowest = rubbish, penalty = zero;
    for (int32_t k = 0; k < op.classes; ++k)
      lowest = -maximum<T, N>(-load_first(x + k * stride, lanes), -lowest);
    Vec<T, N> others = exp_of<T>(lowest - rubbish);
    for (int32_t k = 0; k < op.classes; ++k) {
      const Vec<T, N> value = load_first(x + k * stride, lanes), e = exp_of<T>(lowest - value);
      others += e;
      penalty += target(k) == T(0) ? zero : value;
      if (op.gradient) store_first(dx + k * stride, e, lanes);
    }
    loss.add(penalty - lowest + log_of<T>(others));
    if (!op.gradient) continue;
    for (int32_t k = 0; k < op.classes; ++k)
      store_first(dx + k * stride, (target(k) - load_first(dx + k * stride, lanes) / others) * scale, lanes);
    dx += lanes;
  }
  return weighted_total<T>(b, loss);
}

template <class T>
struct Term {
  Lanes<T> loss, gradient;
};

template <class T>
CHAINRULE_INLINE Term<T> squared_term(Lanes<T> x, Lanes<T> t) {
  const Lanes<T> difference = x - t;
  return {difference * difference, difference + difference};
}

template <class T>
CHAINRULE_INLINE Term<T> half_squared_term(Lanes<T> x, Lanes<T> t) {
  const Lanes<T> difference = x - t;
  return {difference * difference * T(0.5), difference};
}

// |d| <= delta: d² / 2, else a line: with the gradient g = d, cut at -delta and delta, both are g (d - g /
// 2).
template <class T>
CHAINRULE_INLINE Term<T> huber_term(Lanes<T> x, Lanes<T> t, T delta) {
  constexpr int N = kChannelVector<T>;
  const Lanes<T> difference = x - t, most = broadcast<T, N>(delta),
                 gradient = -maximum<T, N>(-maximum<T, N>(difference, -most), -most);
  return {gradient * (difference - gradient * T(0.5)), gradient};
}

template <class T>
CHAINRULE_INLINE Term<T> absolute_term(Lanes<T> x, Lanes<T> t) {
  const Lanes<T> difference = x - t, zero = {}, one = broadcast_lanes(T(1));
  return {absolute<T, kChannelVector<T>>(difference), (difference > zero   ? one
                                                       : difference < zero ? -one
                                                                           : difference)};
}

// -positive t log s(x) - (1 - t) log(1 - s(x)), s the sigmoid.
template <class T>
__attribute__((noinline)) Term<T> binary_term(Lanes<T> x, Lanes<T> t, T positive) {
  constexpr int N = kChannelVector<T>;
  const Lanes<T> zero = {}, rest = log1p<T, N>(exp<T, N>(-absolute<T, N>(x))), s = sigmoid<T, N>(x),
                 more = t * (positive - T(1));
  return {maximum<T, N>(x, zero) - x * t + rest + more * (maximum<T, N>(-x, zero) + rest),
          s - t + more * (s - T(1))};
}

template <class T>
CHAINRULE_INLINE Term<T> term(const LossOp& op, Lanes<T> x, Lanes<T> t, int64_t k) {
  switch (op.kind) {
    case LossKind::kSquared:
      return squared_term<T>(x, t);
    case LossKind::kHalfSquared:
      return half_squared_term<T>(x, t);
    case LossKind::kAbsolute:
      return absolute_term<T>(x, t);
    case LossKind::kHuber:
      return huber_term<T>(x, t, T(op.delta));
    default:
      return binary_term<T>(x, t, T(op.positive[k]));
  }
}

// A sum over elements.
template <class T>
CHAINRULE_INLINE double elementwise_loss(const LossOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T* dx = op.gradient ? at<T>(b, op.dx) : nullptr;
  const int lanes = b.lanes;
  const Lanes<T> scale = gradient_scale<T>(b);
  const NumberTargets<T> targets(op, b, b.targets);
  LaneSums<T, kChannelVector<T>> loss;
  for (int64_t i = 0; i < int64_t{op.classes} * op.places; ++i) {
    const Lanes<T> value = load_first(x + i * lanes, lanes), target = targets.at(i);
    const int64_t k = op.weighted ? i / op.places : 0;
    const Term<T> result = term<T>(op, value, target, k);
    const T weight = T(op.weights[k]);
    loss.add(result.loss * weight);
    if (op.gradient) store_first(dx + i * lanes, result.gradient * weight * scale, lanes);
  }
  return weighted_total<T>(b, loss);
}

// The class that the outputs of each lane name at one place: as argmax, the first of equals, and a NaN before
// all.
template <class T>
CHAINRULE_INLINE IntVec<T, kChannelVector<T>> guessed_classes(const LossOp& op, const T* x, int lanes) {
  constexpr int N = kChannelVector<T>;
  const int64_t stride = int64_t{op.places} * lanes;
  if (op.guess == Guess::kSign) return (IntVec<T, N>)(load_first(x, lanes) > T(0)) & 1;
  const T sign = op.guess == Guess::kSmallest ? T(-1) : T(1);
  Vec<T, N> best = load_first(x, lanes) * sign;
  IntVec<T, N> guess = {};
  for (int32_t k = 1; k < op.classes; ++k) {
    const Vec<T, N> value = load_first(x + k * stride, lanes) * sign;
    const auto better = (IntVec<T, N>)((value > best) | ((value != value) & (best == best)));
    best = better ? value : best;
    guess = better ? IntVec<T, N>{} + k : guess;
  }
  return guess;
}

template <class T>
CHAINRULE_INLINE double count_correct(const LossOp& op, const Block& b) {
  constexpr int N = kChannelVector<T>;
  const ClassTargets<T> labels(op, b, b.labels);
  double correct = 0;
  for (int32_t place = 0; place < op.places; ++place) {
    const IntVec<T, N> guess = guessed_classes<T>(op, at<T>(b, op.x) + int64_t{place} * b.lanes, b.lanes);
    const IntVec<T, N> right = (IntVec<T, N>)(guess == labels.classes(place));
    for (int lane = 0; lane < b.used; ++lane)
      if (right[lane] != 0) correct += weight_of(b, lane);
  }
  return correct;
}

template <class T>
void loss(const LossOp& op, const Block& b) {
  if (op.guess != Guess::kNone && b.labels != nullptr) b.totals->correct += count_correct<T>(op, b);
  double total = 0;
  switch (op.kind) {
    case LossKind::kCrossEntropy:
      total = cross_entropy<T, ClassTargets<T>>(op, b);
      break;
    case LossKind::kCrossEntropyProbabilities:
      total = cross_entropy<T, NumberTargets<T>>(op, b);
      break;
    case LossKind::kSquared:
    case LossKind::kHalfSquared:
    case LossKind::kAbsolute:
    case LossKind::kHuber:
    case LossKind::kBinary:
      total = elementwise_loss<T>(op, b);
      break;
    case LossKind::kMap:
      total = maximum_a_posteriori<T>(op, b);
      break;
  }
  b.totals->loss += b.loss_scale * total;
}

template <class T>
void add_losses(KernelTable& table) {
  add<OpKind::loss, loss<T>>(table);
}

#define CHAINRULE_INSTANTIATE(T) template void add_losses<T>(KernelTable&);
CHAINRULE_FOR_TYPES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
