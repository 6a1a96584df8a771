// Gradients of biases: sums of dy, still apart for each lane.
#include "table.hpp"

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

template <class T, int L>
void bias_gradient(const BiasGradientOp& op, const Block& b) {
  const T* dy = at<T>(b, op.dy);
  T* raw = gradients<T>(b, op.raw);
  for (int o = 0; o < op.out; ++o) {
    Vec<T, L> sums[4] = {};
    int64_t p = 0;
    for (; p + 4 <= op.places; p += 4)
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) sums[k] += load<T, L>(dy + (p + k) * L);
    for (; p < op.places; ++p) sums[0] += load<T, L>(dy + p * L);
    T* target = raw + (op.shared ? 0 : int64_t(o) * L);
    store<T, L>(target, load<T, L>(target) + ((sums[0] + sums[1]) + (sums[2] + sums[3])));
    dy += int64_t(op.places) * L;
  }
}

template <class T, int L>
void add_bias_gradient(KernelTable& table) {
  add<OpKind::bias_gradient, bias_gradient<T, L>>(table);
}

#define CHAINRULE_INSTANTIATE(T, L) template void add_bias_gradient<T, L>(KernelTable&);
CHAINRULE_FOR_LANES(CHAINRULE_INSTANTIATE)

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
