#include "batch_sums.hpp"

#include <algorithm>
#include <cmath>

namespace chainrule {

namespace {

// Mean and squared deviations of all blocks from those of each, by Chan's rule, in the order of the blocks.
struct Merged {
  double count = 0, mean = 0, deviations = 0;
  void add(double n, double block_mean, double block_deviations) {
    if (n == 0) return;
    const double total = count + n, delta = block_mean - mean;
    deviations += block_deviations + delta * delta * count * n / total;
    mean += delta * n / total;
    count = total;
  }
};

// Calls `change` with a reference to one of the numbers, which are float or double.
template <class Change>
void change_number(const KernelTable& table, void* numbers, int64_t offset, Change&& change) {
  if (table.number_bytes == 4)
    change(static_cast<float*>(numbers)[offset]);
  else
    change(static_cast<double*>(numbers)[offset]);
}

}  // namespace

void BatchSums::finish_forward(const BatchNormOp& op) const {
  const double count = double(samples) * op.places;
  const auto move = [&](int64_t offset, double value) {
    change_number(table, parameters, offset, [&]<class T>(T& running) {
      running = T((1 - op.momentum) * double(running) + op.momentum * value);
    });
  };
  for (int64_t c = 0; c < op.channels; ++c) {
    Merged merged;
    for (int64_t n = 0; n < blocks; ++n) {
      const double* own = statistics + n * stride + op.forward_statistics + 2 * c;
      const int64_t used = std::min<int64_t>(table.lanes, samples - n * table.lanes);
      merged.add(double(used) * op.places, own[0], own[1]);
    }
    double* finished = shared + op.forward_statistics + 2 * c;
    finished[0] = merged.mean;
    finished[1] = 1 / std::sqrt(merged.deviations / count + op.eps);
    move(op.running_mean + c, merged.mean);
    move(op.running_var + c, merged.deviations / (count - 1));
  }
}

void BatchSums::finish_backward(const BatchNormOp& op) const {
  const double count = double(samples) * op.places;
  const auto add = [&](int64_t offset, double value) {
    change_number(table, raw, offset, [&]<class T>(T& number) { number += T(value); });
  };
  for (int64_t c = 0; c < op.channels; ++c) {
    double dy = 0, product = 0;
    for (int64_t n = 0; n < blocks; ++n) {
      const double* own = statistics + n * stride + op.backward_statistics + 2 * c;
      dy += own[0], product += own[1];
    }
    double* finished = shared + op.backward_statistics + 2 * c;
    finished[0] = dy / count, finished[1] = product / count;
    if (const int64_t* place = op.raw_weight.get()) add(*place + c, product);
    if (const int64_t* place = op.raw_bias.get()) add(*place + c, dy);
  }
}

}  // namespace chainrule
