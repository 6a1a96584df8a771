// Losses and their gradients, and how many samples are classified right. A lane without a sample gets a
// target of nothing and a gradient factor of 0.
//
// Every element is read before the gradient is written to it, so dx may lie where x lies.
#pragma once

#include "common.hpp"
#include "lane_sums.hpp"
#include "vector_math.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

// Targets that are classes: at each place the right class has the target 1, the others 0.
template <class T, int L>
struct ClassTargets {
  const int64_t* labels[L] = {};  // null in lanes without a sample

  CHAINRULE_INLINE ClassTargets(const LossOp& op, const Block& b, const void* numbers) {
    for (int lane = 0; lane < b.used; ++lane)
      labels[lane] = static_cast<const int64_t*>(numbers) + sample_of(b, lane) * op.places;
  }
  // The class of each lane, -1 where there is no sample.
  CHAINRULE_INLINE IntVec<T, L> classes(int32_t place) const {
    IntVec<T, L> result;
    for (int lane = 0; lane < L; ++lane)
      result[lane] = static_cast<typename Format<T>::Int>(labels[lane] == nullptr ? -1 : labels[lane][place]);
    return result;
  }
  CHAINRULE_INLINE auto at_place(int32_t place) const {
    return [right = classes(place)](int32_t k) {
      return right == typename Format<T>::Int(k) ? broadcast<T, L>(1) : Vec<T, L>{};
    };
  }
};

// Targets that are numbers, one for each element.
template <class T, int L>
struct NumberTargets {
  const T* numbers[L] = {};  // null in lanes without a sample
  int64_t places;

  CHAINRULE_INLINE NumberTargets(const LossOp& op, const Block& b, const void* targets) : places(op.places) {
    for (int lane = 0; lane < b.used; ++lane)
      numbers[lane] = static_cast<const T*>(targets) + sample_of(b, lane) * op.classes * places;
  }
  CHAINRULE_INLINE Vec<T, L> at(int64_t element) const {
    Vec<T, L> result;
    for (int lane = 0; lane < L; ++lane) result[lane] = numbers[lane] == nullptr ? 0 : numbers[lane][element];
    return result;
  }
  CHAINRULE_INLINE auto at_place(int32_t place) const {
    return [this, place](int32_t k) { return at(k * places + place); };
  }
};

// The gradient's factor: op.scale, or 0 in lanes without a sample.
template <class T, int L>
CHAINRULE_INLINE Vec<T, L> gradient_scale(const LossOp& op, const Block& b) {
  Vec<T, L> scale = {};
  for (int lane = 0; lane < b.used; ++lane) scale[lane] = T(op.scale);
  return scale;
}

// E = -sum t log softmax(x); dx = softmax(x) sum t - t. Between the two passes the exponentials rest in dx.
template <class T, int L, class Targets>
CHAINRULE_INLINE double cross_entropy(const LossOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T* dx = op.gradient ? at<T>(b, op.dx) : nullptr;
  const int64_t stride = int64_t{op.places} * L;
  const Vec<T, L> scale = gradient_scale<T, L>(op, b), zero = {};
  const Targets targets(op, b, b.targets);
  LaneSums<T, L> loss;
  for (int32_t place = 0; place < op.places; ++place, x += L) {
    const auto target = targets.at_place(place);
    Vec<T, L> largest = load<T, L>(x), exponentials = zero, likelihood = zero, all_targets = zero;
    for (int32_t k = 1; k < op.classes; ++k) largest = maximum<T, L>(load<T, L>(x + k * stride), largest);
    for (int32_t k = 0; k < op.classes; ++k) {
      const Vec<T, L> shifted = load<T, L>(x + k * stride) - largest, e = exp<T, L>(shifted), t = target(k);
      exponentials += e;
      likelihood += t == T(0) ? zero : t * shifted;  // 0 log 0 is 0
      all_targets += t;
      if (op.gradient) store<T, L>(dx + k * stride, e);
    }
    loss.add(all_targets * log<T, L>(exponentials) - likelihood);
    if (!op.gradient) continue;
    const Vec<T, L> factor = all_targets / exponentials;
    for (int32_t k = 0; k < op.classes; ++k)
      store<T, L>(dx + k * stride, (load<T, L>(dx + k * stride) * factor - target(k)) * scale);
    dx += L;
  }
  return loss.total(b.used);
}

// LeNet-5's criterion for penalties x: E = x_D + log(exp(-j) + sum exp(-x));
// dx_k = [k = D] - exp(-x_k) / (exp(-j) + sum exp(-x)).
template <class T, int L>
CHAINRULE_INLINE double maximum_a_posteriori(const LossOp& op, const Block& b) {
  const T* x = at<T>(b, op.x);
  T* dx = op.gradient ? at<T>(b, op.dx) : nullptr;
  const int64_t stride = int64_t{op.places} * L;
  const Vec<T, L> scale = gradient_scale<T, L>(op, b), zero = {}, rubbish = broadcast<T, L>(T(op.rubbish));
  const ClassTargets<T, L> targets(op, b, b.targets);
  LaneSums<T, L> loss;
  for (int32_t place = 0; place < op.places; ++place, x += L) {
    const auto target = targets.at_place(place);
    Vec<T, L> lowest = rubbish, penalty = zero;
    for (int32_t k = 0; k < op.classes; ++k) lowest = -maximum<T, L>(-load<T, L>(x + k * stride), -lowest);
    Vec<T, L> others = exp<T, L>(lowest - rubbish);
    for (int32_t k = 0; k < op.classes; ++k) {
      const Vec<T, L> value = load<T, L>(x + k * stride), e = exp<T, L>(lowest - value);
      others += e;
      penalty += target(k) == T(0) ? zero : value;
      if (op.gradient) store<T, L>(dx + k * stride, e);
    }
    loss.add(penalty - lowest + log<T, L>(others));
    if (!op.gradient) continue;
    for (int32_t k = 0; k < op.classes; ++k)
      store<T, L>(dx + k * stride, (target(k) - load<T, L>(dx + k * stride) / others) * scale);
    dx += L;
  }
  return loss.total(b.used);
}

