// Every loss with its gradient, and the count of right answers.
#pragma once

#include "world.hpp"

namespace losses {

using chainrule::Guess;
using chainrule::LossKind;
using chainrule::LossOp;

struct Answer {
  double loss;
  Sample dx;         // of one place, by class
  double terms = 1;  // how large those are whose difference dx is
};

inline double weight(const LossOp& op, size_t k) { return op.weights[op.weighted ? k : 0]; }

// The loss of one place: outputs x and targets t by class (one-hot for class indices).
inline Answer answer(const LossOp& op, const Sample& x, const Sample& t) {
  const size_t n = x.size();
  Answer a = {0, Sample(n), 1};
  double sum = 0, all = 0, extreme = x[0];
  switch (op.kind) {
    case LossKind::kCrossEntropy:
    case LossKind::kCrossEntropyProbabilities: {
      Sample own = t;
      for (size_t k = 0; k < n; ++k)
        own[k] = weight(op, k) * ((1 - op.smoothing) * t[k] + op.smoothing / double(n));
      for (double v : x) extreme = std::max(extreme, v);
      for (size_t k = 0; k < n; ++k) sum += std::exp(x[k] - extreme), all += own[k];
      for (size_t k = 0; k < n; ++k) {
        a.loss -= own[k] == 0 ? 0 : own[k] * (x[k] - extreme - std::log(sum));
        a.dx[k] = std::exp(x[k] - extreme) / sum * all - own[k];
      }
      a.terms = std::max(1.0, all);
      break;
    }
    case LossKind::kMap:
      for (double v : x) extreme = std::min(extreme, v);
      extreme = std::min(extreme, op.rubbish);
      sum = std::exp(extreme - op.rubbish);
      for (double v : x) sum += std::exp(extreme - v);
      a.loss = std::log(sum) - extreme;
      for (size_t k = 0; k < n; ++k) a.loss += t[k] * x[k], a.dx[k] = t[k] - std::exp(extreme - x[k]) / sum;
      break;
    case LossKind::kBinary:
      for (size_t k = 0; k < n; ++k) {
        const double p = op.positive[op.weighted ? k : 0], rest = std::log1p(std::exp(-std::abs(x[k])));
        a.loss += weight(op, k) *
                  (p * t[k] * (std::max(-x[k], 0.0) + rest) + (1 - t[k]) * (std::max(x[k], 0.0) + rest));
        a.dx[k] = weight(op, k) * ((1 - t[k]) / (1 + std::exp(-x[k])) - p * t[k] / (1 + std::exp(x[k])));
      }
      break;
    case LossKind::kAbsolute:
      for (size_t k = 0; k < n; ++k) {
        a.loss += std::abs(x[k] - t[k]);
        a.dx[k] = x[k] > t[k] ? 1 : x[k] < t[k] ? -1 : 0;
      }
      break;
    case LossKind::kHuber:
      for (size_t k = 0; k < n; ++k) {
        const double d = x[k] - t[k];
        a.loss += std::abs(d) <= op.delta ? d * d / 2 : op.delta * (std::abs(d) - op.delta / 2);
        a.dx[k] = std::abs(d) <= op.delta ? d : d > 0 ? op.delta : -op.delta;
      }
      break;
    default:
      const double factor = op.kind == LossKind::kSquared ? 2 : 1;
      for (size_t k = 0; k < n; ++k) {
        a.loss += (x[k] - t[k]) * (x[k] - t[k]) * factor / 2;
        a.dx[k] = (x[k] - t[k]) * factor;
      }
  }
  return a;
}

inline int64_t guess(Guess kind, const Sample& x) {
  if (kind == Guess::kSign) return x[0] > 0;
  size_t best = 0;
  for (size_t k = 1; k < x.size(); ++k)
    if (kind == Guess::kLargest ? x[k] > x[best] : x[k] < x[best]) best = k;
  return int64_t(best);
}

template <class T, int L>
void one(int used, LossKind kind, Guess guessing, int classes, int places, bool gradient, bool ordered,
         bool weighted) {
  World<T, L> w(used);
  Block& b = w.block;
  const int64_t n = int64_t(classes) * places;
  const bool by_class = kind == LossKind::kCrossEntropy || kind == LossKind::kMap;
  const bool by_number = kind == LossKind::kSquared || kind == LossKind::kHalfSquared ||
                         kind == LossKind::kAbsolute || kind == LossKind::kHuber;
  std::vector<double> factors(2 * classes, 1.0);
  if (weighted && !by_number)
    for (double& factor : factors) factor = uniform(0.5, 2);
  LossOp op = {w.random(n, -6, 6),
               w.empty(n),
               kind,
               guessing,
               classes,
               places,
               weighted && !by_number,
               factors.data(),
               factors.data() + classes,
               weighted ? 0.25 : 0.0,
               0.75,
               1.5,
               gradient};
  b.loss_scale = 0.125;
  if (kind == LossKind::kBinary) w.at(op.x, 0, 0) = 60;  // log(1 + exp(-60)) is no 0
  if (classes > 2) w.at(op.x, 1, 0) = w.at(op.x, 0, 0);

  const int64_t samples = b.first + L + 3;
  std::vector<int64_t> order, labels(samples * places);
  for (int64_t i = 0; i < b.first + used; ++i) order.push_back(int64_t(generator() % samples));
  for (int64_t& label : labels) label = int64_t(generator() % std::max(classes, 2));
  if (classes == 1 && by_class)
    for (int64_t& label : labels) label = 0;
  std::vector<T> numbers(samples * n);
  for (T& number : numbers) number = generator() % 4 == 0 ? T(0) : T(uniform(0, 1));
  // Each array ends with the last sample in use, so that a sanitizer sees a lane that reads too far.
  if (!ordered) labels.resize((b.first + used) * places), numbers.resize((b.first + used) * n);
  labels.shrink_to_fit(), numbers.shrink_to_fit();
  std::vector<double> weights(labels.size() / places);
  for (double& weight : weights) weight = double(generator() % 4);
  if (weighted) b.weights = weights.data();
  b.order = ordered ? order.data() : nullptr;
  b.targets = by_class ? static_cast<const void*>(labels.data()) : numbers.data();
  b.labels = guessing == Guess::kNone ? nullptr : labels.data();
  w.totals.loss = 100;  // the kernel adds
  w.totals.correct = 7;

  operate<OpKind::loss, T, L>(op, b);

  double loss = 100;
  double correct = 7;
  for (int lane = 0; lane < used; ++lane) {
    const int64_t sample = ordered ? order[b.first + lane] : b.first + lane;
    const Sample x = w.sample(op.x, n, lane);
    Sample dx(n);
    double terms = 0;
    for (int p = 0; p < places; ++p) {
      const int64_t label = labels[sample * places + p];
      Sample outputs, targets;
      for (int k = 0; k < classes; ++k) {
        outputs.push_back(x[k * places + p]);
        targets.push_back(by_class ? double(k == label) : double(numbers[sample * n + k * places + p]));
      }
      const Answer a = answer(op, outputs, targets);
      const double own = weighted ? weights[sample] : 1;
      loss += own * b.loss_scale * a.loss;
      for (int k = 0; k < classes; ++k) dx[k * places + p] = own * b.loss_scale * a.dx[k];
      terms = std::max(terms, std::max(own, 1.0) * b.loss_scale * a.terms);
      if (guessing != Guess::kNone && guess(guessing, outputs) == label) correct += own;
    }
    if (gradient) w.expect("loss " + std::to_string(int(kind)) + " dx", op.dx, lane, dx, 32, terms);
  }
  const double epsilon = sizeof(T) == 4 ? 1e-6 : 1e-14;
  if (!(std::abs(w.totals.loss - loss) <= epsilon * std::abs(loss)))
    fail("loss " + std::to_string(int(kind)) + ": " + text(w.totals.loss) + " instead of " + text(loss));
  if (w.totals.correct != correct)
    fail("correct " + std::to_string(int(guessing)) + ": " + std::to_string(w.totals.correct) +
         " instead of " + std::to_string(correct));
  if (gradient) w.expect_idle_zero("loss", op.dx, n);
  w.expect_fences("loss");
}

template <class T, int L>
void run(int used) {
  for (int kind = 0; kind <= int(LossKind::kMap); ++kind)
    for (const auto& shape : {std::pair{10, 1}, std::pair{3, 4}, std::pair{1, 1}})
      for (const bool gradient : {true, false})
        for (const bool ordered : {true, false})
          for (const Guess guessing : {Guess::kNone, Guess::kLargest, Guess::kSmallest, Guess::kSign})
            for (const bool weighted : {false, true})
              if ((guessing != Guess::kSign || shape.first == 1) &&
                  (!weighted || guessing == Guess::kLargest))
                one<T, L>(used, LossKind(kind), guessing, shape.first, shape.second, gradient, ordered,
                          weighted);
}

}  // namespace losses
