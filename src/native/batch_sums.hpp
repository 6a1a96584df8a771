// What batch normalisation computes between two stages, when each block has left its sums.
#pragma once

#include <cstdint>

#include "ops.hpp"

namespace chainrule {

// The sums that all blocks of a batch have left in `statistics`, and where what they add up to belongs.
struct BatchSums {
  const KernelTable& table;
  int64_t samples, blocks;
  const double* statistics;  // of each block, `stride` apart
  int64_t stride;
  double* shared;    // the finished numbers, for the next stage
  void* parameters;  // with the running statistics among the buffers
  void* raw;         // the raw gradients of the first shard

  // Mean and 1 / deviation of each channel; the running statistics move.
  void finish_forward(const BatchNormOp& op) const;
  // Means of dy and of dy x̂ of each channel; their sums are the gradients of bias and weight.
  void finish_backward(const BatchNormOp& op) const;
};

}  // namespace chainrule
