// Which instruction sets this build has, and which of them this processor can run.
#pragma once

#include <string>

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

struct InstructionSet {
  const char* name;
  bool (*supported)();
  KernelTables (*tables)();
};

// Fastest first; the first that is supported is the default.
const InstructionSet* instruction_sets();
int instruction_set_count();

// Throws std::invalid_argument if there is none.
const KernelTable& table_for(const std::string& isa, int number_bytes, int lanes);

}  // namespace chainrule
