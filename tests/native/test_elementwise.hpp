// Activations, softmax, dropout, joins.
#pragma once

#include "world.hpp"

namespace elementwise {

using chainrule::ElementwiseOp;

template <class T, int L>
struct Activation {
  const char* name;
  void (*forward)(const ElementwiseOp&, const Block&);
  void (*backward)(const ElementwiseOp&, const Block&);
  double (*value)(double x);
  double (*slope)(double x, double y);
};

constexpr double kSlope = 0.3;

// Operations on single numbers: forward and backward of each activation.
#define CHAINRULE_IS_ELEMENTWISE(name, record) +std::is_base_of_v<ElementwiseOp, chainrule::record>
constexpr int kElementwise = 0 CHAINRULE_OPERATIONS(CHAINRULE_IS_ELEMENTWISE);
#undef CHAINRULE_IS_ELEMENTWISE

template <class T, int L>
void activations(int used) {
  const Activation<T, L> all[] = {
      {"relu", operate<OpKind::relu_forward, T, L>, operate<OpKind::relu_backward, T, L>,
       [](double x) { return x < 0 ? 0 : x; }, [](double, double y) { return y > 0 ? 1.0 : 0.0; }},
      {"leaky_relu", operate<OpKind::leaky_relu_forward, T, L>, operate<OpKind::leaky_relu_backward, T, L>,
       [](double x) { return x > 0 ? x : x * kSlope; },
       [](double x, double) { return x > 0 ? 1.0 : kSlope; }},
      {"sigmoid", operate<OpKind::sigmoid_forward, T, L>, operate<OpKind::sigmoid_backward, T, L>,
       [](double x) { return 1 / (1 + std::exp(-x)); }, [](double, double y) { return y * (1 - y); }},
      {"tanh", operate<OpKind::tanh_forward, T, L>, operate<OpKind::tanh_backward, T, L>,
       [](double x) { return std::tanh(x); }, [](double, double y) { return 1 - y * y; }},
      {"scaled_tanh", operate<OpKind::scaled_tanh_forward, T, L>, operate<OpKind::scaled_tanh_backward, T, L>,
       [](double x) { return 1.7159 * std::tanh(2.0 / 3 * x); },
       [](double, double y) { return 2.0 / 3 * (1.7159 - y * y / 1.7159); }},
  };
  static_assert(2 * std::size(all) == kElementwise, "each activation has a row here");
  constexpr int64_t n = 37;
  for (const auto& f : all)
    for (const bool in_place : {false, true}) {
      World<T, L> w(used);
      const Place x = w.random(n, -4, 4), dy = w.gradient(n);
      w.at(x, 3, 0) = 0;
      w.at(x, 4, 0) = T(NAN);
      w.at(x, 5, 0) = T(INFINITY);
      std::vector<Sample> xs, dys;
      for (int lane = 0; lane < L; ++lane)
        xs.push_back(w.sample(x, n, lane)), dys.push_back(w.sample(dy, n, lane));
      ElementwiseOp op = {x, in_place ? x : w.empty(n), in_place ? dy : w.empty(n), dy, n, kSlope};
      f.forward(op, w.block);
      if (in_place) op.x = w.empty(n);
      for (int64_t e = 0; e < n && in_place; ++e)  // for derivatives that are written in x
        for (int lane = 0; lane < L; ++lane) w.at(op.x, e, lane) = T(xs[lane][e]);
      for (int lane = 0; lane < used; ++lane) {
        Sample y(n);
        for (int64_t e = 0; e < n; ++e) y[e] = f.value(xs[lane][e]);
        w.expect(std::string(f.name) + " y", op.y, lane, y);
      }
      w.expect_idle_finite(f.name, op.y, n);
      std::vector<Sample> ys;
      for (int lane = 0; lane < L; ++lane) ys.push_back(w.sample(op.y, n, lane));
      f.backward(op, w.block);
      for (int lane = 0; lane < used; ++lane) {
        Sample dx(n);
        for (int64_t e = 0; e < n; ++e) dx[e] = dys[lane][e] * f.slope(xs[lane][e], ys[lane][e]);
        w.expect(std::string(f.name) + " dx", op.dx, lane, dx);
      }
      w.expect_idle_zero(f.name, op.dx, n);
      w.expect_fences(f.name);
    }
}

template <class T, int L>
void softmax(int used) {
  const int classes = 7, places = 3;
  constexpr int64_t n = 21;
  for (const double range : {3.0, 300.0}) {
    World<T, L> w(used);
    const chainrule::SoftmaxOp op = {
        w.random(n, -range, range), w.empty(n), w.empty(n), w.gradient(n), classes, places};
    operate<OpKind::softmax_forward, T, L>(op, w.block);
    operate<OpKind::softmax_backward, T, L>(op, w.block);
    for (int lane = 0; lane < used; ++lane) {
      const Sample x = w.sample(op.x, n, lane), dy = w.sample(op.dy, n, lane);
      Sample y(n), dx(n);
      for (int p = 0; p < places; ++p) {
        double largest = -INFINITY, sum = 0, product = 0;
        for (int k = 0; k < classes; ++k) largest = std::max(largest, x[k * places + p]);
        for (int k = 0; k < classes; ++k) sum += std::exp(x[k * places + p] - largest);
        for (int k = 0; k < classes; ++k) y[k * places + p] = std::exp(x[k * places + p] - largest) / sum;
        for (int k = 0; k < classes; ++k) product += dy[k * places + p] * y[k * places + p];
        for (int k = 0; k < classes; ++k)
          dx[k * places + p] = y[k * places + p] * (dy[k * places + p] - product);
      }
      w.expect("softmax y", op.y, lane, y, 64);
      w.expect("softmax dx", op.dx, lane, dx, 64, 1);
    }
    w.expect_idle_zero("softmax", op.dx, n);
    w.expect_fences("softmax");
  }
}

// The generator in 64-bit arithmetic, one word at a time.
inline uint32_t philox_word(uint64_t element, uint32_t sample, uint32_t step, uint32_t node, uint64_t seed) {
  uint32_t c[4] = {uint32_t(element / 4), sample, step, node}, k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9, k1 += 0xBB67AE85) {
    const uint64_t p0 = c[0] * uint64_t{0xD2511F53}, p1 = c[2] * uint64_t{0xCD9E8D57};
    const uint32_t next[4] = {uint32_t(p1 >> 32) ^ c[1] ^ k0, uint32_t(p1), uint32_t(p0 >> 32) ^ c[3] ^ k1,
                              uint32_t(p0)};
    std::memcpy(c, next, sizeof c);
  }
  return c[element % 4];
}