template <class T, int L>
struct Term {
  Vec<T, L> loss, gradient;
};

// A sum over elements: `term` makes one element's loss and gradient of x and its target.
template <class T, int L, class F>
CHAINRULE_INLINE double elementwise_loss(const LossOp& op, const Block& b, F term) {
  const T* x = at<T>(b, op.x);
  T* dx = op.gradient ? at<T>(b, op.dx) : nullptr;
  const Vec<T, L> scale = gradient_scale<T, L>(op, b);
  const NumberTargets<T, L> targets(op, b, b.targets);
  LaneSums<T, L> loss;
  for (int64_t i = 0; i < int64_t{op.classes} * op.places; ++i) {
    const Term<T, L> result = term(load<T, L>(x + i * L), targets.at(i));
    loss.add(result.loss);
    if (op.gradient) store<T, L>(dx + i * L, result.gradient * scale);
  }
  return loss.total(b.used);
}

template <class T, int L>
CHAINRULE_INLINE Term<T, L> squared_term(Vec<T, L> x, Vec<T, L> t) {
  const Vec<T, L> difference = x - t;
  return {difference * difference, difference + difference};
}

template <class T, int L>
CHAINRULE_INLINE Term<T, L> half_squared_term(Vec<T, L> x, Vec<T, L> t) {
  const Vec<T, L> difference = x - t;
  return {difference * difference * T(0.5), difference};
}

template <class T, int L>
CHAINRULE_INLINE Term<T, L> binary_term(Vec<T, L> x, Vec<T, L> t) {
  const Vec<T, L> decay = exp<T, L>(-absolute<T, L>(x));
  return {maximum<T, L>(x, Vec<T, L>{}) - x * t + log1p<T, L>(decay), sigmoid<T, L>(x) - t};
}

// The class that the outputs of each lane name at one place: as argmax, the first of equals, and a NaN before
// all.
template <class T, int L>
CHAINRULE_INLINE IntVec<T, L> guessed_classes(const LossOp& op, const T* x) {
  const int64_t stride = int64_t{op.places} * L;
  if (op.guess == Guess::kSign) return (IntVec<T, L>)(load<T, L>(x) > T(0)) & 1;
  const T sign = op.guess == Guess::kSmallest ? T(-1) : T(1);
  Vec<T, L> best = load<T, L>(x) * sign;
  IntVec<T, L> guess = {};
  for (int32_t k = 1; k < op.classes; ++k) {
    const Vec<T, L> value = load<T, L>(x + k * stride) * sign;
    const auto better = (IntVec<T, L>)((value > best) | ((value != value) & (best == best)));
    best = better ? value : best;
    guess = better ? IntVec<T, L>{} + k : guess;
  }
  return guess;
}

template <class T, int L>
CHAINRULE_INLINE int64_t count_correct(const LossOp& op, const Block& b) {
  const ClassTargets<T, L> labels(op, b, b.labels);
  int64_t correct = 0;
  for (int32_t place = 0; place < op.places; ++place) {
    const IntVec<T, L> guess = guessed_classes<T, L>(op, at<T>(b, op.x) + int64_t{place} * L);
    const IntVec<T, L> right = (IntVec<T, L>)(guess == labels.classes(place));
    for (int lane = 0; lane < L; ++lane) correct -= right[lane];  // true is -1
  }
  return correct;
}

template <class T, int L>
void loss(const LossOp& op, const Block& b) {
  if (op.guess != Guess::kNone && b.labels != nullptr) b.totals->correct += count_correct<T, L>(op, b);
  double total = 0;
  switch (op.kind) {
    case LossKind::kCrossEntropy:
      total = cross_entropy<T, L, ClassTargets<T, L>>(op, b);
      break;
    case LossKind::kCrossEntropyProbabilities:
      total = cross_entropy<T, L, NumberTargets<T, L>>(op, b);
      break;
    case LossKind::kSquared:
      total = elementwise_loss<T, L>(op, b, squared_term<T, L>);
      break;
    case LossKind::kHalfSquared:
      total = elementwise_loss<T, L>(op, b, half_squared_term<T, L>);
      break;
    case LossKind::kBinary:
      total = elementwise_loss<T, L>(op, b, binary_term<T, L>);
      break;
    case LossKind::kMap:
      total = maximum_a_posteriori<T, L>(op, b);
      break;
  }
  b.totals->loss += op.scale * total;
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
