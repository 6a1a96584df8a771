// Every kind of pooling against loops over padded windows.
#pragma once

#include "world.hpp"

namespace pooling {

using chainrule::PoolOp;

struct Shape {
  int rows, columns, kernel_rows, kernel_columns, stride_rows, stride_columns, top, bottom, left, right;
};

inline const Shape kShapes[] = {
    {6, 8, 2, 2, 2, 2, 0, 0, 0, 0},  // tiles the map
    {7, 9, 2, 2, 2, 2, 0, 0, 0, 0},  // leaves a row and a column over
    {8, 7, 2, 2, 3, 4, 0, 0, 0, 0},  // gaps between windows
    {7, 7, 3, 3, 2, 2, 0, 0, 0, 0},  // overlapping
    {9, 7, 3, 3, 3, 3, 0, 0, 0, 0},  // 3x3 tiles
    {5, 6, 3, 2, 1, 2, 1, 1, 1, 0},  // uneven everything
    {6, 6, 3, 3, 3, 3, 1, 1, 1, 1},  // partly outside, apart
    {5, 5, 2, 2, 2, 2, 1, 1, 1, 1},  // 2x2 partly outside
    {3, 3, 2, 2, 2, 2, 0, 1, 0, 1},  // outside at the far ends only
    {4, 5, 4, 5, 4, 5, 0, 0, 0, 0},  // the whole map
    {1, 1, 1, 1, 1, 1, 0, 0, 0, 0},
};

inline int output_size(int size, int kernel, int stride, int padding) {
  return (size + padding - kernel) / stride + 1;
}

// One pixel of a window: where it lies in the map (-1: outside), and where in the window.
struct Pixel {
  int64_t index;
  int place;
};

inline std::vector<Pixel> window(const PoolOp& op, int row, int column) {
  std::vector<Pixel> pixels;
  for (int i = 0; i < op.kernel_rows; ++i)
    for (int j = 0; j < op.kernel_columns; ++j) {
      const int r = row * op.stride_rows + i - op.top, c = column * op.stride_columns + j - op.left;
      const bool inside = r >= 0 && r < op.rows && c >= 0 && c < op.columns;
      pixels.push_back({inside ? int64_t(r) * op.columns + c : -1, i * op.kernel_columns + j});
    }
  return pixels;
}

constexpr int kChannels = 3;

template <class T, int L>
PoolOp make(World<T, L>& w, const Shape& s) {
  PoolOp op = {};
  op.channels = kChannels;
  op.rows = s.rows, op.columns = s.columns;
  op.kernel_rows = s.kernel_rows, op.kernel_columns = s.kernel_columns;
  op.stride_rows = s.stride_rows, op.stride_columns = s.stride_columns;
  op.top = s.top, op.left = s.left;
  op.out_rows = output_size(s.rows, s.kernel_rows, s.stride_rows, s.top + s.bottom);
  op.out_columns = output_size(s.columns, s.kernel_columns, s.stride_columns, s.left + s.right);
  const int64_t inputs = int64_t(kChannels) * s.rows * s.columns,
                outputs = int64_t(kChannels) * op.out_rows * op.out_columns;
  op.x = w.random(inputs), op.dx = w.empty(inputs);
  op.y = w.empty(outputs), op.dy = w.gradient(outputs);
  return op;
}

// y and dx of one window: `f(pixels, x of the map, dy, channel, dx of the map to add to)` gives y.
template <class T, int L, class F>
void compare(const std::string& name, World<T, L>& w, const PoolOp& op, F f, double tolerance = 64) {
  const int64_t pixels = int64_t(op.rows) * op.columns, places = int64_t(op.out_rows) * op.out_columns;
  for (int lane = 0; lane < w.used(); ++lane) {
    const Sample x = w.sample(op.x, kChannels * pixels, lane), dy = w.sample(op.dy, kChannels * places, lane);
    Sample y(kChannels * places), dx(kChannels * pixels);
    for (int channel = 0; channel < kChannels; ++channel)
      for (int row = 0; row < op.out_rows; ++row)
        for (int column = 0; column < op.out_columns; ++column) {
          const int64_t o = channel * places + row * op.out_columns + column;
          y[o] = f(window(op, row, column), &x[channel * pixels], dy[o], channel, &dx[channel * pixels]);
        }
    w.expect(name + " y", op.y, lane, y, tolerance, 1);
    w.expect(name + " dx", op.dx, lane, dx, tolerance, 1);
  }
  w.expect_idle_zero(name, op.dx, kChannels * pixels);
  w.expect_idle_finite(name, op.y, kChannels * places);
  w.expect_fences(name);
}

template <class T, int L>
void max(int used) {
  for (const Shape& shape : kShapes)
    for (const bool strange : {false, true}) {
      World<T, L> w(used);
      const PoolOp op = make(w, shape);
      for (int64_t e = 0; e < int64_t(kChannels) * op.rows * op.columns; ++e)
        for (int lane = 0; lane < used && strange; ++lane) {  // ties, and now and then a NaN
          w.at(op.x, e, lane) = T(generator() % 3);
          if (generator() % 8 == 0) w.at(op.x, e, lane) = T(NAN);
        }
      operate<OpKind::max_pool_forward, T, L>(op, w.block);
      operate<OpKind::max_pool_backward, T, L>(op, w.block);
      compare("max_pool", w, op, [](const auto& pixels, const double* x, double dy, int, double* dx) {
        int64_t winner = -1;
        for (const Pixel& pixel : pixels) {
          if (pixel.index < 0) continue;
          const bool first = winner < 0;
          if (first || (!std::isnan(x[winner]) && (std::isnan(x[pixel.index]) || x[pixel.index] > x[winner])))
            winner = pixel.index;
        }
        dx[winner] += dy;
        return x[winner];
      });
    }
}

template <class T, int L>
void weighted(int used) {
  for (const Shape& shape : kShapes)
    for (const bool equal : {false, true}) {
      World<T, L> w(used);
      PoolOp op = make(w, shape);
      std::vector<double> weights(op.kernel_rows * op.kernel_columns, 0.375);
      for (double& weight : weights)
        if (!equal) weight = double(T(uniform(0, 1)));
      op.weights = weights.data(), op.uniform = equal;
      operate<OpKind::weighted_pool_forward, T, L>(op, w.block);
      operate<OpKind::weighted_pool_backward, T, L>(op, w.block);
      compare("weighted_pool", w, op, [&](const auto& pixels, const double* x, double dy, int, double* dx) {
        double y = 0;
        for (const Pixel& pixel : pixels) {
          if (pixel.index < 0) continue;
          y += weights[pixel.place] * x[pixel.index];
          dx[pixel.index] += weights[pixel.place] * dy;
        }
        return y;
      });
    }
}

template <class T, int L>
void norm(int used) {
  for (const Shape& shape : kShapes)
    for (const double p : {1.0, 2.0, 3.0, 4.0, 1.5, 2.7}) {
      World<T, L> w(used);
      PoolOp op = make(w, shape);
      op.norm = p;
      // Sums of odd powers lose their digits near 0, so those are positive; a window of zeros is a case of
      // its own.
      for (int64_t e = 0; e < int64_t(kChannels) * op.rows * op.columns; ++e)
        for (int lane = 0; lane < used; ++lane) {
          if (p == 3) w.at(op.x, e, lane) = std::abs(w.at(op.x, e, lane));
          if (e < int64_t(op.rows) * op.columns) w.at(op.x, e, lane) = 0;
          if (p == 3 && e >= 2 * int64_t(op.rows) * op.columns) w.at(op.x, e, lane) *= -1;
        }
      operate<OpKind::lp_pool_forward, T, L>(op, w.block);
      operate<OpKind::lp_pool_backward, T, L>(op, w.block);
      const auto power = [](double x, double exponent) {
        return exponent == std::floor(exponent) ? std::pow(x, exponent) : std::pow(std::abs(x), exponent);
      };
      compare(
          "lp_pool", w, op,
          [&](const auto& pixels, const double* x, double dy, int, double* dx) {
            double sum = 0;
            for (const Pixel& pixel : pixels)
              if (pixel.index >= 0) sum += power(x[pixel.index], p);
            const double y = std::copysign(std::pow(std::abs(sum), 1 / p), sum);
            for (const Pixel& pixel : pixels) {
              if (pixel.index < 0) continue;
              const double ratio = x[pixel.index] / (y == 0 ? 1 : y);
              const double slope = p == std::floor(p)
                                       ? std::pow(ratio, p - 1)
                                       : std::copysign(std::pow(std::abs(ratio), p - 1), ratio);
              dx[pixel.index] += p == 1 ? dy : y == 0 ? 0 : dy * slope;
            }
            return y;
          },
          400);
    }
}

template <class T, int L>
void trainable(int used) {
  for (const Shape& shape : kShapes) {
    World<T, L> w(used);
    PoolOp op = make(w, shape);
    const int64_t weight = w.natural(kChannels), bias = w.natural(kChannels);
    op.weight = weight, op.bias = bias;
    const Place raw_weight = w.random(kChannels, 0, 0, 0), raw_bias = w.random(kChannels, 0, 0, 0);
    op.raw_weight = raw_weight.offset, op.raw_bias = raw_bias.offset;
    operate<OpKind::trainable_pool_forward, T, L>(op, w.block);
    operate<OpKind::trainable_pool_backward_input, T, L>(op, w.block);
    operate<OpKind::trainable_pool_backward_parameters, T, L>(op, w.block);
    operate<OpKind::trainable_pool_backward_parameters, T, L>(op, w.block);  // adds
    compare("trainable_pool", w, op,
            [&](const auto& pixels, const double* x, double dy, int channel, double* dx) {
              double sum = 0;
              for (const Pixel& pixel : pixels) {
                if (pixel.index < 0) continue;
                sum += x[pixel.index];
                dx[pixel.index] += dy * w.parameter(weight + channel);
              }
              return sum * w.parameter(weight + channel) + w.parameter(bias + channel);
            });
    const int64_t pixels = int64_t(op.rows) * op.columns, places = int64_t(op.out_rows) * op.out_columns;
    for (int lane = 0; lane < used; ++lane) {
      Sample dweight(kChannels), dbias(kChannels);
      for (int channel = 0; channel < kChannels; ++channel)
        for (int64_t o = 0; o < places; ++o) {
          const double dy = double(w.at(op.dy, channel * places + o, lane));
          for (const Pixel& pixel : window(op, int(o / op.out_columns), int(o % op.out_columns)))
            if (pixel.index >= 0)
              dweight[channel] += 2 * dy * double(w.at(op.x, channel * pixels + pixel.index, lane));
          dbias[channel] += 2 * dy;
        }
      w.expect("trainable_pool dweight", raw_weight, lane, dweight, 256, 1);
      w.expect("trainable_pool dbias", raw_bias, lane, dbias, 256, 1);
    }
    w.expect_idle_zero("trainable_pool dweight", raw_weight, kChannels);
    w.expect_idle_zero("trainable_pool dbias", raw_bias, kChannels);
  }
}

template <class T, int L>
void adaptive(int used) {
  const int sizes[][4] = {{6, 8, 3, 4}, {7, 5, 3, 2}, {5, 5, 1, 1}, {3, 2, 5, 4}, {4, 4, 4, 4}};
  for (const auto& s : sizes) {
    World<T, L> w(used);
    const int rows = s[0], columns = s[1], out_rows = s[2], out_columns = s[3];
    const int64_t inputs = int64_t(kChannels) * rows * columns,
                  outputs = int64_t(kChannels) * out_rows * out_columns;
    const chainrule::AdaptivePoolOp op = {
        w.random(inputs), w.empty(outputs), w.empty(inputs), w.gradient(outputs), kChannels, rows,
        columns,          out_rows,         out_columns};
    operate<OpKind::adaptive_pool_forward, T, L>(op, w.block);
    operate<OpKind::adaptive_pool_backward, T, L>(op, w.block);
    for (int lane = 0; lane < used; ++lane) {
      const Sample x = w.sample(op.x, inputs, lane), dy = w.sample(op.dy, outputs, lane);
      Sample y(outputs), dx(inputs);
      for (int64_t o = 0; o < outputs; ++o) {
        const int channel = int(o / (out_rows * out_columns)), i = int(o / out_columns) % out_rows,
                  j = int(o) % out_columns;
        const int r0 = i * rows / out_rows, r1 = ((i + 1) * rows + out_rows - 1) / out_rows;
        const int c0 = j * columns / out_columns, c1 = ((j + 1) * columns + out_columns - 1) / out_columns;
        for (int r = r0; r < r1; ++r)
          for (int c = c0; c < c1; ++c) {
            const int64_t e = (int64_t(channel) * rows + r) * columns + c;
            y[o] += x[e] / ((r1 - r0) * (c1 - c0));
            dx[e] += dy[o] / ((r1 - r0) * (c1 - c0));
          }
      }
      w.expect("adaptive_pool y", op.y, lane, y, 32, 1);
      w.expect("adaptive_pool dx", op.dx, lane, dx, 32, 1);
    }
    w.expect_idle_zero("adaptive_pool", op.dx, inputs);
    w.expect_fences("adaptive_pool");
  }
}

}  // namespace pooling
