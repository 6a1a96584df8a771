// Batch normalisation over two blocks of a batch, and local response normalisation.
#pragma once

#include "world.hpp"

namespace normalization {

template <class T, int L>
void response_norm(int used) {
  const int channels = 7, places = 3;
  constexpr int64_t n = 21;
  for (const int size : {1, 2, 5, 9})
    for (const double beta : {0.75, 0.5, 1.3}) {
      World<T, L> w(used);
      const double alpha = 0.4, k = 1.5;
      const chainrule::ResponseNormOp op = {w.random(n, -3, 3),
                                            w.empty(n),
                                            w.empty(n),
                                            w.gradient(n),
                                            w.empty(n),
                                            channels,
                                            places,
                                            size,
                                            alpha,
                                            beta,
                                            k};
      operate<OpKind::response_norm_forward, T, L>(op, w.block);
      operate<OpKind::response_norm_backward, T, L>(op, w.block);
      for (int lane = 0; lane < used; ++lane) {
        const Sample x = w.sample(op.x, n, lane), dy = w.sample(op.dy, n, lane);
        Sample scale(n, k), y(n), dx(n);
        for (int c = 0; c < channels; ++c)
          for (int p = 0; p < places; ++p) {
            for (int d = c - size / 2; d <= c + (size - 1) / 2; ++d)
              if (d >= 0 && d < channels)
                scale[c * places + p] += alpha / size * x[d * places + p] * x[d * places + p];
            const double s = scale[c * places + p], damped = std::pow(s, -beta),
                         gradient = dy[c * places + p];
            y[c * places + p] = x[c * places + p] * damped;
            dx[c * places + p] += gradient * damped;
            for (int d = c - size / 2; d <= c + (size - 1) / 2; ++d)
              if (d >= 0 && d < channels)
                dx[d * places + p] -=
                    2 * alpha * beta / size * x[d * places + p] * gradient * x[c * places + p] * damped / s;
          }
        w.expect("response_norm y", op.y, lane, y, 32, 1);
        w.expect("response_norm dx", op.dx, lane, dx, 64, 1);
      }
      w.expect_idle_zero("response_norm", op.dx, n);
      w.expect_fences("response_norm");
    }
}

template <class T, int L>
void batch_norm(int used) {
  constexpr int channels = 3, places = 5, n = channels * places;
  for (const bool training : {true, false})
    for (const bool affine : {true, false}) {
      World<T, L> w(used);
      const int64_t weight = w.natural(channels), bias = w.natural(channels), mean = w.natural(channels),
                    variance = w.natural(channels, 0.5, 2);
      const double eps = 1e-3;
      const chainrule::BatchNormOp op = {
          w.random(n, 1, 4),
          w.empty(n),
          w.empty(n),
          w.gradient(n),
          channels,
          places,
          affine ? chainrule::OptionalOffset(weight) : chainrule::OptionalOffset(),
          affine ? chainrule::OptionalOffset(bias) : chainrule::OptionalOffset(),
          mean,
          variance,
          2,
          2 + 2 * channels,
          {},
          {},
          eps,
          0.1,
          training};
      double statistics[4 + 4 * channels], shared[4 + 4 * channels];
      for (double& number : statistics) number = NAN;
      w.block.statistics = statistics;
      w.block.shared = shared;

      // Statistics as they should be; a second block of the batch stands behind the factors of 2 and 0.75.
      double means[channels], squares[channels], inverses[channels];
      for (int c = 0; c < channels; ++c) {
        means[c] = squares[c] = 0;
        for (int lane = 0; lane < used; ++lane)
          for (int p = 0; p < places; ++p)
            means[c] += double(w.at(op.x, c * places + p, lane)) / (places * used);
        for (int lane = 0; lane < used; ++lane)
          for (int p = 0; p < places; ++p)
            squares[c] += std::pow(double(w.at(op.x, c * places + p, lane)) - means[c], 2);
      }
      operate<OpKind::batch_norm_statistics, T, L>(op, w.block);
      for (int c = 0; c < channels; ++c) {
        if (!(std::abs(statistics[2 + 2 * c] - means[c]) < 1e-13) ||
            !(std::abs(statistics[3 + 2 * c] - squares[c]) < 1e-12))
          fail("batch_norm statistics");
        shared[2 + 2 * c] =
            double(T(means[c] * 0.75));  // a number of T: float's rounding of it is no question here
        shared[3 + 2 * c] = 1 / std::sqrt(squares[c] + eps);
        means[c] = training ? shared[2 + 2 * c] : w.parameter(mean + c);
        inverses[c] = training ? shared[3 + 2 * c] : 1 / std::sqrt(w.parameter(variance + c) + eps);
      }
      operate<OpKind::batch_norm_forward, T, L>(op, w.block);
      operate<OpKind::batch_norm_backward_sums, T, L>(op, w.block);
      double mean_dy[channels], mean_product[channels];
      for (int c = 0; c < channels; ++c) {
        double sum = 0, product = 0;
        for (int lane = 0; lane < used; ++lane)
          for (int p = 0; p < places; ++p) {
            const double dy = double(w.at(op.dy, c * places + p, lane));
            sum += dy;
            product += dy * (double(w.at(op.x, c * places + p, lane)) - means[c]) * inverses[c];
          }
        const double* got = statistics + op.backward_statistics + 2 * c;
        if (!(std::abs(got[0] - sum) < 1e-12) || !(std::abs(got[1] - product) < 1e-12))
          fail("batch_norm sums");
        mean_dy[c] = shared[op.backward_statistics + 2 * c] = sum / (2 * places * used);
        mean_product[c] = shared[op.backward_statistics + 2 * c + 1] = product / (2 * places * used);
      }
      operate<OpKind::batch_norm_backward_input, T, L>(op, w.block);
      for (int lane = 0; lane < used; ++lane) {
        const Sample x = w.sample(op.x, n, lane), dy = w.sample(op.dy, n, lane);
        Sample y(n), dx(n);
        for (int e = 0; e < n; ++e) {
          const int c = e / places;
          const double normal = (x[e] - means[c]) * inverses[c],
                       factor = affine ? w.parameter(weight + c) : 1;
          y[e] = normal * factor + (affine ? w.parameter(bias + c) : 0);
          dx[e] = inverses[c] * factor * (training ? dy[e] - mean_dy[c] - normal * mean_product[c] : dy[e]);
        }
        w.expect("batch_norm y", op.y, lane, y, 32, 1);
        w.expect("batch_norm dx", op.dx, lane, dx, 32, 1);
      }
      w.expect_idle_zero("batch_norm", op.dx, n);
      w.expect_idle_finite("batch_norm", op.y, n);
      w.expect_fences("batch_norm");
      if (!std::isnan(statistics[0]) || !std::isnan(statistics[1]))
        fail("batch_norm wrote before its statistics");
    }
}

}  // namespace normalization
