// The kernels that each instruction set of this build has.
#pragma once

#include "ops.hpp"

namespace chainrule {

struct KernelTables {
  using MultiplyAdds = int64_t (*)(int64_t rounds, double factor, double* sum);
  const KernelTable* tables;
  int count;
  MultiplyAdds float_multiply_adds, double_multiply_adds;
};

#if defined(__x86_64__)
namespace avx512 {
KernelTables kernel_tables();
}
namespace avx2 {
KernelTables kernel_tables();
}
#endif
namespace baseline {
KernelTables kernel_tables();
}

}  // namespace chainrule
