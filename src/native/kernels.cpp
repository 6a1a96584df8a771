// All kernels of one instruction set. Compiled once for each, in a namespace of its own; see CMakeLists.txt.
#include "dispatch.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/convolution.hpp"
#include "kernels/dense_gradient.hpp"
#include "kernels/dropout.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/gather.hpp"
#include "kernels/joins.hpp"
#include "kernels/large_convolution.hpp"
#include "kernels/local.hpp"
#include "kernels/losses.hpp"
#include "kernels/multiply_adds.hpp"
#include "kernels/pooling.hpp"
#include "kernels/rbf.hpp"
#include "kernels/response_norm.hpp"
#include "kernels/single_convolution.hpp"
#include "kernels/softmax.hpp"
#include "kernels/step.hpp"
#include "kernels/weight_gradient.hpp"
#include "kernels/winograd.hpp"

#define CHAINRULE_TEXT(x) #x
#define CHAINRULE_TEXT_OF(x) CHAINRULE_TEXT(x)

namespace chainrule::CHAINRULE_ISA_NAMESPACE {

template <class T, int L>
constexpr KernelTable table() {
  KernelTable t = {};
  t.isa = CHAINRULE_TEXT_OF(CHAINRULE_ISA_NAMESPACE);
  t.lanes = L;
  t.number_bytes = sizeof(T);
  t.channel_vector = kChannelVector<T>;
  t.registers = kRegisters;
#define CHAINRULE_ENTRY(name, record)                                          \
  t.run[static_cast<int>(OpKind::name)] = [](const void* op, const Block& b) { \
    name<T, L>(*static_cast<const record*>(op), b);                            \
  };
  CHAINRULE_OPERATIONS(CHAINRULE_ENTRY)
#undef CHAINRULE_ENTRY
  t.convolve_large = convolve_large<T, L>;
  t.finish = finish<T, L>;
  t.finish_dense = finish_dense<T, L>;
  t.pack = pack<T>;
  t.update = update<T>;
  t.all_finite = all_finite<T>;
  return t;
}

// Widest first: as many lanes as the widest vector has numbers, half and a quarter of it for small batches,
// and one.
static const KernelTable tables[] = {
#if defined(__AVX512F__)
    table<float, 16>(), table<float, 8>(),  table<float, 4>(),  table<float, 1>(),
    table<double, 8>(), table<double, 4>(), table<double, 2>(), table<double, 1>(),
#elif defined(__AVX2__)
    table<float, 8>(),  table<float, 4>(),  table<float, 1>(),
    table<double, 4>(), table<double, 2>(), table<double, 1>(),
#else
    table<float, 4>(),
    table<float, 1>(),
    table<double, 2>(),
    table<double, 1>(),
#endif
};

KernelTables kernel_tables() {
  return {tables, int(sizeof(tables) / sizeof(tables[0])), multiply_adds<float, kChannelVector<float>>,
          multiply_adds<double, kChannelVector<double>>};
}

}  // namespace chainrule::CHAINRULE_ISA_NAMESPACE
