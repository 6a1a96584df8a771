// The tables of an instruction set: all its kernels for each type of numbers and number of lanes.
#include "table.hpp"

#include "../tables.hpp"
#include "multiply_adds.hpp"

#define CHAINRULE_TEXT(x) #x
#define CHAINRULE_TEXT_OF(x) CHAINRULE_TEXT(x)

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

namespace {

template <class T, int L>
void add_kernels_of_lanes(KernelTable& t) {
  add_bias_gradient<T, L>(t);
  add_channel_gradient<T, L>(t);
  add_dense_gradient<T, L>(t);
  add_finish<T, L>(t);
  add_gather<T, L>(t);
  if constexpr (L > 1) {
    add_convolution<T, L>(t);
    add_lane_gradient<T, L>(t);
    add_large_convolution<T, L>(t);
    add_max_pool<T, L>(t);
    add_winograd<T, L>(t);
  } else {
    add_single_convolution<T>(t);
    add_single_gradient<T>(t);
    add_single_max_pool<T>(t);
  }
}

template <class T>
void add_kernels_of_any_lanes(KernelTable& t) {
  add_adaptive_pool<T>(t);
  add_batch_norm<T>(t);
  add_dropout<T>(t);
  add_elementwise<T>(t);
  add_joins<T>(t);
  add_local<T>(t);
  add_losses<T>(t);
  add_norm_pool<T>(t);
  add_pooling<T>(t);
  add_rbf<T>(t);
  add_response_norm<T>(t);
  add_softmax<T>(t);
  add_update<T>(t);
}

template <class T, int L>
KernelTable table_of() {
  KernelTable t = {};
  t.isa = CHAINRULE_TEXT_OF(CHAINRULE_ISA_NAMESPACE);
  t.lanes = L;
  t.number_bytes = sizeof(T);
  t.channel_vector = kChannelVector<T>;
  t.registers = kRegisters;
  add_kernels_of_lanes<T, L>(t);
  add_kernels_of_any_lanes<T>(t);
  return t;
}

}  // namespace

KernelTables kernel_tables() {
#define CHAINRULE_TABLE(T, L) table_of<T, L>(),
  static const KernelTable tables[] = {CHAINRULE_FOR_LANES(CHAINRULE_TABLE)};
#undef CHAINRULE_TABLE
  return {tables, int(sizeof(tables) / sizeof(tables[0])), multiply_adds<float, kChannelVector<float>>,
          multiply_adds<double, kChannelVector<double>>};
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