template <class T, int L>
void dropout(int used) {
  constexpr int64_t n = 39;
  const uint64_t seed = 0x123456789abcdef1;
  const double at_a_word =
      philox_word(7, 5, 77, 4, seed) * 0x1p-32;  // element 7 of the first sample is just kept
  for (const double p : {0.0, 0.3, 0.5, at_a_word, 1.0 - 1e-12, 1.0}) {
    World<T, L> w(used);
    w.block.seed = seed;
    w.block.step = 77;
    const Place x = w.random(n), dy = w.gradient(n);
    const chainrule::DropoutOp op = {x, w.empty(n), w.empty(n), dy, w.empty(n), n, p, 4};
    w.at(x, 0, 0) = T(INFINITY);
    operate<OpKind::dropout_forward, T, L>(op, w.block);
    operate<OpKind::dropout_backward, T, L>(op, w.block);
    for (int lane = 0; lane < used; ++lane) {
      const Sample value = w.sample(x, n, lane), gradient = w.sample(dy, n, lane);
      Sample y(n), dx(n);
      for (int64_t e = 0; e < n; ++e) {
        const uint32_t word = philox_word(e, uint32_t(w.block.first + lane), 77, 4, seed);
        const bool kept = double(word) >= std::nearbyint(p * 0x1p32);
        y[e] = kept ? value[e] * (1 / (1 - p)) : 0;
        dx[e] = kept ? gradient[e] * (1 / (1 - p)) : 0;
      }
      w.expect("dropout y", op.y, lane, y);
      w.expect("dropout dx", op.dx, lane, dx);
    }
    w.expect_idle_zero("dropout", op.dx, n);
    w.expect_fences("dropout");
  }
}

template <class T, int L>
void joins(int used) {
  World<T, L> w(used);
  const int64_t sizes[] = {5, 9, 1}, same[] = {9, 9, 9};
  const Place parts[] = {w.random(5), w.random(9), w.random(1)},
              equals[] = {w.random(9), parts[1], w.random(9)};
  const Place back[] = {w.empty(5), w.empty(9), w.empty(1)};
  const Place whole = w.empty(15), total = w.empty(9);
  operate<OpKind::concat, T, L>(chainrule::JoinOp{whole, parts, sizes, 3}, w.block);
  operate<OpKind::split, T, L>(chainrule::JoinOp{whole, back, sizes, 3}, w.block);
  operate<OpKind::sum, T, L>(chainrule::JoinOp{total, equals, same, 3}, w.block);
  for (int lane = 0; lane < used; ++lane) {
    Sample joined, added(9);
    for (int k = 0; k < 3; ++k) {
      const Sample part = w.sample(parts[k], sizes[k], lane), equal = w.sample(equals[k], 9, lane);
      joined.insert(joined.end(), part.begin(), part.end());
      w.expect("split", back[k], lane, part);
      for (int e = 0; e < 9; ++e) added[e] += equal[e];
    }
    w.expect("concat", whole, lane, joined);
    w.expect("sum", total, lane, added);
  }
  const Sample before = w.sample(total, 9, 0);
  operate<OpKind::sum, T, L>(chainrule::JoinOp{equals[2], equals, same, 3},
                             w.block);  // into one of its sources
  w.expect("sum in place", equals[2], 0, before);
  w.expect_fences("joins");
}

}  // namespace elementwise
