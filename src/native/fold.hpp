// Batch normalisation that becomes part of the weights before it.
#pragma once

#include <cmath>

#include "records.hpp"

namespace chainrule {

// In the natural memory, parameters and then buffers.
inline void fold(const FoldOp& op, double* natural) {
  const auto number = [&](const OptionalOffset& offset, int64_t row, double otherwise) {
    return offset.get() == nullptr ? otherwise : natural[*offset.get() + row];
  };
  for (int64_t row = 0; row < op.rows; ++row) {
    double& mean = natural[op.running_mean + row];
    const double factor = number(op.norm_weight, row, 1) / std::sqrt(natural[op.running_var + row] + op.eps);
    for (int64_t c = 0; c < op.columns; ++c) natural[op.weight + row * op.columns + c] *= factor;
    mean = (number(op.bias, row, 0) - mean) * factor + number(op.norm_bias, row, 0);
  }
}

}  // namespace chainrule
